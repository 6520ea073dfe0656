import { useId, useRef, type ReactNode } from "react";
import { Icon, type IconName } from "./icon.tsx";

interface MenuProps {
  /** The accessible name of the button that opens the menu. */
  label: string;
  button: ReactNode;
  buttonClassName: string;
  children: ReactNode;
}

/** A button and the native popover that it opens; a choice, Escape or a click elsewhere closes it. */
export function Menu({ label, button, buttonClassName, children }: MenuProps) {
  const id = useId();
  const popover = useRef<HTMLDivElement>(null);
  return (
    <span className="menu">
      <button
        type="button"
        className={buttonClassName}
        aria-label={label}
        title={label}
        popoverTarget={id}
      >
        {button}
      </button>
      <div
        ref={popover}
        id={id}
        popover="auto"
        className="menu-popover"
        onClick={(event) => {
          if ((event.target as Element).closest("button")) popover.current?.hidePopover();
        }}
      >
        {children}
      </div>
    </span>
  );
}

interface MenuItemProps {
  icon: IconName;
  isDisabled?: boolean;
  /** Whether the choice deletes something. */
  isDangerous?: boolean;
  /** Whether it is of use with a keyboard only, and hidden on a phone. */
  isForKeyboards?: boolean;
  onClick: () => void;
  children: string;
}

/** One choice of a menu. */
export function MenuItem(props: MenuItemProps) {
  const { icon, isDangerous = false, isForKeyboards = false, isDisabled = false } = props;
  const { onClick, children } = props;
  let className: string | undefined;
  if (isDangerous) className = "danger-text";
  if (isForKeyboards) className = "for-keyboards";
  return (
    <button type="button" className={className} disabled={isDisabled} onClick={onClick}>
      <Icon name={icon} />
      {children}
    </button>
  );
}
