import { useId, useState } from "react";
import { Fault } from "../ui/fault.tsx";
import { NumberField } from "../ui/number-field.tsx";
import { COUNT_MAX, type RepeatEnd } from "./repeat.ts";

const COUNT_USUAL = 10;

interface EndFieldsProps {
  end: RepeatEnd;
  dueDate: string;
  onChange: (end: RepeatEnd) => void;
}

/** When a task stops repeating. */
export function EndFields({ end, dueDate, onChange }: EndFieldsProps) {
  function choose(kind: RepeatEnd["kind"]) {
    if (kind === "never") onChange({ kind });
    if (kind === "count") onChange({ kind, count: COUNT_USUAL });
    if (kind === "until") onChange({ kind, date: yearAfter(dueDate) });
  }

  return (
    <div className="repeat-row">
      <select
        aria-label="Ends"
        value={end.kind}
        onChange={(event) => {
          choose(event.target.value as RepeatEnd["kind"]);
        }}
      >
        <option value="never">Never ends</option>
        <option value="until">Until</option>
        <option value="count">A number of times</option>
      </select>
      {end.kind === "count" && (
        <>
          <NumberField
            label="Times"
            value={end.count}
            max={COUNT_MAX}
            onChange={(count) => {
              onChange({ kind: "count", count });
            }}
          />
          <span aria-hidden="true">{end.count === 1 ? "time" : "times"}</span>
        </>
      )}
      {end.kind === "until" && (
        <UntilField
          date={end.date}
          dueDate={dueDate}
          onChange={(date) => {
            onChange({ kind: "until", date });
          }}
        />
      )}
    </div>
  );
}

interface UntilFieldProps {
  date: string;
  dueDate: string;
  onChange: (date: string) => void;
}

function UntilField({ date, dueDate, onChange }: UntilFieldProps) {
  /** A date that cannot be saved: one that is still being typed, or before the task is due. */
  const [draft, setDraft] = useState<string | null>(null);
  const [isLeft, setIsLeft] = useState(false);
  const faultId = useId();
  const hasFault = draft !== null && isLeft;
  return (
    <>
      <input
        type="date"
        aria-label="End date"
        required
        min={dueDate}
        max="2200-12-31"
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
          setDraft(validity.valid ? null : value);
          if (validity.valid) onChange(value);
        }}
      />
      <Fault
        id={faultId}
        message={hasFault ? "The end is a day on or after the due date." : null}
      />
    </>
  );
}

/** The same day a year later; 29 February has 1 March. */
function yearAfter(date: string): string {
  const instant = new Date(`${date}T00:00Z`);
  instant.setUTCFullYear(instant.getUTCFullYear() + 1);
  const day = instant.toISOString().slice(0, 10);
  return day > "2200-12-31" ? date : day;
}
