import type { LocalTask } from "@task-platform/client/sync";
import { useMemo, useState } from "react";
import { announce } from "../notices/notices.ts";
import { dayIn, localDay } from "../tasks/due.ts";
import { Icon } from "../ui/icon.tsx";
import { useNow } from "../ui/use-now.ts";
import { presetOf, repeatOf, usualDays, type Preset } from "./choices.ts";
import { describeRecurrence, describeRepeat, type Recurrence } from "./describe.ts";
import { EndFields } from "./end-fields.tsx";
import { IntervalFields, MonthDayField, WeekdayFields } from "./day-fields.tsx";
import { readRepeat, writeRule, type Repeat } from "./repeat.ts";
import { useNextDates } from "./use-next-dates.ts";

const PRESETS: readonly { value: Preset; label: string }[] = [
  { value: "none", label: "Does not repeat" },
  { value: "daily", label: "Daily" },
  { value: "weekdays", label: "Every weekday" },
  { value: "weekly", label: "Weekly" },
  { value: "monthly", label: "Monthly" },
  { value: "yearly", label: "Yearly" },
  { value: "custom", label: "Custom" },
];

interface RepeatEditorProps {
  task: LocalTask;
  /** Whether the due date comes from here, and not from the user. */
  isDueGuessed: boolean;
  /** Called with a due date too if the task has none: a task repeats from a date. */
  onChange: (fields: { recurrence: Recurrence | null; due?: { date: string } }) => void;
}

/** How a task repeats: in fields, in words and as the next dates. */
export function RepeatEditor({ task, isDueGuessed, onChange }: RepeatEditorProps) {
  const { recurrence, due } = task;
  const now = useNow();
  const [isCustom, setIsCustom] = useState(false);
  const repeat = useMemo(
    () => (recurrence === null ? null : readRepeat(recurrence.rule)),
    [recurrence],
  );
  const dueDate = due?.date ?? localDay(now);
  const from = recurrence?.from ?? "due";
  const preset = isCustom && repeat !== null ? "custom" : presetOf(recurrence?.rule ?? null);

  function save(newRepeat: Repeat, newFrom: Recurrence["from"]) {
    const newRecurrence = { rule: writeRule(newRepeat), from: newFrom };
    if (due !== null) {
      onChange({ recurrence: newRecurrence });
      return;
    }
    announce("Due today now, because a task repeats from a date.");
    onChange({ recurrence: newRecurrence, due: { date: dueDate } });
  }

  function choose(choice: Preset) {
    setIsCustom(choice === "custom");
    if (choice === "none") {
      onChange({ recurrence: null });
    } else if (choice !== "other") {
      save(repeatOf(choice, dueDate, repeat), from);
    }
  }

  return (
    <fieldset className="field repeat">
      <legend>Repeat</legend>
      <select
        aria-label="Repeat"
        value={preset}
        onChange={(event) => {
          choose(event.target.value as Preset);
        }}
      >
        {PRESETS.map(({ value, label }) => (
          <option key={value} value={value}>
            {label}
          </option>
        ))}
        {preset === "other" && <option value="other">Another rule</option>}
      </select>
      {isDueGuessed && due !== null && recurrence !== null && (
        <p className="hint">Due today now, because a task repeats from a date.</p>
      )}
      {recurrence !== null && repeat === null && (
        <p className="repeat-words">
          <Icon name="repeat" />
          {describeRecurrence(recurrence)}
        </p>
      )}
      {repeat !== null && (
        <RepeatFields
          repeat={repeat}
          from={from}
          dueDate={dueDate}
          today={dayIn(due?.time_zone ?? "UTC", now)}
          isCustom={preset === "custom"}
          onChange={save}
        />
      )}
    </fieldset>
  );
}

interface RepeatFieldsProps {
  repeat: Repeat;
  from: Recurrence["from"];
  dueDate: string;
  /** The day on which the server would take the task as completed. */
  today: string;
  isCustom: boolean;
  onChange: (repeat: Repeat, from: Recurrence["from"]) => void;
}

function RepeatFields(props: RepeatFieldsProps) {
  const { repeat, from, dueDate, today, isCustom, onChange } = props;
  const { frequency, days } = repeat;

  function change(fields: Partial<Repeat>) {
    onChange({ ...repeat, ...fields }, from);
  }

  function countFrom(newFrom: Recurrence["from"]) {
    let newDays = days;
    const isUsual = days.kind !== "weekdays" || days.days.length === 1;
    // From completion on, the day of completion is what one expects; from a date, that date.
    if (newFrom === "completion" && isUsual) newDays = { kind: "same" };
    if (newFrom === "due" && days.kind === "same") newDays = usualDays(frequency, dueDate);
    onChange({ ...repeat, days: newDays }, newFrom);
  }

  return (
    <>
      {isCustom && (
        <IntervalFields
          repeat={repeat}
          onInterval={(interval) => {
            change({ interval });
          }}
          onFrequency={(newFrequency) => {
            const sameDays = { kind: "same" } as const;
            const newDays = from === "due" ? usualDays(newFrequency, dueDate) : sameDays;
            change({ frequency: newFrequency, days: newDays });
          }}
        />
      )}
      {frequency === "WEEKLY" && (
        <WeekdayFields
          days={days}
          onChange={(newDays) => {
            change({ days: newDays });
          }}
        />
      )}
      {(frequency === "MONTHLY" || frequency === "YEARLY") && (
        <MonthDayField
          repeat={repeat}
          from={from}
          dueDate={dueDate}
          onChange={(newDays) => {
            change({ days: newDays });
          }}
        />
      )}
      <select
        aria-label="Counted from"
        value={from}
        onChange={(event) => {
          countFrom(event.target.value as Recurrence["from"]);
        }}
      >
        <option value="due">Counted from the due date</option>
        <option value="completion">Counted from completion</option>
      </select>
      <EndFields
        end={repeat.end}
        dueDate={dueDate}
        onChange={(end) => {
          change({ end });
        }}
      />
      <RepeatSummary repeat={repeat} from={from} dueDate={dueDate} today={today} />
    </>
  );
}

interface RepeatSummaryProps {
  repeat: Repeat;
  from: Recurrence["from"];
  dueDate: string;
  today: string;
}

/** What the fields mean, in words and as dates. */
function RepeatSummary({ repeat, from, dueDate, today }: RepeatSummaryProps) {
  const dates = useNextDates(repeat, from, dueDate, today);
  return (
    <div className="repeat-summary">
      <p className="repeat-words" aria-live="polite">
        <Icon name="repeat" />
        {describeRepeat(repeat, from)}
      </p>
      {dates?.length === 0 && <p className="hint">This is the last one.</p>}
      {dates !== null && dates.length > 0 && (
        <>
          <p className="hint">{from === "completion" ? "Next, if completed today" : "Next"}</p>
          <ol className="repeat-dates" aria-label="Next dates">
            {dates.map((date) => (
              <li key={date}>
                <time dateTime={date}>{describeShort(date, today)}</time>
              </li>
            ))}
          </ol>
        </>
      )}
    </div>
  );
}

function describeShort(date: string, today: string): string {
  const format: Intl.DateTimeFormatOptions = { weekday: "short", day: "numeric", month: "short" };
  if (date.slice(0, 4) !== today.slice(0, 4)) format.year = "numeric";
  return new Date(`${date}T00:00`).toLocaleDateString([], format);
}
