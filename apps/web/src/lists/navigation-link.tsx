import { useEffect, useRef, type CSSProperties, type ReactNode, type Ref } from "react";
import { Icon, type IconName } from "../ui/icon.tsx";
import { viewUrl, type View } from "../workspace/view.ts";

interface NavigationLinkProps {
  view: View;
  /** The view that is on the page now. */
  currentView: View;
  children: string;
  icon?: IconName;
  /** Open tasks. */
  count?: number;
  /** What the entry is dragged by. */
  handle?: ReactNode;
  itemRef?: Ref<HTMLLIElement>;
  itemStyle?: CSSProperties;
  isDragging?: boolean;
}

/** One entry of the navigation, with the number of open tasks. */
export function NavigationLink(props: NavigationLinkProps) {
  const { view, currentView, children, icon, count = 0, handle, itemRef, itemStyle } = props;
  const url = viewUrl(view);
  const isCurrent = url === viewUrl(currentView);
  const link = useRef<HTMLAnchorElement>(null);

  // On a phone the navigation is a strip that is wider than the page.
  useEffect(() => {
    if (isCurrent) link.current?.scrollIntoView({ block: "nearest", inline: "center" });
  }, [isCurrent]);

  return (
    <li
      ref={itemRef}
      className="navigation-item"
      style={itemStyle}
      data-dragging={props.isDragging === true || undefined}
    >
      {handle}
      <a ref={link} href={url} aria-current={isCurrent ? "page" : undefined}>
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
