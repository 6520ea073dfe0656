import { useState, type SyntheticEvent } from "react";
import { useUnsavedEdits } from "../account/unsaved-edits.ts";
import { isKnownBrowser, useSession } from "../session/session.ts";
import { describeUnsavedEdits } from "../sync/describe-value.ts";
import { Fault } from "../ui/fault.tsx";
import { authenticate } from "./authenticate.ts";
import type { AuthFault } from "./auth-errors.ts";
import { SignInField } from "./sign-in-field.tsx";

type Mode = "sign-up" | "sign-in";

/** The first page. After a session has ended, it says so, and how many edits are not saved yet. */
export function SignInPage() {
  const { account } = useSession();
  const [mode, setMode] = useState<Mode>(isKnownBrowser() ? "sign-in" : "sign-up");
  const [isBusy, setIsBusy] = useState(false);
  const [faults, setFaults] = useState<readonly AuthFault[]>([]);
  const [name, setName] = useState("");
  const [email, setEmail] = useState(account?.email ?? "");
  const [password, setPassword] = useState("");
  const isNew = mode === "sign-up";

  /** What is wrong with a field, or with the form as a whole. */
  function messageFor(field: AuthFault["field"]): string | null {
    return faults.find((fault) => fault.field === field)?.message ?? null;
  }

  async function submit(event: SyntheticEvent) {
    event.preventDefault();
    setIsBusy(true);
    setFaults([]);
    setFaults(await authenticate(mode, { name: name.trim(), email: email.trim(), password }));
    setIsBusy(false);
  }

  function switchMode() {
    setMode(isNew ? "sign-in" : "sign-up");
    setFaults([]);
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
        <form onSubmit={(event) => void submit(event)} noValidate>
          {isNew && (
            <SignInField
              label="Name"
              value={name}
              onChange={setName}
              fault={messageFor("name")}
              autoComplete="name"
            />
          )}
          <SignInField
            label="Email"
            type="email"
            value={email}
            onChange={setEmail}
            fault={messageFor("email")}
            autoComplete="username"
          />
          <SignInField
            label="Password"
            type="password"
            value={password}
            onChange={setPassword}
            fault={messageFor("password")}
            autoComplete={isNew ? "new-password" : "current-password"}
            hint={isNew ? "At least 8 characters" : null}
          />
          <Fault message={messageFor(null)} />
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
  const { count } = useUnsavedEdits();
  return (
    <p className="notice" role="alert">
      Your session has ended. Sign in again to go on.
      {count > 0 && ` ${describeUnsavedEdits(count)} not saved yet and will be when you are back.`}
    </p>
  );
}
