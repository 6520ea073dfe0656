import { useId, useState, type SyntheticEvent } from "react";
import { Fault } from "./fault.tsx";
import { Modal } from "./modal.tsx";

interface RenameDialogProps {
  title: string;
  name: string;
  /** Returns what is wrong with a name, in a sentence. */
  findFault: (name: string) => string | null;
  onRename: (name: string) => void;
  onClose: () => void;
}

/** Asks for another name for a list or a label. */
export function RenameDialog({ title, name, findFault, onRename, onClose }: RenameDialogProps) {
  const id = useId();
  const faultId = useId();
  const [text, setText] = useState(name);
  const [fault, setFault] = useState<string | null>(null);

  function rename(event: SyntheticEvent) {
    event.preventDefault();
    const newFault = findFault(text);
    setFault(newFault);
    if (newFault !== null) return;
    if (text.trim() !== name) onRename(text.trim());
    onClose();
  }

  return (
    <Modal title={title} onClose={onClose} hasFields>
      <form className="dialog-form" onSubmit={rename}>
        <div className="field">
          <label htmlFor={id}>New name</label>
          <input
            id={id}
            value={text}
            autoComplete="off"
            aria-invalid={fault !== null}
            aria-describedby={fault === null ? undefined : faultId}
            onChange={(event) => {
              setText(event.target.value);
            }}
          />
          <Fault id={faultId} message={fault} />
        </div>
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button primary">
            Rename
          </button>
        </div>
      </form>
    </Modal>
  );
}
