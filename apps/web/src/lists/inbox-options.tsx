import { Icon } from "../ui/icon.tsx";
import { Menu } from "../ui/menu.tsx";
import { BulkItems } from "./bulk-items.tsx";

/** What can be done with the inbox, which has no name of its own and stays. */
export function InboxOptions() {
  return (
    <Menu label="Inbox options" buttonClassName="icon-button" button={<Icon name="more" />}>
      <BulkItems listId={null} />
    </Menu>
  );
}
