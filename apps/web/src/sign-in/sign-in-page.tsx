import { useSyncStatus } from "@task-platform/client/react";
import { useState, type SyntheticEvent } from "react";
import { isKnownBrowser, useSession } from "../session/session.ts";
import { authenticate } from "./authenticate.ts";
import type { AuthFault } from "./auth-errors.ts";
import { SignInField } from "./sign-in-field.tsx";

type Mode = "sign-up" | "sign-in";

/** The first page. Whoever was signed in before is asked to sign in again, with a word about unsaved edits. */
export function SignInPage() {
  const { account } = useSession();
  const [mode, setMode] = useState<Mode>(isKnownBrowser() ? "sign-in" : "sign-up");
  const [isBusy, setIsBusy] = useState(false);
  const [fault, setFault] = useState<AuthFault | null>(null);
  const [name, setName] = useState("");
  const [email, setEmail] = useState(account?.email ?? "");
  const [password, setPassword] = useState("");
  const isNew = mode === "sign-up";

  async function submit(as: Mode) {
    setIsBusy(true);
    setFault(null);
    setFault(await authenticate(as, { name: name.trim(), email: email.trim(), password }));
    setIsBusy(false);
  }

  function onSubmit(event: SyntheticEvent) {
    event.preventDefault();
    void submit(mode);
  }

  function switchMode() {
    const other = isNew ? "sign-in" : "sign-up";
    setMode(other);
    setFault(null);
    // Somebody with an account often fills in the first form that is there.
    if (other === "sign-in" && email !== "" && password !== "") void submit(other);
  }

  return (
    <main className="sign-in">
      <div className="sign-in-card">
        <img className="sign-in-mark" src="/assets/icon.svg" alt="" width="48" height="48" />
        <h1>{isNew ? "A calm place for your tasks" : "Welcome back"}</h1>
        {account === null ? (
          <p className="quiet">Fast, private, and there without a network.</p>
        ) : (
          <EndedSession />
        )}
        <form onSubmit={onSubmit} noValidate>
          {isNew && (
            <SignInField
              label="Name"
              value={name}
              onChange={setName}
              fault={fault?.field === "name" ? fault.message : null}
              autoComplete="name"
            />
          )}
          <SignInField
            label="Email"
            type="email"
            value={email}
            onChange={setEmail}
            fault={fault?.field === "email" ? fault.message : null}
            autoComplete="username"
          />
          <SignInField
            label="Password"
            type="password"
            value={password}
            onChange={setPassword}
            fault={fault?.field === "password" ? fault.message : null}
            autoComplete={isNew ? "new-password" : "current-password"}
            hint={isNew ? "At least 8 characters" : null}
          />
          {fault !== null && fault.field === null && (
            <p className="fault" role="alert">
              {fault.message}
            </p>
          )}
          <button type="submit" className="button primary" disabled={isBusy}>
            {isNew ? "Sign up" : "Sign in"}
          </button>
        </form>
        <p className="sign-in-switch">
          {isNew ? "Have an account?" : "New here?"}{" "}
          <button type="button" className="link" onClick={switchMode} disabled={isBusy}>
            {isNew ? "Sign in" : "Sign up"}
          </button>
        </p>
      </div>
    </main>
  );
}

function EndedSession() {
  const { pending } = useSyncStatus();
  const edits = pending === 1 ? "One edit is" : `${pending.toString()} edits are`;
  return (
    <p className="notice" role="alert">
      Your session has ended. Sign in again to go on.
      {pending > 0 && ` ${edits} not saved yet and will be when you are back.`}
    </p>
  );
}
