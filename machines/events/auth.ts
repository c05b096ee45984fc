/** Work credentials and tokens. */
import { z } from "zod";
import { defineEvent } from "./define-event.js";

export const authSucceeded = defineEvent({
  type: "auth.succeeded",
  meaning: "The person signed in with work credentials again. Meets a credentials prompt.",
  emitters: ["app"],
  bearing: "relaxing",
  data: z.strictObject({
    method: z.enum(["credentials", "silent", "broker"]).optional(),
    mfa: z.boolean().optional(),
  }),
});

export const authFailed = defineEvent({
  type: "auth.failed",
  meaning:
    "Signing in with work credentials failed. After a revoked token the session ends; at the offline wipe it ends with a wipe.",
  emitters: ["app"],
  bearing: "restricting",
  data: z.strictObject({ errorCode: z.string().max(64).optional() }),
});

export const tokenRevoked = defineEvent({
  type: "token.revoked",
  meaning: "The service refuses the account's tokens. Credentials are due before any further access.",
  emitters: ["service"],
  bearing: "restricting",
  data: z.strictObject({ reason: z.enum(["passwordChanged", "revoked", "risk", "disabled", "mfaEnabled"]) }),
});
