/**
 * The rules that a session's records name by their hashes, worked out again: a record keeps the hash alone, but the catalogue's
 * versions are kept, and what of the session decides which policies cover it is in its records.
 */
import type { JournalRecord } from "../../machines/outcome.js";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import { Resolver } from "../../machines/policy/resolver.js";
import type { Rules } from "../../machines/policy/rules.js";
import type { SessionFacts } from "../../machines/session/context.js";
import { type SessionId, resolveFacts, sessionIdParts } from "../../machines/session/session.js";
import { EMPTY_CATALOGUE } from "../control/rules-source.js";
import { GatehouseError } from "../errors.js";

/** No stored version of the catalogue gives the session rules with this hash. */
export class RulesUnknownError extends GatehouseError {
  readonly code = "rules.unknown";
  readonly retryable = false;

  constructor(hash: string, seq: number) {
    super(`no version of the policies gives the session the rules ${hash} that record ${seq} was judged by`, {
      fix: "Another release may have worked them out. Take a history that this release recorded.",
    });
  }
}

export interface VersionSource {
  /** The newest version; 0: none was ever published. */
  current(tenant: string): Promise<number>;
  catalogue(tenant: string, version: number): Promise<Catalogue>;
}

/**
 * @param records the session's, from its first on
 * @returns each set of rules once, in the order in which the records name them
 * @throws RulesUnknownError, CatalogueMissingError, StoreUnavailableError
 */
export async function rulesOfHistory(
  source: VersionSource,
  id: SessionId,
  records: readonly JournalRecord[],
): Promise<readonly Rules[]> {
  const { tenant } = sessionIdParts(id);
  const newest = await source.current(tenant);
  const resolvers = new Map<number, Resolver>();
  const resolverOf = async (version: number): Promise<Resolver> => {
    let resolver = resolvers.get(version);
    if (resolver === undefined) {
      resolver = new Resolver(version === 0 ? EMPTY_CATALOGUE : await source.catalogue(tenant, version));
      resolvers.set(version, resolver);
    }
    return resolver;
  };

  const found = new Map<string, Rules>();
  let facts: Partial<SessionFacts> = {};
  for (const { seq, event, rules: hash, changed } of records) {
    if (event.type === "account.signedIn" && facts.platform === undefined) facts = { platform: event.platform };
    if (!found.has(hash)) {
      const named = "version" in event && typeof event.version === "number" ? [event.version] : [];
      const older = Array.from({ length: newest + 1 }, (_, n) => newest - n);
      const known = { id, facts: facts as SessionFacts };
      for (const version of new Set([...named.filter((one) => one <= newest), ...older])) {
        const rules = (await resolverOf(version)).rules(resolveFacts(known));
        if (rules.hash === hash) {
          found.set(hash, rules);
          break;
        }
      }
      if (!found.has(hash)) throw new RulesUnknownError(hash, seq);
    }
    for (const [fact, value] of Object.entries(changed ?? {})) facts = { ...facts, [fact]: value ?? undefined };
  }
  return [...found.values()];
}
