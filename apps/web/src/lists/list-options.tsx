import type { List } from "@task-platform/client";
import { useLists, useTaskStore } from "@task-platform/client/react";
import { Suspense, useState } from "react";
import { Icon } from "../ui/icon.tsx";
import { Menu } from "../ui/menu.tsx";
import { listNameFault } from "./list-name.ts";
import { lazyPart } from "../ui/lazy-part.tsx";

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
        <button
          type="button"
          onClick={() => {
            setDialog("rename");
          }}
        >
          <Icon name="edit" />
          Rename list
        </button>
        <button
          type="button"
          className="danger-text"
          onClick={() => {
            setDialog("delete");
          }}
        >
          <Icon name="trash" />
          Delete list
        </button>
      </Menu>
      <Suspense fallback={null}>
        {dialog === "rename" && (
          <RenameDialog
            title="Rename list"
            name={list.name}
            findFault={(name) => listNameFault(name, others)}
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
