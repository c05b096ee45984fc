/** Which demands of conditional access a session does not meet, and what would help. */
import type { AccessDemand, PolicyRef } from "./rules.js";

/** What a session can show. */
export interface AccessProofs {
  /** A sign-in with a second factor. */
  readonly mfa: boolean;
  readonly device: "compliant" | "noncompliant" | "unknown";
  readonly appProtection: "applied" | "pending" | "missing";
}

export interface UnmetDemand {
  readonly policy: PolicyRef;
  /** Controls that are not satisfied. */
  readonly controls: readonly string[];
  /** What would satisfy enough of them; `none`: nothing would. `wait`: all that is missing is still on its way. */
  readonly remedy: "none" | "application" | "device" | "signIn" | "wait";
}

type Remedy = UnmetDemand["remedy"];
const EASIEST: readonly Remedy[] = ["wait", "signIn", "application", "device", "none"];

/** In the order of the demands. Of alternatives the easiest remedy counts, of controls that must all be met the hardest. */
export function unmetDemands(demands: readonly AccessDemand[], proofs: AccessProofs): readonly UnmetDemand[] {
  const unmet: UnmetDemand[] = [];
  for (const { policy, operator, controls, unsupported } of demands) {
    const missing: string[] = [];
    const ranks: number[] = [];
    for (const control of controls) {
      const remedy = unsupported?.includes(control) ? "none" : remedyOf(control, proofs);
      if (remedy === undefined) continue;
      missing.push(control);
      ranks.push(EASIEST.indexOf(remedy));
    }
    if (operator === "OR" ? missing.length < controls.length : missing.length === 0) continue;
    const rank = operator === "OR" ? Math.min(...ranks) : Math.max(...ranks);
    unmet.push({ policy, controls: missing, remedy: EASIEST[rank] as Remedy });
  }
  return unmet;
}

/** What would satisfy a control; `undefined`: it is satisfied. */
function remedyOf(control: string, { mfa, device, appProtection }: AccessProofs): Remedy | undefined {
  switch (control) {
    case "mfa":
    // Entra asks for these two at a sign-in. The one sign-in that a session can show is the one with a second factor.
    case "termsOfUse":
    case "passwordChange":
      return mfa ? undefined : "signIn";
    case "compliantDevice":
      return device === "compliant" ? undefined : device === "unknown" ? "wait" : "device";
    case "compliantApplication":
      return appProtection === "applied" ? undefined : appProtection === "pending" ? "wait" : "application";
    default:
      return "none";
  }
}
