import { useTaskStore } from "@task-platform/client/react";
import { useState, type SyntheticEvent } from "react";
import { showNotice } from "../notices/notices.ts";
import { forgetBrowser, type Account } from "../session/session.ts";
import { SignInField } from "../sign-in/sign-in-field.tsx";
import { Modal } from "../ui/modal.tsx";
import { deleteAccount } from "./delete-account.ts";
import { removeLocalAccount } from "./sign-out.ts";

interface DeleteAccountDialogProps {
  account: Account;
  onClose: () => void;
}

/** Asks for the password, then deletes the tasks and the account. */
export function DeleteAccountDialog({ account, onClose }: DeleteAccountDialogProps) {
  const store = useTaskStore();
  const [password, setPassword] = useState("");
  const [isBusy, setIsBusy] = useState(false);
  const [areTasksErased, setAreTasksErased] = useState(false);
  const [fault, setFault] = useState<string | null>(null);

  async function confirm(event: SyntheticEvent) {
    event.preventDefault();
    setIsBusy(true);
    setFault(null);
    const result = await deleteAccount(account.email, password);
    setIsBusy(false);
    if (result.fault === null) {
      forgetBrowser();
      await removeLocalAccount(store);
      showNotice("Your account and its tasks are deleted.");
      return;
    }
    setFault(result.fault);
    if (result.areTasksErased) setAreTasksErased(true);
  }

  return (
    <Modal title="Delete account?" onClose={onClose} hasFields>
      <form className="dialog-form" onSubmit={(event) => void confirm(event)} noValidate>
        <p>
          {areTasksErased
            ? "Your tasks are deleted, but the account itself is not yet. Try again."
            : "All your tasks, lists and labels will be deleted, and then the account. There is no way back; Export makes a copy first."}
        </p>
        <SignInField
          label="Password"
          type="password"
          value={password}
          onChange={setPassword}
          autoComplete="current-password"
          fault={fault}
        />
        <div className="dialog-buttons">
          <button type="button" className="button" onClick={onClose}>
            Cancel
          </button>
          <button type="submit" className="button danger" disabled={isBusy || password === ""}>
            Delete account
          </button>
        </div>
      </form>
    </Modal>
  );
}
