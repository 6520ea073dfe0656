import { useEffect, useMemo, useState } from "react";
import type { Repeat } from "./repeat.ts";

type NextDates = (typeof import("./next-dates.ts"))["nextDates"];

const DATES_MAX = 3;

/** The next dates of a repeating task; null until the library that computes them is there. */
export function useNextDates(
  repeat: Repeat,
  from: "due" | "completion",
  due: string,
  today: string,
): string[] | null {
  const [compute, setCompute] = useState<NextDates | null>(null);
  useEffect(() => {
    let isWanted = true;
    import("./next-dates.ts").then(
      ({ nextDates }) => {
        if (isWanted) setCompute(() => nextDates);
      },
      () => {
        // Offline, and not fetched before: the rule in words must do.
      },
    );
    return () => {
      isWanted = false;
    };
  }, []);
  return useMemo(
    () => compute?.(repeat, from, due, today, DATES_MAX) ?? null,
    [compute, repeat, from, due, today],
  );
}
