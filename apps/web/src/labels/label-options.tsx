import { useLabels, useTaskStore } from "@task-platform/client/react";
import { Suspense, useState } from "react";
import { showNotice } from "../notices/notices.ts";
import { Icon } from "../ui/icon.tsx";
import { lazyPart } from "../ui/lazy-part.tsx";
import { Menu, MenuItem } from "../ui/menu.tsx";
import { nameFault } from "../ui/name-fault.ts";
import { showView } from "../workspace/view.ts";

const RenameDialog = lazyPart(async () => (await import("../ui/rename-dialog.tsx")).RenameDialog);

/** What can be done with the label that is on the page. */
export function LabelOptions({ name }: { name: string }) {
  const store = useTaskStore();
  const { labels } = useLabels();
  const [isRenaming, setIsRenaming] = useState(false);
  const label = labels.find((other) => other.name === name);
  if (label === undefined) return null;
  const others = labels.filter(({ id }) => id !== label.id);

  function deleteLabel(id: string) {
    store.deleteLabel(id);
    showView({ kind: "all" });
    showNotice(`Removed the label “${name}” from all tasks`);
  }

  return (
    <>
      <Menu label="Label options" buttonClassName="icon-button" button={<Icon name="more" />}>
        <MenuItem
          icon="edit"
          onClick={() => {
            setIsRenaming(true);
          }}
        >
          Rename label
        </MenuItem>
        <MenuItem
          icon="trash"
          isDangerous
          onClick={() => {
            deleteLabel(label.id);
          }}
        >
          Remove from all tasks
        </MenuItem>
      </Menu>
      <Suspense fallback={null}>
        {isRenaming && (
          <RenameDialog
            title="Rename label"
            name={name}
            findFault={(newName) => nameFault("label", newName, others)}
            onRename={(newName) => {
              store.changeLabel(label.id, { name: newName });
              showView({ kind: "label", name: newName });
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
