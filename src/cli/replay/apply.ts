/** `gatehouse replay --apply`: recorded events are sent in again. */
import { readConfig } from "../../config.js";
import type { OpenDeployment } from "../../deployment/open-deployment.js";
import { GatehouseError } from "../../errors.js";
import { journalPages } from "../../replay/journal-pages.js";
import { type ReemitScope, reemit, reported } from "../../replay/reemit.js";
import { record } from "../act.js";
import { confirmed } from "../confirm.js";
import { UsageError } from "../failure.js";
import { onInterrupt } from "../interrupt.js";
import { journalOf } from "../journal-run.js";
import { atMoment } from "../moment.js";
import { shortId } from "../options.js";
import { progressBar } from "../progress-bar.js";
import { openRunning } from "../redis-access.js";
import { count, instant, note, print, printJson } from "../terminal.js";
import { type ReplayOptions, meant, partitionOfSession } from "./options.js";

/** Somebody ended it before all was sent in. */
class ReplayStoppedError extends GatehouseError {
  readonly code = "replay.stopped";
  readonly retryable = true;

  constructor() {
    super("it was ended before all events were sent in", { fix: "Go on where it stopped, with --from." });
  }
}

const SAMPLE = 5;
/** Sent in at a time. */
const AT_ONCE = 500;

export async function replayApplied(options: ReplayOptions): Promise<void> {
  const config = readConfig();
  const { tenant, id } = meant(options, config);
  const { json, from: [fromPartition, fromSeq] = [0, 0] } = options;
  const deployment = await openRunning(config);
  const stopping = new AbortController();
  let at: readonly [number, number] = [fromPartition, fromSeq];
  try {
    const { store } = deployment;
    const { partitionCount } = store.deployment;
    const only = id === undefined ? options.partition : [partitionOfSession(id, partitionCount)];
    const source = { store, catalogues: deployment.catalogues };
    const journal = await journalOf({ source, partitionCount }, only);
    const scope: ReemitScope = {
      tenant,
      session: id,
      since: options.since && atMoment(options.since, journal.now),
      until: options.until && atMoment(options.until, journal.now),
    };
    const partitions = journal.partitions.filter((partition) => partition >= fromPartition);
    // What is sent in now is not sent in again.
    const ends = new Map<number, number>();
    const sample: string[] = [];
    let total = 0;
    for (const partition of partitions) {
      for await (const { entries, upTo } of pagesOf(deployment, partition, at, undefined)) {
        ends.set(partition, upTo);
        for (const { session, at: when, event } of reported(entries, scope)) {
          if (total++ < SAMPLE) sample.push(`${instant(when)}  ${shortId(session)}  ${event.type}`);
        }
      }
    }
    if (total === 0)
      throw new UsageError("no recorded event is meant", { fix: "Widen --since, --until or --session." });
    note(
      `${count(total)} recorded events would be sent in again, with everything that follows from those not remembered:`,
    );
    for (const line of sample) note(`  ${line}`);
    if (total > SAMPLE) note(`  … and ${count(total - SAMPLE)} more`);
    if (options.yes !== true) {
      if (json) return printJson({ applied: false, of: total, sample });
      if (!process.stdin.isTTY) return note("Nothing was sent in: --yes sends them in.");
      if (!(await confirmed("send so many events in", String(total)))) return note("Nothing was sent in.");
    }
    let settle = (): void => undefined;
    const settled = new Promise<void>((resolve) => (settle = resolve));
    // What is under way gets its answer, and it is said how far that was.
    const release = onInterrupt(async () => {
      stopping.abort(new ReplayStoppedError());
      await settled;
    });
    // Whoever goes on means the same events, and none that was sent in again meanwhile.
    const resume = (): string => resumeCommand(options, { ...scope, until: scope.until ?? journal.now }, at);
    const bar = progressBar(total, "events");
    const sum = { accepted: 0, duplicate: 0, conflict: 0 };
    let done = 0;
    const sendIn = async (): Promise<void> => {
      for (const partition of partitions) {
        for await (const { entries } of pagesOf(deployment, partition, at, ends.get(partition) ?? 0)) {
          const records = reported(entries, scope);
          for (let n = 0; n < records.length; n += AT_ONCE) {
            stopping.signal.throwIfAborted();
            const some = records.slice(n, n + AT_ONCE);
            at = [partition, some[0]?.seq ?? 0];
            const answer = await reemit(deployment, partition, some);
            at = [partition, (some.at(-1)?.seq ?? 0) + 1];
            sum.accepted += answer.accepted;
            sum.duplicate += answer.duplicate;
            sum.conflict += answer.conflict;
            bar.show((done += some.length));
          }
        }
      }
    };
    const about = {
      since: scope.since === undefined ? undefined : iso(scope.since),
      until: scope.until === undefined ? undefined : iso(scope.until),
      partitions: options.partition?.map(String),
      from: options.from?.join("/"),
    };
    try {
      await record(
        { ...config, tenant, redis: deployment.redis },
        options,
        { act: "events.replay", about, person: { user: id?.split("/")[2], device: id?.split("/")[1] } },
        async ({ touch }) => sendIn().finally(() => touch({ ...sum })),
      );
    } catch (error) {
      bar.stop();
      note(`${count(done)} of ${count(total)} events were sent in. To go on: ${resume()}`);
      if (!stopping.signal.aborted) throw error;
    } finally {
      bar.stop();
      settle();
      release();
    }
    if (json)
      printJson({
        applied: true,
        ...sum,
        sent: done,
        of: total,
        ...(done < total && { resumeFrom: at.join("/"), resume: resume() }),
      });
    else
      print(
        `${count(done)} sent in = ${count(sum.accepted)} accepted + ${count(sum.duplicate)} duplicate + ${count(sum.conflict)} conflict`,
      );
  } finally {
    await deployment.close();
  }
}

const iso = (ms: number): string => new Date(ms).toISOString();

/** What goes on where this run stopped. */
function resumeCommand(
  { tenant, partition, session }: ReplayOptions,
  { since, until }: ReemitScope,
  at: readonly [number, number],
): string {
  return [
    "gatehouse replay --apply",
    ...(tenant === undefined ? [] : [`--tenant ${tenant}`]),
    ...(session === undefined ? [] : [`--session ${session}`]),
    ...(partition === undefined ? [] : [`--partition ${partition.join(" ")}`]),
    ...(since === undefined ? [] : [`--since ${iso(since)}`]),
    ...(until === undefined ? [] : [`--until ${iso(until)}`]),
    `--from ${at.join("/")}`,
  ].join(" ");
}

async function* pagesOf(
  { store }: OpenDeployment,
  partition: number,
  [fromPartition, fromSeq]: readonly [number, number],
  upTo: number | undefined,
) {
  const oldest = (await store.oldestRecord(partition)) ?? 1;
  const last = upTo ?? (await store.chunk(partition, null, 1)).seq;
  yield* journalPages(store, partition, Math.max(oldest, partition === fromPartition ? fromSeq : 0), last);
}
