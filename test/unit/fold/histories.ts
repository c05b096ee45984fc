/**
 * Random histories for properties: weighted so that sessions get far, and made concrete, because what an app answers depends on what
 * it was asked.
 */
import fc from "fast-check";
import { foldBatch, type Entry, type PartitionPolicies, type RulesOf } from "../../../machines/fold-batch.js";
import type { JournalRecord } from "../../../machines/outcome.js";
import type { SessionEvent } from "../../../machines/events/catalogue.js";
import type { Platform, Rules } from "../../../machines/policy/rules.js";
import { earliestTimer, type Session, type SessionId } from "../../../machines/session/session.js";
import { ENROLLMENT_RESULTS } from "../../../machines/events/enrollment.js";
import { REMEDIATION_STATUSES } from "../../../machines/events/remediation.js";
import * as told from "../../../src/testing/index.js";
import { samplePolicy } from "../../support/builders.js";

type Told = SessionEvent | told.SceneEvent;

/** One thing that happens, so long after the one before. */
export interface Move {
  readonly gapMs: number;
  /** By its producer's clock it happened so long before it was accepted. */
  readonly lateMs: number;
  /** An event, or the number of the rules that are published. */
  readonly what: Told | number;
}

const STRICT_IOS = {
  minimumWipeOsVersion: "15",
  minimumRequiredOsVersion: "17",
  minimumWarningOsVersion: "18",
  appActionIfUnableToAuthenticateUser: "wipe",
  appActionIfAccountIsClockedOut: "block",
  gracePeriodToBlockAppsDuringOffClockHours: "PT10M",
  maximumPinRetries: 2,
  appActionIfMaximumPinRetriesExceeded: "wipe",
  periodBeforePinReset: "P1D",
  periodOfflineBeforeAccessCheck: "PT2H",
  periodOfflineBeforeWipeIsEnforced: "PT6H",
};

/** Rules by number, for either platform. */
export const RULES: Readonly<Record<Platform, readonly Rules[]>> = {
  ios: [
    told.rules({ policy: samplePolicy("contoso-ios-level2") }),
    told.rules(),
    told.rules({ policy: STRICT_IOS }),
    told.rules({
      credentialsRequired: true,
      pin: { maxAttempts: 2 },
      disabledAccount: "block",
      recheckAfterMs: 60_000,
    }),
    told.rules({ pin: null, settings: { remediation: { enabled: false } }, offShift: { action: "warn", graceMs: 0 } }),
    told.rules({
      policy: { minimumRequiredOsVersion: "17" },
      settings: { dispositions: { osVersion: "wait", mamVerdict: "wait", caDeviceNotCompliant: "wait" } },
    }),
    told.noPolicy(),
  ],
  android: [
    told.rules({ platform: "android", policy: samplePolicy("contoso-android-level2") }),
    told.rules({ platform: "android" }),
    told.rules({
      platform: "android",
      policy: {
        requiredAndroidSafetyNetDeviceAttestationType: "basicIntegrity",
        maximumAllowedDeviceThreatLevel: "high",
        requirePinAfterBiometricChange: true,
        periodOfflineBeforeAccessCheck: "P7D",
        appActionIfUnableToAuthenticateUser: "warn",
        disableAppPinIfDevicePinIsSet: true,
      },
    }),
    told.noPolicy({ platform: "android" }),
  ],
};

const one = (...events: readonly Told[]) => fc.constantFrom(...events);

/** What an app that behaves reports most of the time. */
const usual = one(
  told.signedIn(),
  told.enrolled(),
  told.enrolled(),
  told.posture(),
  told.posture(),
  told.pinSet({ length: 8 }),
  told.pinSet({ length: 8 }),
  told.pinVerified(),
  told.pinVerified(),
  told.authSucceeded(),
  told.checkedIn(),
  told.backgrounded(),
  told.foregrounded(),
  told.remediationCompleted(),
);

const EXTRAORDINARY: readonly Told[] = [
  told.signedIn({ interactive: true, deviceMdmEnrolled: true }),
  told.signedOut(),
  told.switchedAway(),
  told.switchedHere(),
  told.accountRemoved({ accountId: "somebody-else" }),
  told.accountDisabled(),
  told.accountEnabled(),
  told.accountNotAllowed(),
  told.authFailed(),
  told.authSucceeded({ mfa: false }),
  told.tokenRevoked(),
  told.licenseGranted(),
  told.licenseRevoked(),
  told.membershipChanged({ groups: ["sales"] }),
  told.policyRemoved(),
  told.enrollmentEnded(),
  told.registrationExpired(),
  told.checkinFailed(),
  told.checkinFailed({ reason: "userInvalid" }),
  told.checkedIn({ wipePending: true }),
  told.connectivityLost(),
  told.pinSet(),
  told.pinSet({ simple: true, setAt: "2025-03-10T08:00:00Z" }),
  told.pinRejected(),
  told.pinRejected(),
  told.pinRejected(),
  told.pinCancelled(),
  told.pinResetRequested(),
  told.biometricVerified(),
  told.biometricsChanged(),
  told.launched(),
  told.rebooted(),
  told.posture({ osVersion: "17.5" }),
  told.posture({ osVersion: "16" }),
  told.posture({ osVersion: "14" }),
  told.posture({ rooted: true }),
  told.posture({ integrity: "requestFailed" }),
  told.posture({ deviceLock: "none" }),
  told.threatLevel("secured"),
  told.threatLevel("unknown"),
  told.shiftEnded(),
  told.shiftStarted(),
  told.noncompliant(),
  told.compliant(),
  told.conditionalAccessGranted(),
  told.conditionalAccessDenied("compliantDevice"),
  told.conditionalAccessDenied("mfa"),
  told.conditionalAccessDenied("block"),
  told.companyPortalInstalled(),
  told.remediationRequested({ silent: false }),
  told.remediationCompleted("COMPLIANT", { attemptId: "m82rv280-1" }),
  told.wipeRequested(),
  told.wipeRequested({ scope: "user", requestId: "wipe-2" }),
  told.wipeCompleted(),
  told.wipeFailed(),
  told.wipeCancelled(),
  told.signOutForced(),
];
const ENROLLMENTS: readonly Told[] = ENROLLMENT_RESULTS.map((result) => told.enrolled({ result }));
const ANSWERS: readonly Told[] = REMEDIATION_STATUSES.map((status) => told.remediationCompleted(status));

const unusual = fc.oneof(one(...EXTRAORDINARY), one(...ENROLLMENTS), one(...ANSWERS));

/** Every kind of event once. */
export const ANYTHING: readonly Told[] = [told.signedIn(), ...EXTRAORDINARY, ...ENROLLMENTS, ...ANSWERS];

const MINUTE_MS = 60_000;
const gapMs = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 0, max: 30_000 }) },
  { weight: 3, arbitrary: fc.integer({ min: 0, max: 45 * MINUTE_MS }) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 30 * 60 * MINUTE_MS }) },
);

/** However much was recorded since. */
const RETIRED: SessionEvent = { type: "session.retired", upTo: Number.MAX_SAFE_INTEGER, why: "silent" };

const moveOf = (what: fc.Arbitrary<Move["what"]>): fc.Arbitrary<Move> =>
  fc.record({
    gapMs,
    lateMs: fc.oneof(
      { weight: 9, arbitrary: fc.constant(0) },
      { weight: 1, arbitrary: fc.integer({ min: 1, max: 5 * MINUTE_MS }) },
    ),
    what,
  });
const move = moveOf(
  fc.oneof({ weight: 8, arbitrary: usual }, { weight: 6, arbitrary: unusual }, { weight: 1, arbitrary: fc.nat(6) }),
);
/** A new beginning may come after. */
const retirement = moveOf(fc.constantFrom<Move["what"]>(RETIRED, RETIRED, told.signedIn()));

const atOnce = (...events: readonly Told[]): readonly Move[] => events.map((what) => ({ gapMs: 0, lateMs: 0, what }));

/** Most histories begin well, so that what follows meets a session that has something to lose. */
const beginning = fc.constantFrom(
  atOnce(told.signedIn()),
  atOnce(told.signedIn(), told.posture(), told.enrolled()),
  atOnce(told.signedIn(), told.posture(), told.threatLevel("secured"), told.enrolled(), told.pinSet({ length: 8 })),
  atOnce(
    told.signedIn(),
    told.posture(),
    told.threatLevel("secured"),
    told.enrolled(),
    told.pinSet({ length: 8 }),
    told.authSucceeded(),
    told.backgrounded(),
  ),
  atOnce(told.signedIn(), told.posture(), told.enrolled(), told.pinSet({ length: 8 }), told.noncompliant()),
  atOnce(
    told.signedIn(),
    told.conditionalAccessDenied("compliantApplication"),
    told.remediationCompleted("COMPANY_PORTAL_REQUIRED"),
  ),
);

export interface History {
  readonly platform: Platform;
  readonly firstRules: number;
  readonly moves: readonly Move[];
}

/** @param retire now and then the session is forgotten */
export function histories({ maxLength = 30, retire = false } = {}): fc.Arbitrary<History> {
  const next = retire ? fc.oneof({ weight: 12, arbitrary: move }, { weight: 1, arbitrary: retirement }) : move;
  return fc.record({
    platform: fc.constantFrom<Platform>("ios", "android"),
    firstRules: fc.nat(6),
    moves: fc.tuple(beginning, fc.array(next, { maxLength })).map(([first, rest]) => [...first, ...rest]),
  });
}

export const TENANT = "contoso";
export const SESSION: SessionId = `${TENANT}/phone-1/dana/azure-mobile`;
export const START_MS = Date.UTC(2025, 2, 10, 8);

/** A history as the partition's inbox holds it, and the rules that its catalogue versions stand for. */
export interface Inbox {
  readonly entries: readonly Entry[];
  readonly policies: PartitionPolicies;
  readonly rulesOf: RulesOf;
  readonly endsAt: number;
}

/** What one entry came to. */
export interface Played {
  readonly entry: Entry;
  /** Absent: not there yet. */
  readonly before: Session | undefined;
  /** Advanced to the entry's time, but without the entry. */
  readonly brought: Session | undefined;
  readonly after: Session | undefined;
  readonly rules: Rules;
  /** Of the entry and of the deadlines before it. */
  readonly records: readonly JournalRecord[];
}

/** Plays a history step by step, filling in what only the session knows. */
export function play(
  { platform, firstRules, moves }: History,
  id = SESSION,
): { inbox: Inbox; steps: readonly Played[] } {
  const pool = RULES[platform];
  const published = [pool[firstRules % pool.length] as Rules];
  const rulesOf: RulesOf = (_tenant, version) => published[version - 1] as Rules;
  const first: PartitionPolicies = { [TENANT]: { base: 1, broadcasts: [] } };
  let policies = first;
  let session: Session | undefined;
  let now = START_MS;
  let seq = 0;
  const entries: Entry[] = [];
  const steps: Played[] = [];
  for (const { gapMs: gap, lateMs, what } of moves) {
    // Two catalogue versions of one moment count as one; so that each counts here, they are a moment apart.
    now += typeof what === "number" ? Math.max(1, gap) : gap;
    const number = String(entries.length + 1);
    let entry: Entry;
    if (typeof what === "number") {
      published.push(pool[what % pool.length] as Rules);
      entry = { kind: "publish", tenant: TENANT, version: published.length, at: now };
    } else {
      const scene = { rules: published.at(-1) as Rules, ...(session && { session }) };
      const event = typeof what === "function" ? what(scene) : what;
      const origin = { source: "app", id: number, time: now - lateMs, entry: `${now}-${number}` };
      const isOwn = event.type === "session.retired";
      entry = { kind: "event", session: id, occurrence: isOwn ? { event, at: now } : { event, at: now, origin } };
    }
    entries.push(entry);
    const fold = (of: readonly Entry[], from: Session | undefined) =>
      foldBatch(
        {
          policies,
          horizon: now,
          entries: of,
          due: from === undefined ? [] : [id],
          sessions: new Map(from === undefined ? [] : [[id, from]]),
          seq,
        },
        rulesOf,
      );
    const brought = fold([], session).sessions.get(id) ?? session;
    const outcome = fold([entry], session);
    const after = outcome.retired.has(id) ? undefined : (outcome.sessions.get(id) ?? session);
    steps.push({ entry, before: session, brought, after, rules: published.at(-1) as Rules, records: outcome.records });
    ({ policies } = outcome);
    seq += outcome.records.length;
    session = after;
  }
  return { inbox: { entries, policies: first, rulesOf, endsAt: now }, steps };
}

/**
 * Folds an inbox as a worker would that takes so many entries at a time, from empty storage.
 * @param rest what becomes of a session between two batches
 */
export function drain(
  { entries, policies: first, rulesOf, endsAt }: Inbox,
  sizes: readonly number[] = [entries.length],
  rest: (session: Session) => Session = (session) => session,
): { readonly sessions: ReadonlyMap<SessionId, Session>; readonly records: readonly JournalRecord[] } {
  const stored = new Map<SessionId, Session>();
  const records: JournalRecord[] = [];
  let policies = first;
  const fold = (batch: readonly Entry[], horizon: number, due: readonly SessionId[]) => {
    const outcome = foldBatch(
      { policies, horizon, entries: batch, due, sessions: new Map(stored), seq: records.length },
      rulesOf,
    );
    for (const [id, session] of outcome.sessions) stored.set(id, rest(session));
    for (const id of outcome.retired) stored.delete(id);
    records.push(...outcome.records);
    ({ policies } = outcome);
  };
  for (let from = 0, turn = 0; from < entries.length; turn++) {
    const batch = entries.slice(from, from + (sizes[turn % sizes.length] ?? 1));
    from += batch.length;
    const last = batch.at(-1) as Entry;
    const horizon = last.kind === "event" ? last.occurrence.at : last.at;
    fold(
      batch,
      horizon,
      [...stored].filter(([, session]) => (earliestTimer(session) ?? Infinity) <= horizon).map(([id]) => id),
    );
  }
  // The deadlines that are left, and the walk that brings a new catalogue to sessions that nothing happened to.
  fold([], endsAt, [...stored.keys()]);
  return { sessions: stored, records };
}
