import { useId, useState } from "react";
import { Fault } from "./fault.tsx";

interface NumberFieldProps {
  label: string;
  value: number;
  max: number;
  onChange: (value: number) => void;
}

/** A whole number from 1 on, saved as soon as it is one. */
export function NumberField({ label, value, max, onChange }: NumberFieldProps) {
  /** What cannot be saved; null while the field shows the stored number. */
  const [draft, setDraft] = useState<string | null>(null);
  const [isLeft, setIsLeft] = useState(false);
  const faultId = useId();
  const hasFault = draft !== null && isLeft;
  return (
    <>
      <input
        type="number"
        className="number-field"
        aria-label={label}
        inputMode="numeric"
        required
        min={1}
        max={max}
        step={1}
        value={draft ?? value}
        aria-invalid={hasFault}
        aria-describedby={hasFault ? faultId : undefined}
        onFocus={() => {
          setIsLeft(false);
        }}
        onBlur={() => {
          setIsLeft(true);
        }}
        onChange={(event) => {
          const { value: text, valueAsNumber, validity } = event.target;
          setDraft(validity.valid ? null : text);
          if (validity.valid) onChange(valueAsNumber);
        }}
      />
      <Fault
        id={faultId}
        message={hasFault ? `A whole number from 1 to ${max.toLocaleString()}.` : null}
      />
    </>
  );
}
