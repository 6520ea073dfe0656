import { useEffect, useEffectEvent, useRef, useState } from "react";

const PAUSE_MILLISECONDS = 800;

interface UnsavedText {
  text: string;
  /** What the field showed when typing began. */
  seen: string;
}

interface Draft {
  text: string;
  change: (text: string) => void;
  /** Save at once what was typed. */
  flush: () => void;
}

/**
 * The text of a field that saves itself: after a pause in typing, when the field is left, and when it goes away.
 *
 * `save` also gets the text that the field showed when typing began, so that a change made elsewhere meanwhile is found.
 */
export function useDraft(stored: string, save: (text: string, seen: string) => void): Draft {
  const [draft, setDraft] = useState<UnsavedText | null>(null);
  // The state of a render can be older than the last key.
  const latest = useRef<UnsavedText | null>(null);

  function flush() {
    const current = latest.current;
    if (current === null) return;
    latest.current = null;
    setDraft(null);
    if (current.text !== current.seen) save(current.text, current.seen);
  }

  const flushLatest = useEffectEvent(flush);
  useEffect(() => {
    if (draft === null) return;
    const timer = setTimeout(flushLatest, PAUSE_MILLISECONDS);
    return () => {
      clearTimeout(timer);
    };
  }, [draft]);
  useEffect(() => {
    const onHide = () => {
      flushLatest();
    };
    window.addEventListener("pagehide", onHide);
    return () => {
      window.removeEventListener("pagehide", onHide);
      flushLatest();
    };
  }, []);

  return {
    text: draft?.text ?? stored,
    change: (text) => {
      latest.current = { text, seen: latest.current?.seen ?? stored };
      setDraft(latest.current);
    },
    flush,
  };
}
