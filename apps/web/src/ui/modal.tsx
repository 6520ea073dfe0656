import { useEffect, useId, useRef, type ReactNode } from "react";
import { IconButton } from "./icon-button.tsx";

interface ModalProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
  /** A sheet slides in from below on narrow screens; a card stands in the middle. */
  shape?: "card" | "sheet";
  /** The first field gets the focus instead of the heading. */
  hasFields?: boolean;
}

/** A native modal dialog that is open for as long as it is rendered; Escape and a click beside it close it. */
export function Modal({ title, onClose, children, shape = "card", hasFields = false }: ModalProps) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const titleId = useId();

  useEffect(() => {
    const element = dialog.current;
    const before = document.activeElement;
    element?.showModal();
    // Not the button "Close", which the browser would choose.
    const field = element?.querySelector<HTMLElement>("input:not([type=radio])");
    (hasFields ? field : heading.current)?.focus();
    return () => {
      element?.close();
      // The browser does that for a dialog that is closed, but not for one that is removed.
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, [hasFields]);

  return (
    <dialog
      ref={dialog}
      className={`modal modal-${shape}`}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        onClose();
      }}
      onClick={(event) => {
        if (event.target === event.currentTarget) onClose();
      }}
    >
      <div className="modal-content">
        <div className="modal-header">
          <h2 id={titleId} ref={heading} tabIndex={-1}>
            {title}
          </h2>
          <IconButton icon="close" label="Close" onClick={onClose} />
        </div>
        {children}
      </div>
    </dialog>
  );
}
