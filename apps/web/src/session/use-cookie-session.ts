import { useEffect } from "react";
import { auth } from "../platform.ts";
import { endSession, startSession, useSession } from "./session.ts";

/** When no account is remembered, ask once whether there is a session all the same: storage may be forbidden or cleared. */
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
