/**
 * GET /v1/stream: transitions as they are committed, as server-sent events. It reads the journal, so whoever comes back with the last
 * event's id misses nothing that the journal still holds.
 */
import type { HttpBindings } from "@hono/node-server";
import { z } from "@hono/zod-openapi";
import { streamSSE } from "hono/streaming";
import { setTimeout as delay } from "node:timers/promises";
import { type Followed, TransitionFollower } from "../../sessions/follow-transitions.js";
import { ASKED_STATES } from "../../sessions/session-filter.js";
import { type StreamPosition, readPosition } from "../../sessions/stream-position.js";
import type { Api } from "../api.js";
import { rateLimited } from "../limits.js";
import { HttpProblem } from "../problem.js";

const LOOK_MS = 250;
const HEARTBEAT_MS = 15_000;
/** Whoever leaves unread for so long what is sent, and has filled every buffer on the way, is cut off. */
const SLOW_READER_MS = 20_000;
/** Streams side by side in one process: each looks at every partition four times a second. */
const MAX_STREAMS = 32;
/** Of them for one tenant: nobody keeps the others out. */
const MAX_STREAMS_OF_TENANT = 16;
const BUSY_MS = 10_000;

const State = z.enum(ASKED_STATES);

const Query = z.strictObject({
  state: State.optional().openapi({ description: "Transitions into this state, or this part of one" }),
  from: State.optional().openapi({ description: "Transitions out of this state" }),
  event: z.string().max(64).optional().openapi({ description: "Caused by this type of event" }),
  cause: z.string().max(64).optional().openapi({
    description: "By which the session is kept out then: a cause of noncompliance, or a reason of a sign-out",
  }),
  policy: z
    .string()
    .min(1)
    .max(256)
    .optional()
    .openapi({ description: "Under rules made from this policy: its id, or its whole name" }),
  user: z.string().min(1).max(128).optional(),
  device: z.string().min(1).max(64).optional(),
  all: z.enum(["true", "false"]).default("false").openapi({ description: "Records that change no state, too" }),
});

/** @throws HttpProblem if it is no id of this deployment's */
function positionOf(id: string, partitionCount: number): StreamPosition {
  const position = readPosition(id, partitionCount);
  if (position !== undefined) return position;
  throw new HttpProblem("request.invalid", "Last-Event-ID is not one that this stream gave.", {
    fix: "Send the id of the last event as it came, or none to begin now.",
  });
}

function message(followed: Followed): { readonly event: string; readonly data: string } {
  switch (followed.kind) {
    case "transition":
      return { event: "transition", data: JSON.stringify(followed.transition) };
    case "gap":
    case "wentBack": {
      const { kind, ...data } = followed;
      return { event: kind, data: JSON.stringify(data) };
    }
  }
}

async function isWithin(work: Promise<unknown>, ms: number): Promise<boolean> {
  const done = new AbortController();
  const late = delay(ms, false, { signal: done.signal }).catch(() => true);
  const isDone = await Promise.race([work.then(() => true), late]);
  done.abort();
  return isDone;
}

export function streamRoutes(api: Api): void {
  const { deployment, stopping, log, slowReaderMs = SLOW_READER_MS } = api.dependencies;
  const { partitionCount } = deployment.store.deployment;
  /** Open now, by tenant. */
  const open = new Map<string, number>();

  api.route(
    {
      method: "get",
      path: "/v1/stream",
      scope: "operate",
      tag: "Sessions",
      summary: "Follow transitions as they happen",
      description:
        "Server-sent events, from now on; after a break, from the event whose id Last-Event-ID says. The event `gap` says that " +
        "records in between are no longer kept; `wentBack`, that a journal ends before what was seen, as after a restore.",
      query: Query,
      responses: {
        200: { description: "One event for each transition", content: { "text/event-stream": { schema: z.string() } } },
      },
    },
    async ({ context, key: { tenant }, query }) => {
      const last = context.req.header("last-event-id");
      const { all, ...asked } = query;
      const filter = { ...asked, all: all === "true" };
      const position = last === undefined ? undefined : positionOf(last, partitionCount);
      const follower = await TransitionFollower.begin(deployment, tenant, filter, position);
      const ofTenant = open.get(tenant) ?? 0;
      if (ofTenant >= MAX_STREAMS_OF_TENANT)
        throw rateLimited(`This server has ${MAX_STREAMS_OF_TENANT} streams of the tenant open already.`, BUSY_MS);
      if ([...open.values()].reduce((sum, streams) => sum + streams, 0) >= MAX_STREAMS)
        throw rateLimited(`This server has ${MAX_STREAMS} streams open already.`, BUSY_MS);
      open.set(tenant, ofTenant + 1);
      return streamSSE(
        context,
        async (stream) => {
          let isCut = false;
          const isOver = () => isCut || stream.aborted || stream.closed || stopping.aborted;
          let saidAt = performance.now();
          const say = async (saying: Promise<unknown>): Promise<void> => {
            isCut = !(await isWithin(saying, slowReaderMs));
            saidAt = performance.now();
            if (!isCut) return;
            log.warn({ tenant }, "a stream is ended: whoever opened it leaves unread what it is sent");
            ((context.env ?? {}) as Partial<HttpBindings>).outgoing?.destroy();
          };
          try {
            await say(stream.write(": follows\n\n"));
            while (!isOver()) {
              const { news, more } = await follower.news();
              for (const { id, ...followed } of news) {
                if (isOver()) return;
                await say(stream.writeSSE({ ...message(followed), id }));
              }
              if (performance.now() - saidAt > HEARTBEAT_MS) await say(stream.write(": still here\n\n"));
              if (!more) await delay(LOOK_MS);
            }
          } finally {
            open.set(tenant, (open.get(tenant) ?? 1) - 1);
          }
        },
        async (error) => {
          log.warn({ err: error }, "a stream of transitions ended early");
        },
      );
    },
  );
}
