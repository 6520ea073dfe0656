import { useId, useState } from "react";
import { Fault } from "../ui/fault.tsx";
import { titleFault } from "./title.ts";

interface TitleEditorProps {
  title: string;
  /** Called with the new title, and the one that was there when editing began. */
  onSave: (title: string, seen: string) => void;
  /** Called after saving too; `isLeaving` when the focus went elsewhere and must not be brought back. */
  onClose: (isLeaving: boolean) => void;
}

/** A title while it is edited: Enter and leaving the field save, Escape does not. */
export function TitleEditor({ title, onSave, onClose }: TitleEditorProps) {
  // The title may be changed elsewhere meanwhile: that is a conflict, and no reason to save what the user did not type.
  const [seen] = useState(title);
  const [text, setText] = useState(title);
  const [fault, setFault] = useState<string | null>(null);
  const faultId = useId();

  function save(isLeaving: boolean) {
    const newTitle = text.trim();
    const isAbandoned = isLeaving && newTitle === "";
    const newFault = isAbandoned ? null : titleFault(text);
    setFault(newFault);
    if (newFault !== null) return;
    if (!isAbandoned && newTitle !== seen) onSave(newTitle, seen);
    onClose(isLeaving);
  }

  return (
    <>
      <input
        className="title-editor"
        aria-label="Title"
        value={text}
        autoFocus
        autoComplete="off"
        aria-invalid={fault !== null}
        aria-describedby={fault === null ? undefined : faultId}
        onFocus={(event) => {
          event.currentTarget.select();
        }}
        onChange={(event) => {
          setText(event.target.value);
          setFault(null);
        }}
        onKeyDown={(event) => {
          // Keys of an input method that composes a character are not meant for us.
          if (event.nativeEvent.isComposing) return;
          event.stopPropagation();
          if (event.key !== "Enter" && event.key !== "Escape") return;
          // The focus moves to the button "Edit", which the same key must not press.
          event.preventDefault();
          if (event.key === "Enter") save(false);
          else onClose(false);
        }}
        onBlur={() => {
          save(true);
        }}
      />
      <Fault id={faultId} message={fault} />
    </>
  );
}
