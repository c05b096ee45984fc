/**
 * The session chart: the state table, as XState runs it. Facts are recorded by `recordFacts`, in every state alike;
 * `settling` asks the ladder anew; what the outside must do is named by its effect. An effect marked `at` is only given on
 * arrival, not when the session settles back to where it was.
 */
import type { EffectType, SignOutReason } from "../effects/catalogue.js";
import type { PartingWipe } from "./context.js";
import type { EffectParams } from "./effect-data.js";
import { vocabulary } from "./vocabulary.js";

/** Written into every snapshot; a snapshot of a version that is not known is refused. */
export const MACHINE_VERSION = 1;

/** A move inside the chart that could go on for ever is a fault of the chart; it quarantines the session instead. */
const MAX_MICROSTEPS = 100;

/** Effects on arrival in a state. */
const arriving = (at: string, ...effects: readonly EffectType[]) =>
  effects.map((type) => ({ type, params: { at } as EffectParams }));

const notify = (notice: NonNullable<EffectParams["notice"]>, at?: string) => ({
  type: "notify" as const,
  params: (at === undefined ? { notice } : { notice, at }) as EffectParams,
});

/** The session ends and takes its data along. Unlike a wipe that was requested this never stands in the way of the next sign-in. */
const removeData = (why: PartingWipe) => ({ type: "removeData" as const, params: { why } });

const requestWipe = (why?: string) => ({ type: "requestWipe" as const, params: { why } });

const signOut = (reason: SignOutReason) => ({ type: "endSession" as const, params: { reason } });

/** Conditional access asks for a sign-in where a prompt for one is not about to be given on arrival. */
const signInDemanded = {
  guard: "signInIsDemanded",
  target: "#session.settling",
  actions: ["recordFacts", "promptCredentials"],
} as const;

export const sessionChart = vocabulary.createMachine({
  id: "session",
  version: String(MACHINE_VERSION),
  options: { maxIterations: MAX_MICROSTEPS },
  context: ({ input }) => ({ platform: input.platform, enrollment: "none", step: input.step }),
  initial: "unenrolled",

  // Any state but `signedOut`, which answers for itself.
  on: {
    "account.signedIn": { target: ".settling", actions: "recordFacts" },
    "account.signedOut": {
      target: ".signedOut",
      actions: ["unregister", removeData("signedOut"), "wipe", signOut("userInitiated")],
    },
    "account.removed": [
      {
        guard: "ownAccountRemoved",
        target: ".signedOut",
        actions: ["unregister", removeData("signedOut"), "wipe", signOut("accountRemoved")],
      },
      { target: ".settling", actions: "recordFacts" },
    ],
    "account.disabled": { target: ".settling", actions: ["recordFacts", notify("account")] },
    "account.enabled": { target: ".settling", actions: "recordFacts" },
    // Told before it is recorded: it warns of an account that is disabled now and was not before.
    "user.changed": { target: ".settling", actions: [notify("account"), "recordFacts"] },
    "account.notAllowed": { target: ".settling", actions: "recordFacts" },
    "account.switched": [
      { guard: "switchedAway", actions: ["recordFacts", "armDeadlines"] },
      { target: ".settling", actions: "recordFacts" },
    ],
    "session.signOutForced": { target: ".signedOut", actions: [signOut("adminForced")] },
    "quarantine.dropped": { target: ".signedOut", actions: [signOut("givenUp")] },
    "wipe.requested": { target: ".signedOut", actions: ["recordFacts", "wipe", signOut("wipeRequested")] },

    "auth.succeeded": { target: ".settling", actions: "recordFacts" },
    "token.revoked": { target: ".settling", actions: "recordFacts" },
    "license.granted": { target: ".settling", actions: "recordFacts" },
    "license.revoked": { target: ".settling", actions: "recordFacts" },
    "membership.changed": { target: ".settling", actions: "recordFacts" },
    "policy.removed": { target: ".settling", actions: "recordFacts" },
    "policy.changed": { target: ".settling", actions: "recordFacts" },
    "assignment.changed": { target: ".settling", actions: "recordFacts" },

    "enrollment.completed": [
      { guard: "enrollmentSucceeded", target: ".settling", actions: [notify("intro"), "restartApp", "recordFacts"] },
      { target: ".settling", actions: "recordFacts" },
    ],
    "enrollment.ended": { target: ".settling", actions: "recordFacts" },
    "registration.expired": { target: ".settling", actions: "recordFacts" },
    "companyPortal.installed": { target: ".settling", actions: "recordFacts" },

    "checkin.succeeded": [
      {
        guard: "wipeWaits",
        target: ".signedOut",
        actions: ["recordFacts", requestWipe("requested"), "wipe", signOut("wipeRequested")],
      },
      { target: ".settling", actions: "recordFacts" },
    ],
    "checkin.failed": { target: ".settling", actions: ["recordFacts", notify("account")] },
    "checkin.retryDue": { actions: ["recordFacts", "checkIn"] },
    "connectivity.lost": { actions: "recordFacts" },
    "connectivity.restored": { actions: "recordFacts" },

    "app.launched": { target: ".settling", actions: "recordFacts" },
    "app.foregrounded": { target: ".settling", actions: "recordFacts" },
    "app.backgrounded": { actions: ["recordFacts", "armDeadlines"] },
    "device.rebooted": { guard: "isAndroid", target: ".settling", actions: "recordFacts" },
    "biometrics.changed": { actions: ["recordFacts", "armDeadlines"] },

    "posture.reported": { target: ".settling", actions: "recordFacts" },
    "threat.levelChanged": { target: ".settling", actions: "recordFacts" },
    "shift.ended": { target: ".settling", actions: ["recordFacts", notify("offShift")] },
    "shift.started": { target: ".settling", actions: "recordFacts" },
    "compliance.evaluated": { target: ".settling", actions: "recordFacts" },
    "ca.evaluated": { target: ".settling", actions: "recordFacts" },

    "access.recheckDue": { target: ".settling", actions: "recordFacts" },
    "biometric.timedOut": { actions: "recordFacts" },
    "pin.expired": { target: ".settling" },
    "offlineGrace.expired": { target: ".settling" },
    "offlineWipe.due": { target: ".settling" },
    "integrityGrace.expired": { target: ".settling" },
    "shiftGrace.expired": { target: ".settling", actions: notify("offShift") },
  },

  states: {
    /** The settle ladder: passed through, never rested in. */
    settling: {
      always: [
        // What time has made of the facts, also where no deadline was armed to tell.
        { guard: "somethingLapsed", actions: "recordLapses" },
        { guard: "warningsAreNew", actions: [notify("warnings"), "markWarned"] },
        { guard: "wipeIsDue", target: "signedOut", actions: [requestWipe(), "wipe", signOut("wiped")] },
        { guard: "accountIsRefused", target: "noncompliant" },
        { guard: "accessIsHeld", target: "unenrolled.held" },
        { guard: "isUnmanaged", target: "unenrolled.unmanaged" },
        { guard: "enrollmentIsHeld", target: "unenrolled.held" },
        { guard: "isNotEnrolled", target: "unenrolled.checking" },
        { guard: "verdictBlocks", target: "noncompliant" },
        { guard: "pinIsUnfit", target: "pinSetup" },
        { guard: "proofIsMissing", target: "locked" },
        { target: "active" },
      ],
    },

    /** No policy is in force for this account. */
    unenrolled: {
      initial: "checking",
      on: {
        "account.signedIn": { target: ".checking", reenter: true, actions: "recordFacts" },
        "ca.evaluated": signInDemanded,
        "checkin.retryDue": { actions: ["recordFacts", "enroll"] },
      },
      states: {
        checking: { entry: [...arriving("unenrolled.checking", "blockAccess", "enroll", "checkIn"), "armDeadlines"] },
        held: {
          entry: [
            ...arriving("unenrolled.held", "blockAccess", "promptCredentials"),
            notify("held", "unenrolled.held"),
            "armDeadlines",
          ],
        },
        unmanaged: {
          entry: [
            ...arriving("unenrolled.unmanaged", "removeManagement", "allowUnmanaged"),
            "forgetManagement",
            "armDeadlines",
          ],
          // It comes to rest in `held`, which asks for the sign-in.
          on: { "ca.evaluated": { target: "#session.settling", actions: "recordFacts" } },
        },
      },
    },

    /** A policy is in force and no acceptable PIN is there. */
    pinSetup: {
      entry: [
        ...arriving("pinSetup", "blockAccess"),
        notify("pinReset", "pinSetup"),
        ...arriving("pinSetup", "promptCredentials", "promptPinSetup"),
        "armDeadlines",
      ],
      on: {
        "pin.set": [
          { guard: "signInComesFirst", actions: "promptCredentials" },
          { guard: "pinFits", target: "settling", actions: "recordFacts" },
          { actions: notify("pinInvalid") },
        ],
        "pin.setRejected": { actions: "recordFacts" },
        "pin.cancelled": { actions: "switchToUnmanaged" },
        "auth.succeeded": { target: "settling", actions: ["recordFacts", "promptPinSetup"] },
        "auth.failed": { guard: "signInComesFirst", actions: notify("tryLater") },
        "ca.evaluated": signInDemanded,
      },
    },

    /** A PIN is there; proof is missing or stale. */
    locked: {
      entry: [...arriving("locked", "blockAccess", "promptPin", "promptCredentials", "checkIn"), "armDeadlines"],
      on: {
        "pin.verified": [
          { guard: "methodCounts", target: "settling", actions: "recordFacts" },
          { actions: "promptPin" },
        ],
        "pin.rejected": [
          {
            guard: "attemptsSpentWipe",
            target: "signedOut",
            actions: ["recordFacts", requestWipe("pinAttempts"), "wipe", signOut("pinAttempts")],
          },
          { guard: "attemptsSpent", target: "settling", actions: ["recordFacts", "resetPin"] },
          { actions: ["recordFacts", notify("pinWrong")] },
        ],
        "pin.resetRequested": { target: "settling", actions: "recordFacts" },
        "pin.cancelled": { actions: "switchToUnmanaged" },
        "auth.failed": { guard: "tokenWasRevoked", target: "signedOut", actions: signOut("authFailed") },
        "ca.evaluated": signInDemanded,
      },
    },

    /** Every check passed: corporate data may be shown. */
    active: {
      entry: [...arriving("active", "grantAccess"), "armDeadlines"],
      on: {
        "pin.resetRequested": { target: "settling", actions: "recordFacts" },
      },
    },

    /** A verdict that blocks stands. */
    noncompliant: {
      entry: [
        "nameCause",
        ...arriving("noncompliant", "blockAccess"),
        notify("blocked", "noncompliant"),
        ...arriving("noncompliant", "promptCredentials", "installCompanyPortal"),
        "armDeadlines",
      ],
      exit: "forgetCause",
      always: [
        { guard: "endsSession", target: "signedOut", actions: "endForCause" },
        { guard: "isRemediable", target: "remediating" },
        { guard: "remediationIsOff", target: "signedOut", actions: signOut("remediationDisabled") },
      ],
      on: {
        "remediation.requested": { guard: "remediationMayStart", target: "remediating", actions: "recordFacts" },
        "account.switched": {
          guard: "switchedHere",
          target: "signedOut",
          actions: ["recordFacts", signOut("noncompliant")],
        },
        "auth.succeeded": [
          { guard: "signInAwaited", actions: ["recordFacts", "checkIn"] },
          { target: "settling", actions: "recordFacts" },
        ],
        "auth.failed": {
          guard: "signInAwaited",
          target: "signedOut",
          actions: [requestWipe("offlineWipe"), "wipe", signOut("offlineWipe")],
        },
      },
    },

    /** One remediation runs. Facts are recorded; the session settles when it is over. */
    remediating: {
      initial: "attempt",
      entry: ["nameCause", ...arriving("remediating", "blockAccess"), notify("remediating", "remediating")],
      exit: "forgetCause",
      on: {
        "ca.evaluated": [
          { guard: "endsRemediation", target: "settling", actions: ["recordFacts", "endRemediation"] },
          { actions: ["recordFacts", "armDeadlines"] },
        ],
        "account.disabled": [
          { guard: "endsRemediation", target: "settling", actions: ["recordFacts", "endRemediation"] },
          { actions: ["recordFacts", notify("account"), "armDeadlines"] },
        ],
        "user.changed": [
          { guard: "endsRemediation", target: "settling", actions: ["recordFacts", "endRemediation"] },
          { actions: [notify("account"), "recordFacts", "armDeadlines"] },
        ],
        "account.notAllowed": { target: "settling", actions: ["recordFacts", "endRemediation"] },
        "*": [
          { guard: "accessIsBlocked", target: "settling", actions: ["recordFacts", "endRemediation"] },
          { guard: "canWait", actions: ["recordFacts", "armDeadlines"] },
        ],
        "checkin.failed": [
          { guard: "endsRemediation", target: "settling", actions: ["recordFacts", "endRemediation"] },
          { actions: ["recordFacts", notify("account"), "armDeadlines"] },
        ],
        "enrollment.completed": [
          { guard: "enrollmentSucceeded", actions: [notify("intro"), "restartApp", "recordFacts", "armDeadlines"] },
          { actions: ["recordFacts", "armDeadlines"] },
        ],
        "remediation.completed": [
          { guard: "answersAnotherAttempt" },
          { guard: "isCompliantAgain", target: "settling", actions: "recordFacts" },
          { guard: "interactionCanFollow", target: ".attempt", actions: "recordFacts" },
          { guard: "attemptCanFollow", target: ".backoff", actions: "recordFacts" },
          { guard: "isFirstClientError", target: ".attempt", actions: ["recordFacts", "promptCredentials"] },
          { guard: "portalIsMissing", target: ".waitingForPortal", actions: ["recordFacts", "installCompanyPortal"] },
          {
            guard: "isNotCompliant",
            target: "signedOut",
            actions: ["unregister", removeData("notCompliant"), "wipe", signOut("remediationFailed")],
          },
          { target: "signedOut", actions: ["unregister", signOut("remediationFailed")] },
        ],
      },
      states: {
        attempt: {
          entry: ["startAttempt", "remediate"],
          after: {
            attemptTimeout: [
              { guard: "nothingStands", target: "#session.settling", actions: "endRemediation" },
              { guard: "attemptsAreLeft", target: "backoff" },
              { target: "#session.signedOut", actions: ["unregister", signOut("remediationFailed")] },
            ],
          },
        },
        backoff: {
          entry: "endAttempt",
          after: {
            attemptBackoff: [
              { guard: "nothingStands", target: "#session.settling", actions: "endRemediation" },
              {
                guard: "furtherAttemptsAreOff",
                target: "#session.signedOut",
                actions: ["unregister", signOut("remediationDisabled")],
              },
              { target: "attempt" },
            ],
          },
        },
        waitingForPortal: {
          // An attempt ends by its time limit; this wait has none.
          always: { guard: "nothingStands", target: "#session.settling", actions: "endRemediation" },
          on: { "companyPortal.installed": { target: "attempt", actions: "recordFacts" } },
        },
      },
    },

    /** The session ended. It leaves this state by a new sign-in alone, and takes note of facts. */
    signedOut: {
      entry: [
        ...arriving("signedOut", "blockAccess", "signOut"),
        notify("signedOut", "signedOut"),
        "dropProof",
        "disarmDeadlines",
      ],
      on: {
        "account.signedIn": [
          { guard: "wipeForbidsSignIn", actions: ["repeatWipe", "wipe", notify("wiped")] },
          { target: "unenrolled.checking", actions: "recordFacts" },
        ],
        "wipe.requested": { actions: ["recordFacts", "wipe"] },
        "wipe.completed": { guard: "wipeIsKnown", actions: ["recordFacts", notify("wiped")] },
        "wipe.failed": { guard: "wipeIsKnown", actions: "recordFacts" },
        "wipe.cancelled": { guard: "wipeIsKnown", actions: "recordFacts" },
        "checkin.succeeded": [
          { guard: "wipeForbidsSignIn", actions: ["repeatWipe", "wipe"] },
          { guard: "wipeWaits", actions: [requestWipe("requested"), "wipe"] },
          { guard: "wipeStands", actions: ["repeatWipe", "wipe"] },
          {},
        ],
        "account.switched": [{ guard: "switchedHere", actions: notify("signInRequired") }, {}],
        "*": [{ guard: "carriesFacts", actions: "recordFacts" }, {}],
      },
    },
  },
});
