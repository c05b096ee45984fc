/** Everything that decides a tenant's rules, as one immutable version. */
import type { AppProtectionPolicy } from "./app-protection-policy.js";
import type { ConditionalAccessPolicy } from "./conditional-access-policy.js";
import type { TenantSettings } from "./settings.js";

export interface Catalogue {
  /** Counts up by one with each publish. */
  readonly version: number;
  /** Each id once. Their order means nothing. */
  readonly policies: readonly AppProtectionPolicy[];
  readonly conditionalAccess: readonly ConditionalAccessPolicy[];
  readonly settings: TenantSettings;
}
