import { useEffect, useState } from "react";
import { IconButton } from "../ui/icon-button.tsx";
import { dismissNotice, useAnnouncement, useNotices, type Notice } from "./notices.ts";

/** Undo must be there for at least eight seconds. */
const SHOWN_MILLISECONDS = 10_000;

/** The messages at the bottom, and the announcements for screen readers. */
export function NoticeArea() {
  const notices = useNotices();
  const announcement = useAnnouncement();
  return (
    <>
      {/* Not role="status": the page has one status region, the state of the synchronization. */}
      <div className="visually-hidden" aria-live="assertive">
        {announcement}
      </div>
      <div className="notices" aria-live="polite">
        {notices.map((notice) => (
          <NoticeCard key={notice.id} notice={notice} />
        ))}
      </div>
    </>
  );
}

function NoticeCard({ notice }: { notice: Notice }) {
  const [isHeld, setIsHeld] = useState(false);

  useEffect(() => {
    if (isHeld) return;
    const timer = setTimeout(() => {
      dismissNotice(notice.id);
    }, SHOWN_MILLISECONDS);
    return () => {
      clearTimeout(timer);
    };
  }, [isHeld, notice.id]);

  const { action } = notice;
  const hold = () => {
    setIsHeld(true);
  };
  const release = () => {
    setIsHeld(false);
  };
  return (
    <div
      className="notice-card"
      onPointerEnter={hold}
      onPointerLeave={release}
      onFocus={hold}
      onBlur={release}
    >
      <span className="notice-text">{notice.text}</span>
      {action !== undefined && (
        <button
          type="button"
          className="notice-action"
          onClick={() => {
            action.run();
            dismissNotice(notice.id);
          }}
        >
          {action.label}
        </button>
      )}
      <IconButton
        icon="close"
        label="Dismiss"
        onClick={() => {
          dismissNotice(notice.id);
        }}
      />
    </div>
  );
}
