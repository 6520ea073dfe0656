import {
  AuthUnavailableError,
  NetworkError,
  ProblemError,
  SignedOutError,
} from "@task-platform/client";
import { describeFields } from "./describe-fields.ts";

/** Say in a sentence what went wrong; the server's own words where it has some. */
export function describeProblem(error: unknown): string {
  if (error instanceof ProblemError) {
    return describeFields(error.fields) || error.detail;
  }
  if (error instanceof SignedOutError) return "You are signed out. Sign in and try again.";
  if (error instanceof AuthUnavailableError)
    return "The sign-in service cannot be reached. Try again in a moment.";
  if (error instanceof NetworkError)
    return "The server cannot be reached. Check your connection and try again.";
  return "Something unexpected went wrong. Reload the page and try again.";
}
