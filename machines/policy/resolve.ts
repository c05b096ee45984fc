/** From a catalogue to the rules of one session. */
import { accessDemands } from "./access-coverage.js";
import type { Catalogue } from "./catalogue.js";
import { conditionsOf } from "./conditions.js";
import { contentHash } from "./content-hash.js";
import { coverage } from "./coverage.js";
import { GRAPH_PROPERTIES, graphValue, type GraphValues } from "./graph-properties.js";
import { mergedValues, mergeSettings } from "./merge.js";
import type { ResolveFacts } from "./resolve-facts.js";
import type { PinRules, Platform, PolicyRef, Rules } from "./rules.js";
import type { TenantSettings } from "./settings.js";

export type { ResolveFacts } from "./resolve-facts.js";

/**
 * The rules of a session with these facts. Pure: the same catalogue and facts give the same rules, hash included, whatever the order
 * of policies, assignments, groups or keys. Where no policy covers the session, the rules are unmanaged: they name no policy, and ask
 * for nothing but conditional access.
 */
export function resolve(catalogue: Catalogue, facts: ResolveFacts): Rules {
  const { settings } = catalogue;
  const all = coverage(catalogue, facts);
  const covering = all.filter(({ covers }) => covers === true).map(({ policy }) => policy);
  const values = mergedValues(mergeSettings(covering, facts.platform, settings.numericConflicts));
  const content: Omit<Rules, "hash"> = {
    platform: facts.platform,
    ...(covering.length === 0
      ? UNMANAGED
      : managed(
          covering.map(({ id, name }) => ({ id, name })),
          facts.platform,
          values,
          settings,
        )),
    conditionalAccess: accessDemands(catalogue, facts),
    membershipUnknown: all.some(({ covers }) => covers === "unknown"),
    remediation: settings.remediation,
    dispositions: settings.dispositions,
    wipeOnSignOut: settings.wipeOnSignOut,
  };
  return { hash: contentHash(content), ...content };
}

type PolicyPart = Omit<
  Rules,
  "hash" | "platform" | "conditionalAccess" | "membershipUnknown" | "remediation" | "dispositions" | "wipeOnSignOut"
>;

const UNMANAGED: PolicyPart = {
  policies: [],
  pin: null,
  credentialsRequired: false,
  recheckAfterMs: GRAPH_PROPERTIES.periodOnlineBeforeAccessCheck.absent,
  offline: { blockAfterMs: null, wipeAfterMs: null },
  disabledAccount: null,
  offShift: null,
  conditions: [],
};

function managed(
  policies: readonly PolicyRef[],
  platform: Platform,
  values: GraphValues,
  settings: TenantSettings,
): PolicyPart {
  return {
    policies,
    pin: pinRules(platform, values),
    credentialsRequired: graphValue(values, "organizationalCredentialsRequired"),
    recheckAfterMs: graphValue(values, "periodOnlineBeforeAccessCheck"),
    offline: {
      blockAfterMs: graphValue(values, "periodOfflineBeforeAccessCheck"),
      wipeAfterMs: graphValue(values, "periodOfflineBeforeWipeIsEnforced"),
    },
    disabledAccount: graphValue(values, "appActionIfUnableToAuthenticateUser"),
    offShift: offShift(values),
    conditions: conditionsOf(values, settings.wipeComparison),
  };
}

function pinRules(platform: Platform, values: GraphValues): PinRules | null {
  if (!graphValue(values, "pinRequired")) return null;
  return {
    minLength: graphValue(values, "minimumPinLength"),
    kind: graphValue(values, "pinCharacterSet") === "numeric" ? "numeric" : "passcode",
    simpleBlocked: graphValue(values, "simplePinBlocked"),
    maxAttempts: graphValue(values, "maximumPinRetries"),
    whenAttemptsSpent: graphValue(values, "appActionIfMaximumPinRetriesExceeded") === "wipe" ? "wipe" : "reset",
    maxAgeMs: graphValue(values, "periodBeforePinReset"),
    historyCount: graphValue(values, "previousPinBlockCount"),
    biometricAllowed: biometricAllowed(values),
    biometricTimeoutMs: graphValue(values, "pinRequiredInsteadOfBiometricTimeout"),
    // iOS always asks for the PIN after such a change; Android leaves it to the policy.
    pinAfterBiometricChange: platform === "ios" || graphValue(values, "requirePinAfterBiometricChange"),
    exemptWithDeviceLock: graphValue(values, "disableAppPinIfDevicePinIsSet"),
  };
}

/**
 * Events say "biometric", never which one. Where a policy blocks one kind, a biometric proof can't be told from the blocked kind,
 * so none counts.
 */
function biometricAllowed(values: GraphValues): boolean {
  return (
    graphValue(values, "fingerprintAndBiometricEnabled") ??
    !(
      graphValue(values, "fingerprintBlocked") ||
      graphValue(values, "faceIdBlocked") ||
      graphValue(values, "biometricAuthenticationBlocked")
    )
  );
}

function offShift(values: GraphValues): Rules["offShift"] {
  const action = graphValue(values, "appActionIfAccountIsClockedOut");
  if (action === null) return null;
  return { action, graceMs: graphValue(values, "gracePeriodToBlockAppsDuringOffClockHours") ?? 0 };
}
