import { useId } from "react";

interface SignInFieldProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  autoComplete: string;
  fault: string | null;
  hint?: string | null;
  type?: "text" | "email" | "password";
}

/** A labelled field with its hint, or what is wrong with it, below. */
export function SignInField(props: SignInFieldProps) {
  const { label, value, onChange, autoComplete, fault, hint = null, type = "text" } = props;
  const id = useId();
  const textId = `${id}-text`;
  const text = fault ?? hint;
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        type={type}
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
        }}
        autoComplete={autoComplete}
        required
        aria-invalid={fault !== null}
        aria-describedby={text === null ? undefined : textId}
      />
      {text !== null && (
        <p
          id={textId}
          className={fault === null ? "hint" : "fault"}
          role={fault === null ? undefined : "alert"}
        >
          {text}
        </p>
      )}
    </div>
  );
}
