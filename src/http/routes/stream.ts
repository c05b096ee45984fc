/**
 * GET /v1/stream: transitions as they are committed, as server-sent events. It reads the journal, so whoever comes back with the last
 * event's id misses nothing that the journal still holds.
 */
import { z } from "@hono/zod-openapi";
import { streamSSE } from "hono/streaming";
import { setTimeout as delay } from "node:timers/promises";
import type { JournalRecord } from "../../../machines/outcome.js";
import { STATE_NAMES, stateName } from "../../../machines/session/context.js";
import { sessionIdParts } from "../../../machines/session/session.js";
import { canonicalId } from "../../../machines/users/canonical-id.js";
import { isTombstone } from "../../store/journal-chain.js";
import type { PartitionStore } from "../../store/partition-store.js";
import type { Api } from "../api.js";
import { rateLimited } from "../limits.js";
import { HttpProblem } from "../problem.js";

const LOOK_MS = 250;
const HEARTBEAT_MS = 15_000;
/** Records read of a partition at a time. */
const RECORDS = 100;
/** Streams side by side in one process: each looks at every partition four times a second. */
const MAX_STREAMS = 32;
const BUSY_MS = 10_000;

const Query = z.strictObject({
  state: z.enum(STATE_NAMES).optional().openapi({ description: "Transitions into this state" }),
  from: z.enum(STATE_NAMES).optional().openapi({ description: "Transitions out of this state" }),
  event: z.string().max(64).optional().openapi({ description: "Caused by this type of event" }),
  user: z.string().min(1).max(128).optional(),
  device: z.string().min(1).max(64).optional(),
  all: z.enum(["true", "false"]).default("false").openapi({ description: "Records that change no state, too" }),
});
type Filter = z.infer<typeof Query>;

/** The last record seen of each partition. */
type Positions = number[];

const writeId = (positions: Positions): string => positions.map((seq) => seq.toString(36)).join(".");

/** @throws HttpProblem if it is no id of this deployment's */
function readId(id: string, partitionCount: number): Positions {
  const positions = id
    .split(".")
    .map((text) => (/^[0-9a-z]{1,10}$/.test(text) ? Number.parseInt(text, 36) : Number.NaN));
  if (positions.length === partitionCount && positions.every(Number.isSafeInteger)) return positions;
  throw new HttpProblem("request.invalid", "Last-Event-ID is not one that this stream gave.", {
    fix: "Send the id of the last event as it came, or none to begin now.",
  });
}

function matches(record: JournalRecord, tenant: string, { state, from, event, user, device, all }: Filter): boolean {
  const id = sessionIdParts(record.session);
  const [before, after] = [record.from, record.to].map((path) => (path === undefined ? undefined : stateName(path)));
  return (
    id.tenant === tenant &&
    (all === "true" || (record.outcome === "applied" && record.from !== record.to)) &&
    (state === undefined || (state === after && state !== before)) &&
    (from === undefined || (from === before && from !== after)) &&
    (event === undefined || event === record.event.type) &&
    (user === undefined || canonicalId(user) === id.user) &&
    (device === undefined || canonicalId(device) === id.device)
  );
}

const view = (record: JournalRecord) => ({
  session: record.session,
  at: record.at,
  event: record.event.type,
  outcome: record.outcome,
  ...(record.reason !== undefined && { reason: record.reason }),
  from: record.from ?? null,
  to: record.to ?? null,
  revision: record.revision,
  effects: record.effects.map(({ type }) => type),
});

export function streamRoutes(api: Api): void {
  const { deployment, stopping, log } = api.dependencies;
  const { store } = deployment;
  const { partitionCount } = store.deployment;
  let streams = 0;

  api.route(
    {
      method: "get",
      path: "/v1/stream",
      scope: "operate",
      tag: "Sessions",
      summary: "Follow transitions as they happen",
      description:
        "Server-sent events, from now on; after a break, from the event whose id Last-Event-ID says. The event `gap` says that " +
        "records in between are no longer kept.",
      query: Query,
      responses: {
        200: { description: "One event for each transition", content: { "text/event-stream": { schema: z.string() } } },
      },
    },
    async ({ context, key: { tenant }, query }) => {
      const last = context.req.header("last-event-id");
      const positions = last === undefined ? await heads(store) : readId(last, partitionCount);
      if (streams >= MAX_STREAMS) throw rateLimited(`This server has ${MAX_STREAMS} streams open already.`, BUSY_MS);
      streams++;
      return streamSSE(
        context,
        async (stream) => {
          const isOver = () => stream.aborted || stream.closed || stopping.aborted;
          try {
            let saidAt = performance.now();
            await stream.write(": follows\n\n");
            while (!isOver()) {
              for (const message of await news(store, positions, tenant, query)) {
                await stream.writeSSE({ ...message, id: writeId(positions) });
                saidAt = performance.now();
              }
              if (performance.now() - saidAt > HEARTBEAT_MS) {
                await stream.write(": still here\n\n");
                saidAt = performance.now();
              }
              await delay(LOOK_MS);
            }
          } finally {
            streams--;
          }
        },
        async (error) => {
          log.warn({ err: error }, "a stream of transitions ended early");
        },
      );
    },
  );
}

async function heads(store: PartitionStore): Promise<Positions> {
  const partitions = Array.from({ length: store.deployment.partitionCount }, (_, partition) => partition);
  return Promise.all(partitions.map(async (partition) => (await store.chunk(partition, null, 1)).seq));
}

interface Message {
  readonly event: "transition" | "gap";
  readonly data: string;
}

/** What came since, partition by partition; `positions` move on. */
async function news(store: PartitionStore, positions: Positions, tenant: string, filter: Filter): Promise<Message[]> {
  const found = await Promise.all(
    positions.map(async (seq, partition) =>
      store.records(
        partition,
        Array.from({ length: RECORDS }, (_, n) => seq + 1 + n),
      ),
    ),
  );
  const messages: { readonly at: number; readonly message: Message }[] = [];
  for (const [partition, records] of found.entries()) {
    for (const stored of records) {
      if (stored === null) continue;
      const missed = stored.seq - (positions[partition] ?? 0) - 1;
      positions[partition] = stored.seq;
      if (missed > 0) messages.push({ at: 0, message: { event: "gap", data: JSON.stringify({ partition, missed }) } });
      if (isTombstone(stored)) continue;
      const record = JSON.parse(stored.body) as JournalRecord;
      if (!matches(record, tenant, filter)) continue;
      messages.push({ at: record.at, message: { event: "transition", data: JSON.stringify(view(record)) } });
    }
  }
  return messages.sort((one, other) => one.at - other.at).map(({ message }) => message);
}
