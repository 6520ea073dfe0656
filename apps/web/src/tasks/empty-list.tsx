import { SyncNotices } from "../sync/sync-notices.tsx";
import { Icon, type IconName } from "../ui/icon.tsx";
import { viewUrl, type View } from "../workspace/view.ts";
import type { StatusFilter } from "./arrange.ts";

interface EmptyListProps {
  view: View;
  status: StatusFilter;
  search: string;
}

/** What stands in place of the list when there is nothing in it. */
export function EmptyList({ view, status, search }: EmptyListProps) {
  const { icon, title, text } = emptyWords(view, status, search);
  return (
    <div className="empty">
      <span className="empty-icon">
        <Icon name={icon} />
      </span>
      <h2>{title}</h2>
      <p className="quiet">{text}</p>
      {search !== "" && view.kind !== "all" && (
        <a className="button" href={viewUrl({ kind: "all" })}>
          Look in all tasks
        </a>
      )}
    </div>
  );
}

/** The page of a list that was deleted, or never was; until the copy is loaded, that is not known. */
export function MissingList({ isLoaded }: { isLoaded: boolean }) {
  return (
    <main className="page">
      <SyncNotices />
      {isLoaded && (
        <div className="empty">
          <span className="empty-icon">
            <Icon name="inbox" />
          </span>
          <h1>This list does not exist any more</h1>
          <p className="quiet">If its tasks were kept, they are in the Inbox.</p>
          <a className="button" href={viewUrl({ kind: "inbox" })}>
            Inbox
          </a>
        </div>
      )}
    </main>
  );
}

function emptyWords(
  view: View,
  status: StatusFilter,
  search: string,
): { icon: IconName; title: string; text: string } {
  if (search !== "")
    return { icon: "search", title: "No match", text: `Nothing here contains “${search}”.` };
  if (status === "completed")
    return { icon: "check", title: "Nothing completed yet", text: "What you tick off waits here." };
  if (status === "pending")
    return { icon: "check", title: "All done", text: "No open task is left here." };
  if (view.kind === "today")
    return { icon: "sun", title: "Nothing due today", text: "Enjoy the quiet, or plan something." };
  if (view.kind === "label")
    return { icon: "label", title: "No task has this label", text: "Add one above." };
  return {
    icon: "inbox",
    title: "A clean slate",
    text: "Type what is on your mind above and press Enter.",
  };
}
