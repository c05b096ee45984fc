/** What a tenant's own people see to: policies, sessions that were set aside, the secret key. */
import type { Config } from "../../config.js";
import type { QuarantinedSession } from "../../quarantine/find-quarantined.js";
import type { secretStanding } from "../../secrets/secret-key.js";
import { shortId } from "../options.js";
import { type DoctorCheck, failed, ok, plural, some, warning } from "./check.js";

/** @param version in force; 0: none was ever published */
export function catalogueCheck({ tenant }: Pick<Config, "tenant">, version: number): DoctorCheck {
  return version > 0
    ? ok("policies", `version ${version} of ${tenant}'s policies is in force`)
    : warning(
        "policies",
        `no policy of ${tenant} was ever published, so none of its sessions is managed`,
        "Import and publish them: `gatehouse policy import`, `gatehouse policy publish`. GATEHOUSE_TENANT names the tenant.",
      );
}

export function quarantineCheck(found: readonly QuarantinedSession[]): DoctorCheck {
  const name = "quarantine";
  if (found.length === 0) return ok(name, "no session is set aside");
  const ids = found.map(({ session }) => (session === null ? "one that can't be read" : shortId(session)));
  return warning(
    name,
    `${plural(found.length, "session is", "sessions are")} set aside, and denied: ${some(ids, 3)}`,
    "Why: `gatehouse quarantine list`. Once it is mended: `gatehouse quarantine redrive`.",
  );
}

export function secretCheck(standing: Awaited<ReturnType<typeof secretStanding>>): DoctorCheck {
  const name = "secret";
  switch (standing) {
    case "same":
      return ok(name, "the secret key is the deployment's");
    case "unused":
      return ok(name, "no API key and no webhook was made yet, so no secret key is needed");
    case "missing":
      return warning(
        name,
        "API keys or webhooks were made with a secret key, and there is none here",
        "Set GATEHOUSE_SECRET_KEY as where `gatehouse serve` and the workers run; they need it.",
      );
    case "another":
      return failed(
        name,
        "the secret key is another one than that with which this deployment was begun",
        "Set GATEHOUSE_SECRET_KEY as on the other machines: API keys and webhook secrets made with another can't be used.",
      );
  }
}
