/** Everything that decides a tenant's rules, as one immutable version. */
import type { AppProtectionPolicy } from "./app-protection-policy.js";
import type { TenantSettings } from "./settings.js";

export interface Catalogue {
  /** Counts up by one with each publish. */
  readonly version: number;
  /** The first for a platform is the one that counts. */
  readonly policies: readonly AppProtectionPolicy[];
  readonly settings: TenantSettings;
}
