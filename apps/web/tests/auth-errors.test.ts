import { expect, it } from "vitest";
import { describeAuthFailure, describeAuthFailures } from "../src/sign-in/auth-errors.ts";

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

it("the words of a schema are told in plain ones beside each field", () => {
  const message =
    "[body.email] Invalid email address; [body.password] Too small: expected string to have >=1 characters";
  const faults = describeAuthFailures({ status: 400, code: "VALIDATION_ERROR", message });
  expect(faults).toEqual([
    { field: "email", message: "This is not an email address." },
    { field: "password", message: "Enter a password." },
  ]);
});

it("the words of a schema about anything else are not shown", () => {
  const failure = { status: 400, code: "VALIDATION_ERROR", message: "[body.image] Invalid input" };
  expect(describeAuthFailures(failure)).toEqual([
    { field: null, message: "Signing in failed. Try again." },
  ]);
});
