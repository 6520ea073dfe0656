import { useSyncStatus, useTaskStore } from "@task-platform/client/react";
import { useState } from "react";
import { Fault } from "../ui/fault.tsx";
import { Modal } from "../ui/modal.tsx";
import { signOut } from "./sign-out.ts";

/** Asks before edits are lost that the server does not have yet. */
export function SignOutDialog({ onClose }: { onClose: () => void }) {
  const store = useTaskStore();
  const { pending } = useSyncStatus();
  const [isBusy, setIsBusy] = useState(false);
  const [fault, setFault] = useState<string | null>(null);

  async function signOutAnyway() {
    setIsBusy(true);
    setFault(await signOut(store));
    setIsBusy(false);
  }

  return (
    <Modal title="Sign out?" onClose={onClose}>
      <p>
        {pending === 1 ? "One edit is" : `${pending.toLocaleString()} edits are`} not saved yet and
        will be lost: signing out removes all tasks from this browser.
      </p>
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
          Sign out anyway
        </button>
      </div>
    </Modal>
  );
}
