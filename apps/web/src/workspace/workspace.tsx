import { Suspense, useState } from "react";
import { AccountMenu } from "../account/account-menu.tsx";
import { ListNavigation } from "../lists/list-navigation.tsx";
import type { Account } from "../session/session.ts";
import { ConflictDialog } from "../sync/conflict-dialog.tsx";
import { SyncState } from "../sync/sync-state.tsx";
import { TaskPage } from "../tasks/task-page.tsx";
import { lazyPart } from "../ui/lazy-part.tsx";
import { useShortcuts } from "./shortcuts.ts";
import { useView, viewUrl } from "./view.ts";

const ShortcutsDialog = lazyPart(
  async () => (await import("./shortcuts-dialog.tsx")).ShortcutsDialog,
);

/** The page of the signed-in user. */
export function Workspace({ account }: { account: Account }) {
  const view = useView();
  const [areShortcutsShown, setAreShortcutsShown] = useState(false);
  const showShortcuts = () => {
    setAreShortcutsShown(true);
  };
  useShortcuts(showShortcuts);
  return (
    <div className="workspace">
      <div className="sidebar">
        <header className="top-bar">
          <img src="/assets/icon.svg" alt="" width="28" height="28" />
          <SyncState />
          <AccountMenu account={account} onShowShortcuts={showShortcuts} />
        </header>
        <ListNavigation view={view} />
        <p id="reorder-help" hidden>
          Press Space to pick up, the arrow keys to move, Space to drop, Escape to cancel.
        </p>
      </div>
      <TaskPage key={viewUrl(view)} view={view} />
      <ConflictDialog />
      <Suspense fallback={null}>
        {areShortcutsShown && (
          <ShortcutsDialog
            onClose={() => {
              setAreShortcutsShown(false);
            }}
          />
        )}
      </Suspense>
    </div>
  );
}
