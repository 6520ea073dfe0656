import type { List } from "@task-platform/client";
import { useLists, useTaskStore } from "@task-platform/client/react";
import { Suspense, useState } from "react";
import { Icon } from "../ui/icon.tsx";
import { lazyPart } from "../ui/lazy-part.tsx";
import { Menu, MenuItem } from "../ui/menu.tsx";
import { nameFault } from "../ui/name-fault.ts";
import { BulkItems } from "./bulk-items.tsx";

const RenameDialog = lazyPart(async () => (await import("../ui/rename-dialog.tsx")).RenameDialog);
const DeleteListDialog = lazyPart(
  async () => (await import("./delete-list-dialog.tsx")).DeleteListDialog,
);

/** What can be done with the list that is on the page. */
export function ListOptions({ list }: { list: List }) {
  const store = useTaskStore();
  const { lists } = useLists();
  const others = lists.filter(({ id }) => id !== list.id);
  const [dialog, setDialog] = useState<"rename" | "delete" | null>(null);
  const close = () => {
    setDialog(null);
  };
  return (
    <>
      <Menu label="List options" buttonClassName="icon-button" button={<Icon name="more" />}>
        <MenuItem
          icon="edit"
          onClick={() => {
            setDialog("rename");
          }}
        >
          Rename list
        </MenuItem>
        <BulkItems listId={list.id} />
        <MenuItem
          icon="trash"
          isDangerous
          onClick={() => {
            setDialog("delete");
          }}
        >
          Delete list
        </MenuItem>
      </Menu>
      <Suspense fallback={null}>
        {dialog === "rename" && (
          <RenameDialog
            title="Rename list"
            name={list.name}
            findFault={(name) => nameFault("list", name, others)}
            onRename={(name) => {
              store.changeList(list.id, { name });
            }}
            onClose={close}
          />
        )}
        {dialog === "delete" && <DeleteListDialog list={list} onClose={close} />}
      </Suspense>
    </>
  );
}
