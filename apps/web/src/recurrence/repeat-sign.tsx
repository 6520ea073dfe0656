import { Icon } from "../ui/icon.tsx";
import { describeRecurrence, type Recurrence } from "./describe.ts";

/** The sign of a repeating task, named by its rule in words. */
export function RepeatSign({ recurrence }: { recurrence: Recurrence }) {
  const words = describeRecurrence(recurrence);
  return (
    <span className="meta-item" role="img" aria-label={words} title={words}>
      <Icon name="repeat" />
    </span>
  );
}
