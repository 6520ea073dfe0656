import { useTaskStore } from "@task-platform/client/react";
import { useState } from "react";
import { describeUnsavedEdits } from "../sync/describe-value.ts";
import { Fault } from "../ui/fault.tsx";
import { Modal } from "../ui/modal.tsx";
import { signOut } from "./sign-out.ts";
import { useUnsavedEdits } from "./unsaved-edits.ts";

/** More would make the dialog longer than a phone. */
const NAMES_MAX = 5;

/** Asks before edits are lost that the server does not have yet. */
export function SignOutDialog({ onClose }: { onClose: () => void }) {
  const store = useTaskStore();
  const { count, names } = useUnsavedEdits();
  const [isBusy, setIsBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);
  const shownNames = names.slice(0, NAMES_MAX);
  const othersCount = count - shownNames.length;

  async function signOutAnyway() {
    setIsBusy(true);
    setFault(await signOut(store));
    setIsBusy(false);
  }

  return (
    <Modal title="Sign out?" onClose={onClose}>
      {count === 0 ? (
        <p>Everything is saved by now. Signing out removes all tasks from this browser.</p>
      ) : (
        <p>
          {describeUnsavedEdits(count)} not saved yet and will be lost: signing out removes all
          tasks from this browser.
        </p>
      )}
      {shownNames.length > 0 && (
        <ul className="unsaved">
          {shownNames.map((name, index) => (
            <li key={index}>{name}</li>
          ))}
          {othersCount > 0 && <li>{othersCount.toLocaleString()} more</li>}
        </ul>
      )}
      <Fault message={fault} />
      <div className="dialog-buttons">
        <button type="button" className="button" onClick={onClose}>
          Stay
        </button>
        <button
          type="button"
          className="button danger"
          disabled={isBusy}
          onClick={() => void signOutAnyway()}
        >
          {count === 0 ? "Sign out" : "Sign out anyway"}
        </button>
      </div>
    </Modal>
  );
}
