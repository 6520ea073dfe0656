import { NumberField } from "../ui/number-field.tsx";
import { daysChoices, isSameDays } from "./choices.ts";
import { WEEKDAY_NAMES, type Recurrence } from "./describe.ts";
import {
  INTERVAL_MAX,
  WEEKDAYS,
  type Frequency,
  type Repeat,
  type RepeatDays,
  type Weekday,
} from "./repeat.ts";

const FREQUENCIES: readonly { value: Frequency; one: string; many: string }[] = [
  { value: "DAILY", one: "day", many: "days" },
  { value: "WEEKLY", one: "week", many: "weeks" },
  { value: "MONTHLY", one: "month", many: "months" },
  { value: "YEARLY", one: "year", many: "years" },
];

interface IntervalFieldsProps {
  repeat: Repeat;
  onInterval: (interval: number) => void;
  onFrequency: (frequency: Frequency) => void;
}

/** "Every 2 weeks". */
export function IntervalFields({ repeat, onInterval, onFrequency }: IntervalFieldsProps) {
  return (
    <div className="repeat-row">
      <span aria-hidden="true">Every</span>
      <NumberField
        label="Interval"
        value={repeat.interval}
        max={INTERVAL_MAX}
        onChange={onInterval}
      />
      <select
        aria-label="Unit"
        value={repeat.frequency}
        onChange={(event) => {
          onFrequency(event.target.value as Frequency);
        }}
      >
        {FREQUENCIES.map(({ value, one, many }) => (
          <option key={value} value={value}>
            {repeat.interval === 1 ? one : many}
          </option>
        ))}
      </select>
    </div>
  );
}

interface WeekdayFieldsProps {
  days: RepeatDays;
  onChange: (days: RepeatDays) => void;
}

/** The days of a week as switches; none of them means the day from which it is counted. */
export function WeekdayFields({ days, onChange }: WeekdayFieldsProps) {
  const chosen = days.kind === "weekdays" ? days.days : [];

  function toggle(weekday: Weekday, isChosen: boolean) {
    const newDays = WEEKDAYS.filter((day) => (day === weekday ? isChosen : chosen.includes(day)));
    onChange(newDays.length === 0 ? { kind: "same" } : { kind: "weekdays", days: newDays });
  }

  return (
    <fieldset className="segments wide weekdays">
      <legend className="visually-hidden">On</legend>
      {WEEKDAYS.map((weekday) => (
        <label key={weekday} className="segment" title={WEEKDAY_NAMES[weekday]}>
          <input
            type="checkbox"
            aria-label={WEEKDAY_NAMES[weekday]}
            checked={chosen.includes(weekday)}
            onChange={(event) => {
              toggle(weekday, event.target.checked);
            }}
          />
          <span>{WEEKDAY_NAMES[weekday].slice(0, 2)}</span>
        </label>
      ))}
    </fieldset>
  );
}

interface MonthDayFieldProps {
  repeat: Repeat;
  from: Recurrence["from"];
  dueDate: string;
  onChange: (days: RepeatDays) => void;
}

/** The day of a month or year. */
export function MonthDayField({ repeat, from, dueDate, onChange }: MonthDayFieldProps) {
  const choices = daysChoices(repeat, from, dueDate);
  const index = choices.findIndex(({ days }) => isSameDays(days, repeat.days));
  return (
    <>
      <select
        aria-label="On"
        value={index}
        onChange={(event) => {
          const choice = choices[Number(event.target.value)];
          if (choice !== undefined) onChange(choice.days);
        }}
      >
        {choices.map(({ label }, place) => (
          <option key={label} value={place}>
            {label}
          </option>
        ))}
      </select>
      {isMissingInSomeMonths(repeat.days) && (
        <p className="hint">Months without this day are left out.</p>
      )}
    </>
  );
}

function isMissingInSomeMonths(days: RepeatDays): boolean {
  return days.kind === "day-of-month" && days.day > 28;
}
