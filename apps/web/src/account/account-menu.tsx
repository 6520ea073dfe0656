import { useTaskStore } from "@task-platform/client/react";
import { Suspense, useRef, useState } from "react";
import { showNotice } from "../notices/notices.ts";
import type { Account } from "../session/session.ts";
import { lazyPart } from "../ui/lazy-part.tsx";
import { Menu, MenuItem } from "../ui/menu.tsx";
import { signOut } from "./sign-out.ts";
import { findUnsavedEdits } from "./unsaved-edits.ts";

const DeleteAccountDialog = lazyPart(
  async () => (await import("./delete-account-dialog.tsx")).DeleteAccountDialog,
);
const ExportDialog = lazyPart(async () => (await import("./export-dialog.tsx")).ExportDialog);
const ImportDialog = lazyPart(async () => (await import("./import-dialog.tsx")).ImportDialog);
const SignOutDialog = lazyPart(async () => (await import("./sign-out-dialog.tsx")).SignOutDialog);

type OpenDialog = { kind: "export" | "delete" | "sign-out" } | { kind: "import"; file: File };

interface AccountMenuProps {
  account: Account;
  onShowShortcuts: () => void;
}

/** Who is signed in, and what can be done with the account. */
export function AccountMenu({ account, onShowShortcuts }: AccountMenuProps) {
  const store = useTaskStore();
  const fileInput = useRef<HTMLInputElement>(null);
  const [dialog, setDialog] = useState<OpenDialog | null>(null);
  const close = () => {
    setDialog(null);
  };

  async function signOutUnlessUnsaved() {
    if (findUnsavedEdits(store).count > 0) {
      setDialog({ kind: "sign-out" });
      return;
    }
    const fault = await signOut(store);
    if (fault !== null) showNotice(fault);
  }

  return (
    <>
      <Menu
        label="Account"
        buttonClassName="avatar"
        button={<span className="initials" data-initials={initialsOf(account)} />}
      >
        <p className="account-name">
          <strong>{account.name}</strong>
          <span className="quiet">{account.email}</span>
        </p>
        <MenuItem
          icon="download"
          onClick={() => {
            setDialog({ kind: "export" });
          }}
        >
          Export
        </MenuItem>
        <MenuItem icon="upload" onClick={() => fileInput.current?.click()}>
          Import
        </MenuItem>
        <MenuItem icon="keyboard" isForKeyboards onClick={onShowShortcuts}>
          Keyboard shortcuts
        </MenuItem>
        <MenuItem icon="signOut" onClick={() => void signOutUnlessUnsaved()}>
          Sign out
        </MenuItem>
        <MenuItem
          icon="trash"
          isDangerous
          onClick={() => {
            setDialog({ kind: "delete" });
          }}
        >
          Delete account
        </MenuItem>
      </Menu>
      <input
        ref={fileInput}
        type="file"
        hidden
        aria-label="File to import"
        accept=".ndjson,.jsonl,application/x-ndjson"
        onChange={(event) => {
          const file = event.target.files?.[0];
          // The same file may be chosen again after a failure.
          event.target.value = "";
          if (file) setDialog({ kind: "import", file });
        }}
      />
      <Suspense fallback={null}>
        {dialog?.kind === "export" && <ExportDialog onClose={close} />}
        {dialog?.kind === "import" && <ImportDialog file={dialog.file} onClose={close} />}
        {dialog?.kind === "delete" && <DeleteAccountDialog account={account} onClose={close} />}
        {dialog?.kind === "sign-out" && <SignOutDialog onClose={close} />}
      </Suspense>
    </>
  );
}

/** The first letters of the first and the last name, or of the email address. */
function initialsOf({ name, email }: Account): string {
  const words = (name.trim() || email).split(/\s+/);
  const initials = firstCharacter(words[0]);
  if (words.length === 1) return initials.toUpperCase();
  return (initials + firstCharacter(words.at(-1))).toUpperCase();
}

function firstCharacter(word: string | undefined): string {
  return Array.from(word ?? "")[0] ?? "";
}
