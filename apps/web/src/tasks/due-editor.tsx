import type { DueChange } from "@task-platform/client";
import type { LocalTask } from "@task-platform/client/sync";
import { useId, useState } from "react";
import { Fault } from "../ui/fault.tsx";
import { dayFrom, localZone, makeDue } from "./due.ts";

const DATE_MIN = "1970-01-01";
const DATE_MAX = "2200-12-31";

interface DueEditorProps {
  due: LocalTask["due"];
  onChange: (due: DueChange | null) => void;
}

/** When a task is due: a day, and a time of that day if one is wanted. */
export function DueEditor({ due, onChange }: DueEditorProps) {
  const [now] = useState(() => new Date());
  /** A date out of range: a year that is still being typed, or one that nobody can save. */
  const [draft, setDraft] = useState<string | null>(null);
  const [isLeft, setIsLeft] = useState(false);
  const faultId = useId();
  const hasFault = draft !== null && isLeft;
  const date = due?.date ?? "";
  const time = due?.time ?? "";
  const zone = due?.time_zone ?? null;
  // On a Monday, the one after.
  const daysToMonday = (8 - now.getDay()) % 7 || 7;
  const shortcuts = [
    { label: "Today", date: dayFrom(now, 0) },
    { label: "Tomorrow", date: dayFrom(now, 1) },
    { label: "Next week", date: dayFrom(now, daysToMonday) },
  ];

  return (
    <fieldset className="field">
      <legend>Due</legend>
      <div className="due-fields">
        <input
          type="date"
          aria-label="Due date"
          min={DATE_MIN}
          max={DATE_MAX}
          value={draft ?? date}
          aria-invalid={hasFault}
          aria-describedby={hasFault ? faultId : undefined}
          onFocus={() => {
            setIsLeft(false);
          }}
          onBlur={() => {
            setIsLeft(true);
          }}
          onChange={(event) => {
            const { value, validity } = event.target;
            const isInRange = validity.valid;
            setDraft(isInRange ? null : value);
            if (isInRange) onChange(makeDue(value, time, zone));
          }}
        />
        <input
          type="time"
          aria-label="Due time"
          value={time}
          disabled={date === ""}
          onChange={(event) => {
            onChange(makeDue(date, event.target.value, zone));
          }}
        />
      </div>
      <Fault id={faultId} message={hasFault ? "A date lies between 1970 and 2200." : null} />
      {zone !== null && zone !== localZone && <p className="hint">Time in {zone}</p>}
      <div className="due-shortcuts">
        {shortcuts.map((shortcut) => (
          <button
            key={shortcut.label}
            type="button"
            className="chip"
            aria-pressed={date === shortcut.date}
            onClick={() => {
              setDraft(null);
              onChange(makeDue(shortcut.date, time, zone));
            }}
          >
            {shortcut.label}
          </button>
        ))}
        {date !== "" && (
          <button
            type="button"
            className="chip"
            onClick={() => {
              setDraft(null);
              onChange(null);
            }}
          >
            Clear
          </button>
        )}
      </div>
    </fieldset>
  );
}
