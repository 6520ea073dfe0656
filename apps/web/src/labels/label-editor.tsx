import { useLabels } from "@task-platform/client/react";
import { useId, useState, type FocusEvent, type KeyboardEvent } from "react";
import { Icon } from "../ui/icon.tsx";
import { isSameName } from "../ui/name-fault.ts";

const LABELS_MAX = 20;
const LENGTH_MAX = 50;

interface LabelEditorProps {
  labels: readonly string[];
  onChange: (labels: string[]) => void;
}

/** The labels of a task as chips, and a field that adds one; a new name makes a new label. */
export function LabelEditor({ labels, onChange }: LabelEditorProps) {
  const { labels: allLabels } = useLabels();
  const id = useId();
  const [text, setText] = useState("");

  function add() {
    const name = text.trim();
    setText("");
    if (name === "" || labels.some((label) => isSameName(label, name))) return;
    onChange([...labels, name]);
  }

  function onKeyDown(event: KeyboardEvent<HTMLInputElement>) {
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Enter" || event.key === ",") {
      event.preventDefault();
      add();
    }
    if (event.key === "Escape" && text !== "") {
      // The first Escape is for the text, the second for the details around it.
      event.preventDefault();
      event.stopPropagation();
      setText("");
    }
    if (event.key === "Backspace" && text === "") onChange(labels.slice(0, -1));
  }

  /** Add what was typed when the user goes on to another field; closing the details adds nothing. */
  function onBlur({ currentTarget, relatedTarget }: FocusEvent<HTMLInputElement>) {
    if (currentTarget.closest(".details")?.contains(relatedTarget) === true) add();
  }

  return (
    <div className="field">
      <label htmlFor={id}>Labels</label>
      <div className="label-editor">
        {labels.map((label) => (
          <span key={label} className="chip">
            {label}
            <button
              type="button"
              className="chip-remove"
              aria-label={`Remove ${label}`}
              onClick={() => {
                onChange(labels.filter((other) => other !== label));
              }}
            >
              <Icon name="close" />
            </button>
          </span>
        ))}
        {labels.length < LABELS_MAX && (
          <input
            id={id}
            list={`${id}-known`}
            value={text}
            maxLength={LENGTH_MAX}
            placeholder={labels.length === 0 ? "Add a label" : ""}
            autoComplete="off"
            enterKeyHint="done"
            onChange={(event) => {
              setText(event.target.value);
            }}
            onKeyDown={onKeyDown}
            onBlur={onBlur}
          />
        )}
        <datalist id={`${id}-known`}>
          {allLabels
            .filter(({ name }) => !labels.some((label) => isSameName(label, name)))
            .map((label) => (
              <option key={label.id} value={label.name} />
            ))}
        </datalist>
      </div>
    </div>
  );
}
