/**
 * Writes the golden journal of this machine version: a generated working day with its catalogues, every record and every session at the end.
 * What a released version recorded never changes, so an existing file is only replaced with `--replace`, and never once that version is released.
 */
import { existsSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { MACHINE_VERSION } from "../machines/session/chart.js";
import { broadcast } from "../src/control/announce.js";
import { type CatalogueDocument, readCatalogue } from "../src/control/catalogue-document.js";
import { RulesSource } from "../src/control/rules-source.js";
import { DAY_END_MS, DAY_START_MS, TENANT } from "../src/demo/day.js";
import { demoPolicies } from "../src/demo/policies.js";
import { workingDay } from "../src/demo/working-day.js";
import { CLOCK_BODY } from "../src/ingest/inbox-body.js";
import { ingest } from "../src/ingest/ingest.js";
import { createLogger } from "../src/log.js";
import { isTombstone } from "../src/store/journal-chain.js";
import { MemoryPartitionStore } from "../src/store/memory/memory-partition-store.js";
import { BROADCAST } from "../src/store/partition-store.js";
import { MemoryUserStore } from "../src/users/memory-user-store.js";
import { Drainer } from "../workers/drain.js";

const FILE = new URL(`../test/golden/machine-${MACHINE_VERSION}.ndjson.gz`, import.meta.url);
const DEVICES = 40;
const PARTITIONS = 4;
/** Events between two drains. */
const AT_ONCE = 100;

if (existsSync(FILE) && !process.argv.includes("--replace")) {
  process.stderr.write(
    `${FILE.pathname} is there already. If version ${MACHINE_VERSION} is released, what it recorded must stay: ` +
      "raise MACHINE_VERSION and write a migration. If it is not, run again with --replace.\n",
  );
  process.exit(1);
}

const { morning, noon } = demoPolicies();
const documents: readonly CatalogueDocument[] = [morning, noon];
const catalogues = {
  current: async () => documents.length,
  catalogue: async (_: string, version: number) => readCatalogue(documents[version - 1] as CatalogueDocument),
};
const store = new MemoryPartitionStore({ deployment: { partitionCount: PARTITIONS, clock: "event" } });
const users = new MemoryUserStore({ deployment: store.deployment, now: () => DAY_START_MS });
const rules = new RulesSource(catalogues);
const drainer = new Drainer({ store, rules, log: createLogger("warn", "golden"), onEffects: () => {} });
const wake = () => {};

async function drainAll(): Promise<void> {
  for (let partition = 0; partition < PARTITIONS; partition++) {
    while ((await drainer.drain(partition)) === "more");
  }
}

const policies = { morning: readCatalogue(morning), noon: readCatalogue(noon) };
let waiting: object[] = [];
const send = async (): Promise<void> => {
  await ingest({ store, users, wake }, TENANT, waiting);
  waiting = [];
  await drainAll();
};
await broadcast(store, wake, TENANT, 1, DAY_START_MS);
for (const item of workingDay({ seed: 1, devices: DEVICES, policies })) {
  if (item.kind === "event") waiting.push(item.event);
  if (waiting.length >= AT_ONCE || item.kind === "publish") await send();
  if (item.kind === "publish") await broadcast(store, wake, TENANT, 2, item.at);
}
await send();
for (let partition = 0; partition < PARTITIONS; partition++) {
  await store.ingest(partition, [{ session: BROADCAST, body: CLOCK_BODY, time: DAY_END_MS, fingerprint: null }]);
}
await drainAll();

const lines: object[] = documents.map((catalogue) => ({ catalogue }));
for (let partition = 0; partition < PARTITIONS; partition++) {
  const { seq } = await store.chunk(partition, null, 1);
  const records = await store.records(
    partition,
    Array.from({ length: seq }, (_, n) => n + 1),
  );
  for (const record of records) {
    if (record !== null && !isTombstone(record)) lines.push({ record: JSON.parse(record.body) as object });
  }
  const { snapshots } = await store.scan(partition, null, DEVICES * 32);
  for (const snapshot of snapshots) lines.push({ snapshot });
}
writeFileSync(FILE, gzipSync(lines.map((line) => `${JSON.stringify(line)}\n`).join(""), { level: 9 }));
process.stdout.write(`${FILE.pathname}: ${lines.length} lines\n`);
