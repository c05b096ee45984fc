/** One partition, folded again from its journal. */
import type { RulesOf } from "../../machines/fold-batch.js";
import { Resolver } from "../../machines/policy/resolver.js";
import { THIS_MACHINE, migrated } from "../../machines/session/machine-versions.js";
import { resolveFacts } from "../../machines/session/session.js";
import { type CatalogueContent, readCatalogue } from "../control/catalogue-document.js";
import { RulesSource } from "../control/rules-source.js";
import { foldEntries } from "./fold-journal.js";
import { type ReplaySource, pagesOf, reachOf } from "./journal-source.js";
import { loadMachine } from "./load-machine.js";
import { PartitionReplay, type ReplayReport, type ReplayScope, type TenantChange } from "./partition-replay.js";

/** Something that never was, or not then, for a tenant from a moment on. */
export interface Imagined {
  readonly tenant: string;
  /** Epoch ms. */
  readonly at: number;
  /** Policies in force. */
  readonly content?: CatalogueContent;
  /** Another chart: the file of its module. */
  readonly machine?: string;
}

export interface ReplayRequest {
  readonly scope: ReplayScope;
  readonly imagined?: Imagined;
}

/** Stands for policies that have no version. */
const IMAGINED_VERSION = Number.MAX_SAFE_INTEGER;

/**
 * @param onRecords is told of every so many records that are done
 * @throws StoreUnavailableError, ArchiveFileError, ArchiveDamagedError, CatalogueMissingError, PolicyError, ZodError, MachineInvalidError
 */
export async function replayPartition(
  from: ReplaySource,
  partition: number,
  { scope, imagined }: ReplayRequest,
  onRecords: (records: number) => void = () => {},
): Promise<ReplayReport> {
  const source = new RulesSource(from.catalogues, Infinity);
  const { oldest, last, clock, begin } = await reachOf(from, partition);
  await source.prepare(begin?.policies ?? {});
  const replay = new PartitionReplay({
    rules: rulesWith(source.rulesOf, imagined),
    scope,
    ...(begin && { begin }),
    ...(imagined && { change: await changeOf(imagined) }),
  });
  for await (const { entries } of pagesOf(from, partition, begin === undefined ? oldest : begin.seq + 1, last)) {
    await foldEntries(replay, source, entries);
    onRecords(entries.length);
  }
  return replay.report(clock);
}

async function changeOf({ tenant, at, content, machine: file }: Imagined): Promise<TenantChange> {
  const loaded = file === undefined ? undefined : await loadMachine(file);
  return {
    tenant,
    at,
    ...(content && { version: IMAGINED_VERSION }),
    ...(loaded && {
      machine: {
        chart: loaded.chart,
        migrate: (session) => migrated({ ...session }, THIS_MACHINE.version, loaded.machine),
      },
    }),
  };
}

function rulesWith(rulesOf: RulesOf, imagined: Imagined | undefined): RulesOf {
  if (imagined?.content === undefined) return rulesOf;
  const resolver = new Resolver(readCatalogue({ version: IMAGINED_VERSION, ...imagined.content }));
  return (tenant, version, session) =>
    version === IMAGINED_VERSION ? resolver.rules(resolveFacts(session)) : rulesOf(tenant, version, session);
}
