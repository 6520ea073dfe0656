import { describeProblem } from "../describe-problem.ts";
import { auth, client } from "../platform.ts";
import { describeAuthFailure, type AuthFailure } from "../sign-in/auth-errors.ts";

export interface DeletionResult {
  /** Why it is not complete, in a sentence; null when the account is gone on both sides. */
  fault: string | null;
  areTasksErased: boolean;
}

/**
 * Delete what the platform has of the user, then the account of Better Auth.
 *
 * In this order, because without the account there would be no token for the first step. It can be repeated: erasing
 * twice is no error. Signing in first finds a wrong password before anything is deleted.
 */
export async function deleteAccount(email: string, password: string): Promise<DeletionResult> {
  const signInFault = await faultOf(() => auth.signIn.email({ email, password }));
  if (signInFault !== null) return { fault: signInFault, areTasksErased: false };

  try {
    await client.users.eraseMe();
  } catch (error) {
    return { fault: describeProblem(error), areTasksErased: false };
  }
  const deletionFault = await faultOf(() => auth.deleteUser({ password }));
  return { fault: deletionFault, areTasksErased: true };
}

async function faultOf(
  request: () => Promise<{ error: AuthFailure | null }>,
): Promise<string | null> {
  try {
    const { error } = await request();
    if (error === null) return null;
    // The form has no email that could be wrong.
    const code = error.code === "INVALID_EMAIL_OR_PASSWORD" ? "INVALID_PASSWORD" : error.code;
    return describeAuthFailure({ ...error, code }).message;
  } catch {
    return describeAuthFailure({ status: 0 }).message;
  }
}
