import { useLabels, useTaskStore } from "@task-platform/client/react";
import { Suspense, useState } from "react";
import { showNotice } from "../notices/notices.ts";
import { Icon } from "../ui/icon.tsx";
import { Menu } from "../ui/menu.tsx";
import { showView } from "../workspace/view.ts";
import { lazyPart } from "../ui/lazy-part.tsx";

const RenameDialog = lazyPart(async () => (await import("../ui/rename-dialog.tsx")).RenameDialog);

/** What can be done with the label that is on the page. */
export function LabelOptions({ name }: { name: string }) {
  const store = useTaskStore();
  const { labels } = useLabels();
  const [isRenaming, setIsRenaming] = useState(false);
  const label = labels.find((other) => other.name === name);
  if (label === undefined) return null;

  function findFault(wanted: string): string | null {
    const text = wanted.trim();
    if (text === "") return "A label needs a name.";
    if (Array.from(text).length > 50) return "A name has at most 50 characters.";
    const isTaken = labels.some(
      (other) => other.name !== name && other.name.toLowerCase() === text.toLowerCase(),
    );
    return isTaken ? "You have a label with this name already." : null;
  }

  function deleteLabel(id: string) {
    store.deleteLabel(id);
    showView({ kind: "all" });
    showNotice(`Removed the label “${name}” from all tasks`);
  }

  return (
    <>
      <Menu label="Label options" buttonClassName="icon-button" button={<Icon name="more" />}>
        <button
          type="button"
          onClick={() => {
            setIsRenaming(true);
          }}
        >
          <Icon name="edit" />
          Rename label
        </button>
        <button
          type="button"
          className="danger-text"
          onClick={() => {
            deleteLabel(label.id);
          }}
        >
          <Icon name="trash" />
          Remove from all tasks
        </button>
      </Menu>
      <Suspense fallback={null}>
        {isRenaming && (
          <RenameDialog
            title="Rename label"
            name={name}
            findFault={findFault}
            onRename={(text) => {
              store.changeLabel(label.id, { name: text });
              showView({ kind: "label", name: text });
            }}
            onClose={() => {
              setIsRenaming(false);
            }}
          />
        )}
      </Suspense>
    </>
  );
}
