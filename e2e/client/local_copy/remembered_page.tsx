import { forgetUser, type SessionResult, useRememberedUser } from "@task-platform/client/react";
import { StrictMode, useEffect, useState } from "react";
import { flushSync } from "react-dom";
import { createRoot } from "react-dom/client";

declare global {
  interface Window {
    setSession: (session: SessionResult) => void;
    forgetUser: () => Promise<void>;
  }
}

const tokens = { get: () => Promise.resolve(""), forget: () => undefined };
const store = { erase: () => Promise.resolve() };
window.forgetUser = () => forgetUser({ tokens }, store);

/** Shows who is remembered, for the answers of the sign-in that a test makes up. */
function App() {
  const [session, setSession] = useState<SessionResult>({
    data: null,
    isPending: true,
    error: null,
  });
  useEffect(() => {
    // With its effects, which remember the user: a test may reload the page right after.
    window.setSession = (answer) => {
      flushSync(() => {
        setSession(answer);
      });
    };
  }, []);
  const { user, isPending } = useRememberedUser(session);
  return <output>{isPending ? "pending" : (user ?? "nobody")}</output>;
}

createRoot(document.body.appendChild(document.createElement("main"))).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
