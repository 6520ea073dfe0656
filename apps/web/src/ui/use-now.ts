import { useEffect, useState } from "react";

const INTERVAL_MILLISECONDS = 30_000;

/** The time, renewed twice a minute, so that a task becomes overdue while one looks at it. */
export function useNow(): Date {
  const [now, setNow] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => {
      setNow(new Date());
    }, INTERVAL_MILLISECONDS);
    return () => {
      clearInterval(timer);
    };
  }, []);
  return now;
}
