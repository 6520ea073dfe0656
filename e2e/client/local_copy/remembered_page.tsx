import { forgetUser, type SessionResult, useRememberedUser } from "@task-platform/client/react";
import { StrictMode, useEffect, useState } from "react";
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
    window.setSession = setSession;
  }, []);
  const { user, isPending } = useRememberedUser(session);
  return <output>{isPending ? "pending" : (user ?? "nobody")}</output>;
}

createRoot(document.body.appendChild(document.createElement("main"))).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
