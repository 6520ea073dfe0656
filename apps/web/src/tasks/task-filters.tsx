import { Icon } from "../ui/icon.tsx";
import type { StatusFilter } from "./arrange.ts";

const STATUSES: readonly { value: StatusFilter; label: string }[] = [
  { value: "all", label: "All" },
  { value: "pending", label: "Open" },
  { value: "completed", label: "Completed" },
];

interface TaskFiltersProps {
  status: StatusFilter;
  onStatus: (status: StatusFilter) => void;
  search: string;
  onSearch: (search: string) => void;
}

/** Which tasks of the view are shown. */
export function TaskFilters({ status, onStatus, search, onSearch }: TaskFiltersProps) {
  return (
    <div className="filters">
      <fieldset className="segments">
        <legend className="visually-hidden">Show</legend>
        {STATUSES.map(({ value, label }) => (
          <label key={value} className="segment">
            <input
              type="radio"
              name="status"
              checked={status === value}
              onChange={() => {
                onStatus(value);
              }}
            />
            <span>{label}</span>
          </label>
        ))}
      </fieldset>
      <label className="search">
        <Icon name="search" />
        <input
          id="search"
          type="search"
          aria-label="Search"
          placeholder="Search"
          value={search}
          autoComplete="off"
          onChange={(event) => {
            onSearch(event.target.value);
          }}
          onKeyDown={(event) => {
            if (event.key !== "Escape") return;
            onSearch("");
            event.currentTarget.blur();
          }}
        />
        <kbd className="hint-key" aria-hidden="true">
          /
        </kbd>
      </label>
    </div>
  );
}
