import { auth, client } from "../platform.ts";
import { startSession } from "../session/session.ts";
import { focusNextNewTask } from "../tasks/focus-new-task.ts";
import { describeAuthFailure, describeAuthFailures, type AuthFault } from "./auth-errors.ts";

export interface Credentials {
  name: string;
  email: string;
  password: string;
}

/** Sign up or in; remembers the account, or returns why not: nothing if it was possible. */
export async function authenticate(
  mode: "sign-up" | "sign-in",
  { name, email, password }: Credentials,
): Promise<readonly AuthFault[]> {
  // Another user may sign in after a session that has ended by itself.
  client.tokens.forget();
  let retryAfterSeconds: number | undefined;
  const onError = ({ response }: { response: Response }) => {
    const header = response.headers.get("x-retry-after") ?? response.headers.get("retry-after");
    if (header !== null) retryAfterSeconds = Number(header);
  };
  try {
    const { data, error } =
      mode === "sign-up"
        ? await auth.signUp.email({ name, email, password }, { onError })
        : await auth.signIn.email({ email, password }, { onError });
    if (error !== null) return describeAuthFailures({ ...error, retryAfterSeconds });
    focusNextNewTask();
    startSession(data.user);
    return [];
  } catch {
    return [describeAuthFailure({ status: 0 })];
  }
}
