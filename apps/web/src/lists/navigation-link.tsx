import { useEffect, useRef, type CSSProperties, type ReactNode, type Ref } from "react";
import { Icon, type IconName } from "../ui/icon.tsx";
import { viewAddress, type View } from "../workspace/view.ts";

interface NavigationLinkProps {
  view: View;
  /** The view that is on the page now. */
  shown: View;
  children: string;
  icon?: IconName;
  /** Open tasks. */
  count?: number;
  before?: ReactNode;
  itemRef?: Ref<HTMLLIElement>;
  itemStyle?: CSSProperties;
  isDragging?: boolean;
}

/** One entry of the navigation, with the number of open tasks. */
export function NavigationLink(props: NavigationLinkProps) {
  const { view, shown, children, icon, count = 0, before, itemRef, itemStyle } = props;
  const address = viewAddress(view);
  const isShown = address === viewAddress(shown);
  const link = useRef<HTMLAnchorElement>(null);

  // On a phone the navigation is a strip that is wider than the page.
  useEffect(() => {
    if (isShown) link.current?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [isShown]);

  return (
    <li
      ref={itemRef}
      className="navigation-item"
      style={itemStyle}
      data-dragging={props.isDragging === true || undefined}
    >
      {before}
      <a ref={link} href={address} aria-current={isShown ? "page" : undefined}>
        {icon === undefined ? <span className="list-dot" /> : <Icon name={icon} />}
        <span className="navigation-name">{children}</span>
      </a>
      {count > 0 && (
        <span className="count" aria-hidden="true">
          {count.toLocaleString()}
        </span>
      )}
    </li>
  );
}
