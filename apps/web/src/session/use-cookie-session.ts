import { useEffect } from "react";
import { auth } from "../platform.ts";
import { startSession, endSession, useSession } from "./session.ts";

/** When nobody is remembered, ask once whether the cookie belongs to somebody: storage may be forbidden or cleared. */
export function useCookieSession(): void {
  const { state } = useSession();
  useEffect(() => {
    if (state !== "unknown") return;
    void findSession();
  }, [state]);
}

async function findSession(): Promise<void> {
  const { data } = await auth.getSession().catch(() => ({ data: null }));
  if (data?.user) startSession(data.user);
  else endSession();
}
