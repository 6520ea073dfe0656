import { auth, client } from "../platform.ts";
import { startSession } from "../session/session.ts";
import { describeAuthFailure, type AuthFault } from "./auth-errors.ts";

export interface Credentials {
  name: string;
  email: string;
  password: string;
}

/** Sign up or in; remembers the account, or returns why not. */
export async function authenticate(
  mode: "sign-up" | "sign-in",
  { name, email, password }: Credentials,
): Promise<AuthFault | null> {
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
    if (error !== null) return describeAuthFailure({ ...error, retryAfterSeconds });
    startSession(data.user);
    return null;
  } catch {
    return describeAuthFailure({ status: 0 });
  }
}
