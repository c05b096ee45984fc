/** The rules that a specification plays under, with only what matters to it spelled out. */
import { parsePolicy } from "../../machines/policy/app-protection-policy.js";
import { contentHash } from "../../machines/policy/content-hash.js";
import { resolve } from "../../machines/policy/resolve.js";
import type { PinRules, Platform, Rules } from "../../machines/policy/rules.js";
import { TenantSettings } from "../../machines/policy/settings.js";

export interface RulesSpec extends Partial<Omit<Rules, "hash" | "pin" | "platform">> {
  /** The default is the policy document's, or `ios`. */
  readonly platform?: Platform;
  /** Properties of a Graph app protection policy, or a whole document. What it leaves out has the meaning Graph gives it. */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** The tenant's settings, as they would be published. */
  readonly settings?: Parameters<typeof TenantSettings.parse>[0];
  /** Laid over the policy's PIN rules; `null`: no PIN. */
  readonly pin?: Partial<PinRules> | null;
}

/**
 * Rules of a session that a policy covers. Give Graph properties, or the rules themselves, or both; the latter win.
 *
 * @example
 * rules({ policy: { minimumRequiredOsVersion: "17.0" }, pin: { minLength: 6 } })
 * @throws Error if the policy has a value that can't be what its property means
 */
export function rules(spec: RulesSpec = {}): Rules {
  const { platform, policy: properties = {}, settings = {}, pin, ...overrides } = spec;
  const { policy, findings } = parsePolicy({
    "@odata.type": `#microsoft.graph.${platform ?? "ios"}ManagedAppProtection`,
    displayName: "Specification",
    ...properties,
  });
  // What it leaves out, its assignments and apps, is taken to mean everybody and every app: just what a specification wants.
  const finding = findings.find(({ value }) => value !== undefined);
  if (finding !== undefined) {
    throw new Error(`policy.${finding.property}: ${JSON.stringify(finding.value)} is not ${finding.expected}`);
  }
  const resolved = resolve(
    { version: 1, policies: [policy], conditionalAccess: [], settings: TenantSettings.parse(settings) },
    { ...SOMEBODY, platform: policy.platform === "both" ? (platform ?? "ios") : policy.platform },
  );
  return hashed({ ...resolved, ...overrides, pin: pin === null ? null : pinRules(resolved.pin, pin) });
}

/** Rules of a session that no policy covers. */
export function noPolicy({ platform = "ios", settings = {} }: Pick<RulesSpec, "platform" | "settings"> = {}): Rules {
  return resolve(
    { version: 1, policies: [], conditionalAccess: [], settings: TenantSettings.parse(settings) },
    { ...SOMEBODY, platform },
  );
}

const SOMEBODY = { app: "azure-mobile", user: "dana", mdmEnrolled: undefined, licensed: true, groups: [] };

function pinRules(base: PinRules | null, over: Partial<PinRules> | undefined): PinRules | null {
  if (base === null && over !== undefined) throw new Error("pin: the policy asks for no PIN; set pinRequired");
  return base === null ? null : { ...base, ...over };
}

function hashed({ hash: _, ...content }: Rules): Rules {
  return { hash: contentHash(content), ...content };
}
