import { expect, it } from "vitest";
import { describeAuthFailure } from "../src/sign-in/auth-errors.ts";

it("a wrong password is told beside the password", () => {
  const fault = describeAuthFailure({ status: 401, code: "INVALID_EMAIL_OR_PASSWORD" });
  expect(fault.field).toBe("password");
});

it("an email that is taken is told beside the email", () => {
  const fault = describeAuthFailure({ status: 422, code: "USER_ALREADY_EXISTS" });
  expect(fault.field).toBe("email");
});

it("too many attempts say when to try again", () => {
  const fault = describeAuthFailure({ status: 429, retryAfterSeconds: 9 });
  expect(fault).toEqual({ field: null, message: "Too many attempts. Try again in 9 seconds." });
});

it.each([0, 502, 503])("status %i is no fault of the user", (status) => {
  expect(describeAuthFailure({ status }).message).toContain("cannot be reached");
});
