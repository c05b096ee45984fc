/**
 * Every effect there is: a command that follows from a transition and that somebody outside carries out. Receivers
 * parse with these schemas; the chart names them in its actions.
 */
import { z } from "zod";
import { MESSAGES, type MessageKey } from "./messages.js";

/**
 * `state`: says how things stand, so a receiver may drop one that is older than what it has seen.
 * `command`: must be carried out once, whatever came later; never dropped.
 */
export type EffectKind = "state" | "command";

interface EffectDefinition<Data extends z.ZodObject = z.ZodObject> {
  readonly kind: EffectKind;
  readonly meaning: string;
  readonly data: Data;
}

const define = <Data extends z.ZodObject>(kind: EffectKind, meaning: string, data: Data): EffectDefinition<Data> => ({
  kind,
  meaning,
  data,
});

const none = z.strictObject({});
const MessageKeySchema = z.enum(Object.keys(MESSAGES) as [MessageKey, ...MessageKey[]]);

/** Why a new PIN is asked for. */
export const PIN_SETUP_REASONS = ["missing", "attempts", "expired", "rules", "requested"] as const;
export type PinSetupReason = (typeof PIN_SETUP_REASONS)[number];

/** Why work credentials are asked for. */
export const CREDENTIALS_REASONS = [
  "policy",
  "pinReset",
  "tokenRevoked",
  "conditionalAccess",
  "offlineWipe",
  "enrollment",
  "remediation",
] as const;
export type CredentialsReason = (typeof CREDENTIALS_REASONS)[number];

export const SIGN_OUT_REASONS = [
  "userInitiated",
  "accountRemoved",
  "adminForced",
  "givenUp",
  "wipeRequested",
  "wiped",
  "pinAttempts",
  "offlineWipe",
  "authFailed",
  "remediationDisabled",
  "remediationFailed",
  "noncompliant",
  "caBlocked",
  "accountDisabled",
  "accountNotAllowed",
] as const;
export type SignOutReason = (typeof SIGN_OUT_REASONS)[number];

export const EFFECTS = {
  enroll: define("command", "Register the account for management.", none),
  unregister: define("command", "Take the account's registration back, so that background retries stop.", none),
  checkIn: define("command", "Contact the service, report posture and fetch policy.", none),
  promptPinSetup: define(
    "state",
    "Ask for a new PIN under these rules.",
    z.strictObject({
      why: z.enum(PIN_SETUP_REASONS),
      rules: z.strictObject({
        minLength: z.int(),
        kind: z.enum(["numeric", "passcode"]),
        simpleBlocked: z.boolean(),
        historyCount: z.int(),
      }),
    }),
  ),
  promptPin: define(
    "state",
    "Ask for the PIN, or a biometric where it may stand in.",
    z.strictObject({ biometricAllowed: z.boolean(), triesLeft: z.int().min(0) }),
  ),
  promptCredentials: define("state", "Ask for work credentials.", z.strictObject({ why: z.enum(CREDENTIALS_REASONS) })),
  grantAccess: define("state", "Corporate data may be shown.", none),
  blockAccess: define(
    "state",
    "Corporate data may not be shown. `cause` is the cause of noncompliance, else the state.",
    z.strictObject({ cause: z.string() }),
  ),
  allowUnmanaged: define("state", "No policy binds this account: the app runs without protection.", none),
  removeManagement: define("command", "Management ended: policy no longer applies. No wipe, no sign-out.", none),
  remediate: define(
    "command",
    "Try to bring the account into compliance and answer with `remediation.completed`.",
    z.strictObject({ attemptId: z.string(), silent: z.boolean() }),
  ),
  wipe: define(
    "command",
    "Remove this account's data from the app and answer with `wipe.completed` or `wipe.failed`.",
    z.strictObject({ requestId: z.string(), why: z.string() }),
  ),
  signOut: define(
    "command",
    "Sign the account out of the app and tell the person why.",
    z.strictObject({ reason: z.enum(SIGN_OUT_REASONS), messageKey: MessageKeySchema }),
  ),
  notify: define(
    "command",
    "Tell the person something.",
    z.strictObject({ key: MessageKeySchema, data: z.record(z.string(), z.union([z.string(), z.number()])) }),
  ),
  restartApp: define("command", "Restart the app once, so that the first policy takes hold (iOS).", none),
  installCompanyPortal: define("command", "Send the person to install Company Portal (Android).", none),
  switchToUnmanaged: define("command", "Show no managed account.", none),
} as const;

export type EffectType = keyof typeof EFFECTS;
export type EffectData<Type extends EffectType> = Readonly<z.infer<(typeof EFFECTS)[Type]["data"]>>;
export type Effect = { [Type in EffectType]: { readonly type: Type; readonly data: EffectData<Type> } }[EffectType];
