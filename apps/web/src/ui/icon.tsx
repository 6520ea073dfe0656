const PATHS = {
  calendar: "M5 6.5h14v13H5zM5 10.5h14M8.5 4v4M15.5 4v4",
  check: "m5.5 12.5 4.5 4.5 8.5-10",
  checklist: "m4.5 7 1.5 1.5L9 5.5M12.5 7h7M4.5 16.5 6 18l3-3M12.5 16.5h7",
  clear: "m5.5 8.5 2.5 2.5L13 5.5M5 19h14M15.5 9l4 4m0-4-4 4",
  close: "m6.5 6.5 11 11m0-11-11 11",
  details: "M4.5 5.5h15v13h-15zM14 5.5v13",
  download: "M12 4.5v11m-4.5-4.5 4.5 4.5 4.5-4.5M5 19.5h14",
  edit: "m5 19 1-4L16.5 4.5l3 3L9 18Zm9.5-12.5 3 3",
  flag: "M6.5 20V4.5h10l-2 3.7 2 3.8h-10",
  grip: "M9 6.5h.01M15 6.5h.01M9 12h.01M15 12h.01M9 17.5h.01M15 17.5h.01",
  inbox: "M4.5 13.5 7 5.5h10l2.5 8v5.5h-15Zm0 0H9c.3 1.7 1.4 2.6 3 2.6s2.7-.9 3-2.6h4.5",
  keyboard: "M3.5 6.5h17v11h-17zM7 10h.01M10.5 10h.01M14 10h.01M17 10h.01M8 14h8",
  label: "M4.5 4.5h7l8 8-7 7-8-8ZM8.5 8.5h.01",
  layers: "m12 4.5 8 4.2-8 4.2-8-4.2Zm-8 8.3 8 4.2 8-4.2",
  more: "M6 12h.01M12 12h.01M18 12h.01",
  note: "M6 7.5h12M6 12h12M6 16.5h7",
  plus: "M12 5.5v13M5.5 12h13",
  repeat:
    "M17 3.5 20 6.5 17 9.5M20 6.5H8a4 4 0 0 0-4 4v1M7 20.5 4 17.5 7 14.5M4 17.5h12a4 4 0 0 0 4-4v-1",
  search: "M10.5 17a6.5 6.5 0 1 0 0-13 6.5 6.5 0 0 0 0 13Zm4.8-1.7 4.7 4.7",
  signOut: "M10 5H5.5v14H10M14.5 8l4 4-4 4M18 12H9.5",
  sun: "M12 16a4 4 0 1 0 0-8 4 4 0 0 0 0 8Zm0-12.5v1.2m0 14.6v1.2M3.5 12h1.2m14.6 0h1.2M6 6l.9.9m10.2 10.2.9.9M6 18l.9-.9m10.2-10.2.9-.9",
  trash: "M5 7h14M9.5 7V4.5h5V7M7 7l.8 12.5h8.4L17 7M10.5 10.5v5.5m3-5.5v5.5",
  upload: "M12 15.5v-11M7.5 9 12 4.5 16.5 9M5 19.5h14",
  warning: "M12 4.5 20.5 19h-17Zm0 5.5v4m0 2.5h.01",
} as const;

export type IconName = keyof typeof PATHS;

/** A line drawing beside a text or in a named button; screen readers skip it. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg className={`icon icon-${name}`} viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={PATHS[name]} />
    </svg>
  );
}
