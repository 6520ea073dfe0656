import type { DueChange } from "@task-platform/client";
import type { LocalTask } from "@task-platform/client/sync";
import { useState } from "react";
import { dayFrom, localZone, makeDue } from "./due.ts";

interface DueEditorProps {
  due: LocalTask["due"];
  onChange: (due: DueChange | null) => void;
}

/** When a task is due: a day, and a time of that day if one is wanted. */
export function DueEditor({ due, onChange }: DueEditorProps) {
  const [now] = useState(() => new Date());
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
          min="1970-01-01"
          max="2200-12-31"
          value={date}
          onChange={(event) => {
            onChange(makeDue(event.target.value, time, zone));
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
      {zone !== null && zone !== localZone && <p className="hint">Time in {zone}</p>}
      <div className="due-shortcuts">
        {shortcuts.map((shortcut) => (
          <button
            key={shortcut.label}
            type="button"
            className="chip"
            aria-pressed={date === shortcut.date}
            onClick={() => {
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
