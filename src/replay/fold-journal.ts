/** Feeds a partition's journal to a replay, with every catalogue version that its records name at hand. */
import type { JournalRecord } from "../../machines/outcome.js";
import type { RulesSource } from "../control/rules-source.js";
import { isTombstone } from "../store/journal-chain.js";
import type { JournalEntry } from "../store/partition-store.js";
import type { PartitionReplay } from "./partition-replay.js";

/** @throws CatalogueMissingError, StoreUnavailableError */
export async function foldEntries(
  replay: PartitionReplay,
  source: RulesSource,
  entries: readonly JournalEntry[],
): Promise<void> {
  const records: (JournalRecord | null)[] = [];
  const named = new Map<string, { readonly tenant: string; readonly version: number }>();
  let latest: { readonly tenant: string; readonly version: number } | undefined;
  for (const entry of entries) {
    if (isTombstone(entry)) {
      records.push(null);
      continue;
    }
    const record = JSON.parse(entry.body) as JournalRecord;
    records.push(record);
    const { session, version } = record;
    if (version === undefined) continue;
    // Most records name what the one before them named.
    if (latest?.version === version && isOfTenant(session, latest.tenant)) continue;
    latest = { tenant: session.slice(0, session.indexOf("/")), version };
    named.set(`${latest.tenant}/${version}`, latest);
  }
  await source.prepare({}, named.values());
  for (const one of records) {
    if (one === null) replay.skip();
    else replay.take(one);
  }
}

const isOfTenant = (session: string, tenant: string): boolean =>
  session.startsWith(tenant) && session[tenant.length] === "/";
