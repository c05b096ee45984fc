/** Which policies a record was judged by: it names its rules by a hash, and what they were made from is worked out again. */
import type { JournalRecord } from "../../machines/outcome.js";
import type { PolicyRef } from "../../machines/policy/rules.js";
import type { OpenDeployment } from "../deployment/open-deployment.js";
import { readStored } from "../store/partition-view.js";
import { sessionKey } from "../store/session-key.js";
import { readHistory } from "./history.js";
import { RulesUnknownError, rulesOfHistory } from "./rules-of-history.js";

/** Far more than a tenant's sessions are judged by side by side. */
const KEPT = 10_000;

export class PoliciesOfRules {
  private readonly known = new Map<string, readonly PolicyRef[]>();

  constructor(private readonly source: Pick<OpenDeployment, "store" | "rules" | "catalogues">) {}

  /**
   * @returns none if no policy covered the session, or it can't be told any more
   * @throws StoreUnavailableError, CatalogueMissingError
   */
  async of(partition: number, tenant: string, record: JournalRecord): Promise<readonly PolicyRef[]> {
    const name = `${tenant}/${record.rules}`;
    const known = this.known.get(name);
    if (known !== undefined) return known;
    const policies = (await this.asItIsNow(partition, tenant, record)) ?? (await this.asItWas(partition, record));
    // Of another session with these rules it may be possible to tell.
    if (policies === undefined) return [];
    if (this.known.size >= KEPT) this.known.clear();
    this.known.set(name, policies);
    return policies;
  }

  /** Mostly what decides which policies cover a session is what it was. */
  private async asItIsNow(
    partition: number,
    tenant: string,
    { session, version, rules: hash }: JournalRecord,
  ): Promise<readonly PolicyRef[] | undefined> {
    const { store, rules } = this.source;
    const snapshot = await store.snapshot(partition, sessionKey(session));
    if (snapshot === null || version === undefined) return undefined;
    const stored = readStored(snapshot);
    if ("unreadable" in stored) return undefined;
    await rules.prepare({}, [{ tenant, version }]);
    const found = rules.rulesOf(tenant, version, stored);
    return found.hash === hash ? found.policies : undefined;
  }

  private async asItWas(partition: number, record: JournalRecord): Promise<readonly PolicyRef[] | undefined> {
    const { store, catalogues } = this.source;
    const { records } = await readHistory(store, partition, record.seq);
    try {
      const all = await rulesOfHistory(catalogues, record.session, records);
      return all.find(({ hash }) => hash === record.rules)?.policies;
    } catch (error) {
      if (error instanceof RulesUnknownError) return undefined;
      throw error;
    }
  }
}
