/** Which quarantined sessions a command is about. */
import { type Command, Option } from "commander";
import type { SessionId } from "../../../machines/session/session.js";
import {
  QUARANTINE_KINDS,
  type QuarantineFilter,
  type QuarantinedSession,
  findQuarantined,
} from "../../quarantine/find-quarantined.js";
import type { PartitionStore } from "../../store/partition-store.js";
import { UsageError } from "../failure.js";
import { sessionIdOf, wholeNumber } from "../options.js";
import { progressBar } from "../progress-bar.js";
import { columns, count } from "../terminal.js";

export function withFilter(command: Command): Command {
  return command
    .addOption(new Option("--kind <kind>", "of this kind").choices(QUARANTINE_KINDS))
    .option("--why <text>", "whose reason contains this")
    .option("--event <type>", "that an event of this type set aside")
    .option("--partition <n>", "of this partition", wholeNumber(0))
    .option("--device <device>")
    .option("--user <user>");
}

/** As commander gives it: `--reason` says why an administrator acts. */
export interface FilterOptions extends Omit<QuarantineFilter, "reason"> {
  readonly why?: string;
}

export const filterOf = ({ kind, why, event, partition, device, user }: FilterOptions): QuarantineFilter => ({
  kind,
  reason: why,
  event,
  partition,
  device,
  user,
});

/** Looks through all of them, and shows how far it is. @throws UsageError */
export async function find(
  store: PartitionStore,
  tenant: string,
  filter: FilterOptions,
): Promise<QuarantinedSession[]> {
  const { partitionCount } = store.deployment;
  if (filter.partition !== undefined && filter.partition >= partitionCount) {
    throw new UsageError(`there is no partition ${filter.partition}`, { fix: `Give 0 to ${partitionCount - 1}.` });
  }
  const surveys = await store.survey(Array.from({ length: partitionCount }, (_, partition) => partition));
  const bar = progressBar(
    surveys.reduce((sum, { sessions }) => sum + sessions, 0),
    "sessions",
  );
  let looked = 0;
  try {
    return await findQuarantined(store, tenant, filterOf(filter), (more) => bar.show((looked += more)));
  } finally {
    bar.stop();
  }
}

/** Those that are named, else those that the filter finds. @throws UsageError if there are both */
export async function idsOf(
  store: PartitionStore,
  tenant: string,
  named: readonly string[],
  filter: FilterOptions,
): Promise<SessionId[]> {
  if (named.length > 0 && Object.values(filterOf(filter)).some((value) => value !== undefined)) {
    throw new UsageError("sessions are named, and a filter is given", { fix: "Name sessions, or give a filter." });
  }
  if (named.length > 0) return [...new Set(named.map((text) => sessionIdOf(text, tenant)))];
  return (await find(store, tenant, filter)).flatMap(({ session }) => session ?? []);
}

/** How many for each reason, the most first. */
export function reasonLines(reasons: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  return columns([...counts].sort(([, one], [, other]) => other - one).map(([reason, n]) => [`  ${count(n)}`, reason]));
}
