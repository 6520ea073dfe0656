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

/** What stands for Better Auth's own words about a field that breaks a rule of its schema. */
const FIELD_MESSAGES: Record<AuthField, string> = {
  name: "This name cannot be used.",
  email: "This is not an email address.",
  password: "Enter a password.",
};

/** Say why Better Auth refused, for each field that it names. */
export function describeAuthFailures(failure: AuthFailure): readonly AuthFault[] {
  // Its message is a list such as "[body.email] Invalid email address; [body.password] Too small: …".
  const fields = Object.keys(FIELD_MESSAGES) as AuthField[];
  const named = fields.filter((field) => failure.message?.includes(`[body.${field}]`) === true);
  if (failure.code !== "VALIDATION_ERROR" || named.length === 0)
    return [describeAuthFailure(failure)];
  return named.map((field) => ({ field, message: FIELD_MESSAGES[field] }));
}

/** Say in a sentence why Better Auth refused, and beside which field. */
export function describeAuthFailure(failure: AuthFailure): AuthFault {
  if (failure.status === 429) {
    const seconds = failure.retryAfterSeconds;
    const when = seconds === undefined ? "in a minute" : `in ${seconds.toString()} seconds`;
    return { field: null, message: `Too many attempts. Try again ${when}.` };
  }
  if (failure.status === 0 || failure.status >= 500) return UNREACHABLE;
  const known = FAULTS[failure.code ?? ""];
  if (known !== undefined) return known;
  const words = failure.code === "VALIDATION_ERROR" ? undefined : failure.message;
  return { field: null, message: words ?? "Signing in failed. Try again." };
}
