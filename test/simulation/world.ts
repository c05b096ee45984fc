/** Who lives in a simulation, under which policies, and what can be told of them. */
import type { SessionEvent } from "../../machines/events/catalogue.js";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import type { Platform, Rules } from "../../machines/policy/rules.js";
import { Resolver } from "../../machines/policy/resolver.js";
import { type StateName, stateName } from "../../machines/session/context.js";
import { type Session, type SessionId, resolveFacts } from "../../machines/session/session.js";
import { type CatalogueContent, readCatalogue } from "../../src/control/catalogue-document.js";
import { EMPTY_CATALOGUE } from "../../src/control/rules-source.js";
import * as told from "../../src/testing/index.js";
import { CONTENT as CHAOS_CONTENT } from "../chaos/world.js";
import { samplePolicy } from "../support/builders.js";

export const TENANT = "contoso";
export const PARTITIONS = 4;
export const APP = "azure-mobile";

export interface Who {
  readonly device: string;
  readonly user: string;
  readonly platform: Platform;
  readonly id: SessionId;
}

const DEVICES = 28;
const USERS = 17;

/** Two in three devices have one user, the others two; most users have several devices. */
export const SESSIONS: readonly Who[] = Array.from({ length: DEVICES }, (_, n) => n).flatMap((n) => {
  const device = `phone-${n}`;
  const platform: Platform = n % 3 === 0 ? "android" : "ios";
  const users = n % 3 === 1 ? [n, n + 7] : [n];
  return users.map((number) => {
    const user = `user-${number % USERS}`;
    return { device, user, platform, id: `${TENANT}/${device}/${user}/${APP}` };
  });
});

/** A group whose members' rules can't be used: whatever judges them throws, and the session is set aside. */
export const POISON_GROUP = "poison";

const ios = samplePolicy("contoso-ios-level2");
const android = samplePolicy("contoso-android-level2");

const both = (ofBoth: object, settings: object = {}, ofIos: object = {}): CatalogueContent => ({
  policies: [
    { ...ios, ...ofBoth, ...ofIos },
    { ...android, ...ofBoth },
  ],
  conditionalAccess: [],
  settings,
});

/** The first is what the oracle knows; the others differ in what deadlines they set and what they judge. */
export const CONTENTS: readonly CatalogueContent[] = [
  CHAOS_CONTENT,
  both({ periodOnlineBeforeAccessCheck: "PT1M", periodOfflineBeforeAccessCheck: "PT10M" }),
  both(
    {
      periodOnlineBeforeAccessCheck: "PT2M",
      periodOfflineBeforeAccessCheck: "PT5M",
      periodOfflineBeforeWipeIsEnforced: "P1D",
    },
    { remediation: { enabled: false }, dispositions: { osVersion: "wait" } },
  ),
  both(
    { maximumPinRetries: 2, appActionIfMaximumPinRetriesExceeded: "wipe", organizationalCredentialsRequired: true },
    { remediation: { attemptTimeoutMs: 20_000 } },
    { pinRequiredInsteadOfBiometricTimeout: "PT3M" },
  ),
  both({ pinRequired: false, periodOfflineBeforeAccessCheck: "PT15M" }, {}, { minimumRequiredOsVersion: "17.5" }),
  { policies: [ios], conditionalAccess: [], settings: { remediation: { maxAttempts: 1 } } },
];

/** Reading a catalogue costs as much as many events; no run changes one. */
export const CATALOGUES: readonly Catalogue[] = CONTENTS.map((content, n) =>
  readCatalogue({ version: n + 1, ...content }),
);
const resolvers = CATALOGUES.map((catalogue) => new Resolver(catalogue));
const beforeAny = new Resolver(EMPTY_CATALOGUE);

/** The rules that a content gives a session; `undefined`: before anything is published. */
export function rulesBy(content: number | undefined, session: Session): Rules {
  const resolver = content === undefined ? beforeAny : (resolvers[content] as Resolver);
  return poisoned(resolver.rules(resolveFacts(session)), session);
}

const unusable = new WeakMap<Rules, Rules>();

/** Unusable ones, where the session's user is in the group that has them. */
export function poisoned(rules: Rules, { facts }: Session): Rules {
  if (facts.groups?.includes(POISON_GROUP) !== true) return rules;
  const known = unusable.get(rules);
  if (known !== undefined) return known;
  const broken = Object.defineProperty({ ...rules, hash: `${rules.hash}-poison` }, "conditions", {
    get: () => {
      throw new Error("poison");
    },
  });
  unusable.set(rules, broken);
  return broken;
}

type Told = SessionEvent | told.SceneEvent;

/** What helps a session on, by where it rests. */
const USUAL: Readonly<Record<StateName | "none", readonly Told[]>> = {
  none: [told.signedIn()],
  unenrolled: [told.enrolled(), told.enrolled(), told.posture(), told.signedIn()],
  pinSetup: [told.pinSet(), told.pinSet(), told.authSucceeded(), told.posture()],
  locked: [told.pinVerified(), told.authSucceeded(), told.posture(), told.threatLevel("secured"), told.pinRejected()],
  active: [
    told.backgrounded(),
    told.backgrounded(),
    told.foregrounded(),
    told.checkedIn(),
    told.launched(),
    told.connectivityLost(),
    told.signedIn(),
    told.posture(),
    told.biometricVerified(),
  ],
  noncompliant: [
    told.posture(),
    told.compliant(),
    told.checkedIn(),
    told.accountEnabled(),
    told.companyPortalInstalled(),
  ],
  remediating: [
    told.remediationCompleted(),
    told.remediationCompleted("NOT_COMPLIANT"),
    told.posture(),
    told.checkedIn(),
  ],
  signedOut: [told.wipeCompleted(), told.signedIn(), told.compliant(), told.accountEnabled(), told.wipeCancelled()],
};

const UNUSUAL: readonly Told[] = [
  told.signedOut(),
  told.signOutForced(),
  told.tokenRevoked(),
  told.authFailed(),
  told.pinResetRequested(),
  told.pinCancelled(),
  told.pinRejected(),
  told.biometricsChanged(),
  told.rebooted(),
  told.posture({ osVersion: "16.2" }),
  told.posture({ rooted: true }),
  told.threatLevel("high"),
  told.noncompliant(),
  told.compliant(),
  told.conditionalAccessDenied("mfa"),
  told.conditionalAccessGranted(),
  told.checkinFailed(),
  told.checkinFailed({ reason: "userInvalid" }),
  told.connectivityRestored(),
  told.wipeRequested(),
  told.wipeFailed(),
  told.remediationRequested({ silent: false }),
  told.accountNotAllowed(),
  told.enrollmentEnded(),
  told.policyRemoved(),
  told.accountDisabled(),
  told.accountEnabled(),
  told.licenseRevoked(),
  told.licenseGranted(),
  told.membershipChanged({ groups: ["sales"] }),
];
/** Rarely: the session is lost for the rest of the run. */
const POISON = told.membershipChanged({ groups: [POISON_GROUP] });

/** How somebody begins who gets in at once. */
const BEGINNING: readonly Told[] = [
  told.signedIn(),
  told.posture(),
  told.enrolled(),
  told.pinSet(),
  told.threatLevel("secured"),
];

/**
 * What is told of a session that stands like this.
 * @param draws one for each event, whole numbers below 1,000,000
 */
export function drawEvents(
  draws: readonly number[],
  session: Session | undefined,
  rules: Rules,
  { user }: Who,
): SessionEvent[] {
  const scene = { rules, ...(session && { session }) };
  const tell = (one: Told): SessionEvent => (typeof one === "function" ? one(scene) : one);
  if (session === undefined && draws.length > 1) return BEGINNING.slice(0, draws.length).map(tell);
  const usual = USUAL[session === undefined ? "none" : stateName(session.state)];
  return draws.map((draw) => {
    const kind = draw % 1_000;
    const of = Math.floor(draw / 1_000);
    if (kind < 3) return tell(POISON);
    if (kind < 30) return { type: "account.switched", fromAccountId: user, toAccountId: `user-${of % USERS}` };
    if (kind < 330) return tell(UNUSUAL[of % UNUSUAL.length] as Told);
    return tell(usual[of % usual.length] as Told);
  });
}
