/** The part of a Better Auth error that is used here. `retryAfterSeconds` comes from the header of a 429. */
export interface AuthFailure {
  status: number;
  code?: string | undefined;
  message?: string | undefined;
  retryAfterSeconds?: number | undefined;
}

export type AuthField = "name" | "email" | "password";

/** One sentence, and the field that it belongs to; null for the form as a whole. */
export interface AuthFault {
  field: AuthField | null;
  message: string;
}

const EMAIL_TAKEN: AuthFault = {
  field: "email",
  message: "There is an account with this email already. Sign in instead.",
};

const FAULTS: Record<string, AuthFault> = {
  INVALID_EMAIL_OR_PASSWORD: {
    field: "password",
    message: "The email or the password is wrong.",
  },
  INVALID_PASSWORD: { field: "password", message: "The password is wrong." },
  NAME_TOO_LONG: { field: "name", message: "This name is too long." },
  EMAIL_TOO_LONG: { field: "email", message: "This email address is too long." },
  INVALID_EMAIL: { field: "email", message: "This is not an email address." },
  PASSWORD_TOO_SHORT: { field: "password", message: "A password has at least 8 characters." },
  PASSWORD_TOO_LONG: { field: "password", message: "A password has at most 128 characters." },
  USER_ALREADY_EXISTS: EMAIL_TAKEN,
  USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL: EMAIL_TAKEN,
};

const UNREACHABLE: AuthFault = {
  field: null,
  message: "The sign-in service cannot be reached. Check your connection and try again.",
};

/** Say in a sentence why Better Auth refused, and beside which field. */
export function describeAuthFailure(failure: AuthFailure): AuthFault {
  if (failure.status === 429) {
    const seconds = failure.retryAfterSeconds;
    const when = seconds === undefined ? "in a minute" : `in ${seconds.toString()} seconds`;
    return { field: null, message: `Too many attempts. Try again ${when}.` };
  }
  if (failure.status === 0 || failure.status >= 500) return UNREACHABLE;
  const otherFault = { field: null, message: failure.message ?? "Signing in failed. Try again." };
  return FAULTS[failure.code ?? ""] ?? otherFault;
}
