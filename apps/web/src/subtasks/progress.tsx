import { Icon } from "../ui/icon.tsx";

interface ProgressProps {
  completed: number;
  count: number;
}

/** How far a checklist is: "2 of 5". */
export function Progress({ completed, count }: ProgressProps) {
  return (
    <span className="meta-item" data-is-full={completed === count || undefined}>
      <Icon name="checklist" />
      <span>
        {completed.toLocaleString()} of {count.toLocaleString()}
        <span className="visually-hidden"> subtasks completed</span>
      </span>
    </span>
  );
}
