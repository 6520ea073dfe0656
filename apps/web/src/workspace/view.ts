import { useEffect, useSyncExternalStore } from "react";

/** What the page shows; it is in the fragment of the URL. */
export type View =
  | { kind: "inbox" }
  | { kind: "today" }
  | { kind: "all" }
  | { kind: "list"; id: string }
  | { kind: "label"; name: string };

/** The URL of a view, for links: a fragment. */
export function viewUrl(view: View): string {
  switch (view.kind) {
    case "inbox":
      return "#/";
    case "today":
      return "#/today";
    case "all":
      return "#/all";
    case "list":
      return `#/lists/${encodeURIComponent(view.id)}`;
    case "label":
      return `#/labels/${encodeURIComponent(view.name)}`;
  }
}

/** The view that a fragment names; the inbox if it names none. */
export function readView(fragment: string): View {
  const [, kind = "", value = ""] = fragment.split("/");
  if (kind === "today" || kind === "all") return { kind };
  try {
    if (kind === "lists" && value !== "") return { kind: "list", id: decodeURIComponent(value) };
    if (kind === "labels" && value !== "")
      return { kind: "label", name: decodeURIComponent(value) };
  } catch {
    // A broken escape sequence names nothing.
  }
  return { kind: "inbox" };
}

export function showView(view: View): void {
  window.location.hash = viewUrl(view);
}

let readFragment = "";
let readResult: View = { kind: "inbox" };

/** The same object for as long as the URL stays. */
function currentView(): View {
  if (window.location.hash !== readFragment) {
    readFragment = window.location.hash;
    readResult = readView(readFragment);
  }
  return readResult;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => {
    window.removeEventListener("hashchange", listener);
  };
}

/** The view of the URL. A fragment that names nothing is replaced, so that the URL says what is shown. */
export function useView(): View {
  const view = useSyncExternalStore(subscribe, currentView);
  useEffect(() => {
    const { hash } = window.location;
    if (view.kind === "inbox" && hash !== "" && hash !== viewUrl(view))
      window.history.replaceState(null, "", viewUrl(view));
  }, [view]);
  return view;
}
