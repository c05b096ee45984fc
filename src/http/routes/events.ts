/** POST /v1/events: events in, as single CloudEvents, as a batch, or as a stream of any length; an answer for each. */
import { z } from "@hono/zod-openapi";
import { setImmediate, setTimeout as delay } from "node:timers/promises";
import { acceptEvent } from "../../ingest/accept.js";
import { type IngestResult, type IngestTotals, NO_TOTALS, ingest } from "../../ingest/ingest.js";
import type { Refusal } from "../../ingest/refusal.js";
import { splitEvents } from "../../ingest/split-events.js";
import type { ApiKeyRecord } from "../../keys/api-key.js";
import { look } from "../../sessions/look.js";
import { admit } from "../admit.js";
import { type Api, type ApiContext, type ApiDependencies, json } from "../api.js";
import { mediaType, readBytes, readPieces } from "../body.js";
import { rateLimited } from "../limits.js";
import { HttpProblem } from "../problem.js";
import { requestTrace, withTrace } from "../request-trace.js";
import { parseStrictJson } from "../strict-json.js";

const MAX_BATCH_EVENTS = 500;
const MAX_WAIT_S = 10;
/** Between two looks at whether a session's events are committed: at first, and as long as nothing comes of it. */
const WAIT_LOOK_MS = { first: 20, longest: 250 };
/** Lines of a stream that are named in its answer; all are counted. */
const MAX_LISTED = 1_000;

const RATE_LIMITED = "rate.limited";
const NDJSON_TYPES = new Set(["application/x-ndjson", "application/ndjson", "application/jsonl"]);
const BATCH_TYPE = "application/cloudevents-batch+json";
const EVENT_TYPE = "application/cloudevents+json";

const Totals = z.object({
  sent: z.int(),
  accepted: z.int(),
  duplicate: z.int(),
  conflict: z.int(),
  refused: z.int(),
  unknown: z.int(),
});

const Result = z
  .object({
    status: z.enum(["accepted", "duplicate", "conflict", "refused", "unknown"]),
    id: z.string().optional().openapi({ description: "As it was sent" }),
    code: z.string().optional(),
    pointer: z.string().optional().openapi({ description: "JSON pointer into the event" }),
    message: z.string().optional(),
    fix: z.string().optional(),
  })
  .openapi("EventResult");
type Result = z.infer<typeof Result>;

const SettledSession = z
  .object({
    session: z.string(),
    state: z.string().optional(),
    revision: z.int(),
    committed: z.boolean().openapi({ description: "No accepted event of the session waits for a worker" }),
  })
  .openapi("SettledSession");
type SettledSession = z.infer<typeof SettledSession>;

const Report = z
  .object({ results: z.array(Result), totals: Totals, sessions: z.array(SettledSession).optional() })
  .openapi("IngestReport");

const StreamReport = z
  .object({
    totals: Totals,
    notAccepted: z.array(Result.extend({ line: z.int() })),
    notAcceptedOmitted: z.int(),
  })
  .openapi("StreamReport");

const Event = z.record(z.string(), z.unknown()).openapi("CloudEvent", {
  description: "A CloudEvent 1.0; docs/events.md lists the types and their data",
  example: {
    specversion: "1.0",
    id: "b1946ac9",
    source: "https://directory.contoso.example",
    type: "account.disabled",
    subject: "phone-17/adele",
    time: "2026-03-02T08:00:00Z",
    data: {},
  },
});

export function eventRoutes(api: Api): void {
  const { dependencies } = api;
  api.route(
    {
      method: "post",
      path: "/v1/events",
      scope: "emit",
      tag: "Events",
      summary: "Report events",
      description:
        "One CloudEvent (structured, or binary with ce- headers), up to 500 in a JSON array, or any number as NDJSON. " +
        "Accepted means stored; sending an event again with the same source and id does no harm. " +
        "With the header Prefer: wait=N the answer has the new state of each session, after N (at most 10) seconds.",
      // Types, sizes and times of the body are this route's own.
      content: {
        [EVENT_TYPE]: { schema: Event },
        [BATCH_TYPE]: { schema: z.array(Event).max(MAX_BATCH_EVENTS) },
        "application/x-ndjson": { schema: z.string() },
      },
      responses: {
        202: json(z.union([Report, StreamReport]), "Every event was taken, now or before"),
        207: json(z.union([Report, StreamReport]), "Some events were not taken; each has its answer"),
      },
      problems: [409],
    },
    async ({ context }) => {
      const type = mediaType(context);
      return NDJSON_TYPES.has(type) ? takeStream(context, dependencies) : takeBatch(context, dependencies, type);
    },
  );
}

async function takeBatch(context: ApiContext, dependencies: ApiDependencies, type: string): Promise<Response> {
  const { inputs, isOne } = await readEvents(context, type);
  if (inputs.length > MAX_BATCH_EVENTS) {
    throw new HttpProblem("request.too_large", `The batch has more than ${MAX_BATCH_EVENTS} events.`, {
      fix: "Send smaller batches, or any number as application/x-ndjson.",
    });
  }
  const key = context.get("key");
  const { results, totals, waitMs } = await take(dependencies, context, inputs);
  const [only] = results;
  if (totals.unknown > 0) throw inDoubt(totals, { results, totals });
  if (isOne && only !== undefined && only.status !== "accepted" && only.status !== "duplicate") {
    throw waitMs > 0 ? rateLimited("Too many events of this device or tenant.", waitMs) : refusedAlone(only);
  }
  const wait = preferredWaitMs(context);
  const sessions =
    wait === undefined ? undefined : await settled(dependencies, key, inputs, wait, context.req.raw.signal);
  if (wait !== undefined) context.header("preference-applied", `wait=${wait / 1_000}`);
  if (waitMs > 0) context.header("retry-after", String(Math.ceil(waitMs / 1_000)));
  return context.json({ results, totals, ...(sessions && { sessions }) }, isTaken(totals) ? 202 : 207);
}

const isTaken = ({ sent, accepted, duplicate }: IngestTotals): boolean => sent === accepted + duplicate;

async function takeStream(context: ApiContext, dependencies: ApiDependencies): Promise<Response> {
  let totals = NO_TOTALS;
  let notTaken = 0;
  const notAccepted: (Result & { line: number })[] = [];
  const answered = () => ({ totals, notAccepted, notAcceptedOmitted: notTaken - notAccepted.length });
  for await (const chunk of splitEvents(readPieces(context)).chunks) {
    // What is too much now goes later, and whoever sends it is slowed down: nothing of a stream is refused for its speed.
    for (let left = chunk; left.length > 0;) {
      const {
        results,
        totals: some,
        waitMs,
      } = await take(
        dependencies,
        context,
        left.map((one) => ("refusal" in one ? new Unread(one.refusal) : one.input)),
      );
      const held = left.filter((_, n) => results[n]?.code === RATE_LIMITED);
      totals = addTotals(totals, { ...some, sent: some.sent - held.length, refused: some.refused - held.length });
      for (const [n, result] of results.entries()) {
        const { status, code } = result;
        if (status === "accepted" || status === "duplicate" || code === RATE_LIMITED) continue;
        notTaken++;
        if (notAccepted.length < MAX_LISTED) notAccepted.push({ line: left[n]?.place ?? 0, ...result });
      }
      // Later events of a device must not overtake those in doubt.
      if (some.unknown > 0) throw inDoubt(totals, answered());
      if (held.length > 0) await delay(waitMs, undefined, { signal: context.req.raw.signal });
      left = held;
    }
  }
  return context.json(answered(), isTaken(totals) ? 202 : 207);
}

/** A line that is no event: it keeps its place among the others. */
class Unread {
  constructor(readonly refusal: Refusal) {}
}

interface Taken {
  readonly results: Result[];
  readonly totals: IngestTotals;
  /** Something was left out because too much came; then how long to wait, in ms. */
  readonly waitMs: number;
}

async function take(
  { deployment, limits, metrics }: ApiDependencies,
  context: ApiContext,
  inputs: readonly unknown[],
): Promise<Taken> {
  const { tenant, emitters } = context.get("key");
  const traceparent = requestTrace(context);
  const results: (Result | undefined)[] = inputs.map(() => undefined);
  const sent: unknown[] = [];
  const places: number[] = [];
  const waits = await admit(limits, tenant, inputs);
  for (const [place, input] of inputs.entries()) {
    if (input instanceof Unread) {
      results[place] = toResult(input, { status: "refused", refusal: input.refusal });
      continue;
    }
    if (waits[place] !== 0) {
      results[place] = {
        ...idOf(input),
        status: "refused",
        code: RATE_LIMITED,
        message: "too many events of this device or tenant",
        fix: "Send it again a moment later, with the same id.",
      };
      continue;
    }
    sent.push(withTrace(input, traceparent));
    places.push(place);
  }
  const report = await ingest(deployment, tenant, sent, { emitters, pause: setImmediate });
  report.results.forEach((result, n) => {
    const place = places[n] as number;
    results[place] = toResult(inputs[place], result);
  });
  const left = results.length - places.length;
  const totals = { ...report.totals, sent: report.totals.sent + left, refused: report.totals.refused + left };
  metrics.ingested(totals);
  return {
    results: results as Result[],
    totals,
    waitMs: Math.max(0, ...waits),
  };
}

const idOf = (input: unknown): Pick<Result, "id"> => {
  const id = typeof input === "object" && input !== null && "id" in input ? input.id : undefined;
  return typeof id === "string" && id.length <= 256 ? { id } : {};
};

function toResult(input: unknown, result: IngestResult): Result {
  const id = idOf(input);
  switch (result.status) {
    case "refused": {
      const { code, path, message, fix } = result.refusal;
      return { ...id, status: "refused", code, pointer: path, message, fix };
    }
    case "conflict":
      return {
        ...id,
        status: "conflict",
        code: "event.conflict",
        message: "another event with this source and id was accepted before",
        fix: "Give every event an id of its own.",
      };
    case "unknown":
      return {
        ...id,
        status: "unknown",
        code: result.error.outcomeUnknown ? "ingest.outcome_unknown" : result.error.code,
        message: "the store did not answer",
        fix: "Send it again with the same id.",
      };
    default:
      return { ...id, status: result.status };
  }
}

function refusedAlone({ status, code, pointer, message = "", fix }: Result): HttpProblem {
  const detail = `${message.slice(0, 1).toUpperCase()}${message.slice(1)}.`;
  return new HttpProblem((status === "conflict" ? "event.conflict" : code) as Refusal["code"], detail, {
    ...(fix !== undefined && { fix }),
    members: pointer === undefined ? {} : { pointer },
  });
}

const inDoubt = ({ unknown, sent }: IngestTotals, members: Readonly<Record<string, unknown>>): HttpProblem =>
  new HttpProblem("ingest.outcome_unknown", `The store did not answer for ${unknown} of ${sent} events.`, {
    fix: "Send them again with the same ids; that is safe.",
    headers: { "retry-after": "1" },
    members,
  });

const addTotals = (one: IngestTotals, other: IngestTotals): IngestTotals => ({
  sent: one.sent + other.sent,
  accepted: one.accepted + other.accepted,
  duplicate: one.duplicate + other.duplicate,
  conflict: one.conflict + other.conflict,
  refused: one.refused + other.refused,
  unknown: one.unknown + other.unknown,
});

async function readEvents(
  context: ApiContext,
  type: string,
): Promise<{ readonly inputs: readonly unknown[]; readonly isOne: boolean }> {
  if (context.req.header("ce-specversion") !== undefined) return { inputs: [await binaryEvent(context)], isOne: true };
  if (type !== EVENT_TYPE && type !== BATCH_TYPE && type !== "application/json") {
    throw new HttpProblem("request.media_type", "The body is not said to be events.", {
      fix: `Send it as ${EVENT_TYPE}, ${BATCH_TYPE}, application/json or application/x-ndjson.`,
    });
  }
  const body = parseStrictJson(await readBytes(context));
  const isList = Array.isArray(body);
  if ((type === BATCH_TYPE && !isList) || (type === EVENT_TYPE && isList)) {
    throw new HttpProblem("request.invalid", `The body is ${isList ? "a list" : "no list"}, and is sent as ${type}.`, {
      fix: `A list is ${BATCH_TYPE}, one event ${EVENT_TYPE}; application/json takes both.`,
    });
  }
  return isList ? { inputs: body as unknown[], isOne: false } : { inputs: [body], isOne: true };
}

/** Attributes in headers, percent-encoded as the binding says; the body is `data`. */
async function binaryEvent(context: ApiContext): Promise<Record<string, unknown>> {
  const event: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(context.req.header())) {
    if (name.startsWith("ce-")) event[name.slice("ce-".length)] = decoded(value);
  }
  if (typeof event["schemaversion"] === "string") event["schemaversion"] = Number(event["schemaversion"]);
  const bytes = await readBytes(context);
  if (bytes.length === 0) return event;
  if (mediaType(context) !== "application/json") {
    throw new HttpProblem("request.media_type", "The event's data are not said to be JSON.", {
      fix: "Send them with Content-Type: application/json.",
    });
  }
  return { ...event, datacontenttype: "application/json", data: parseStrictJson(bytes) };
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}

function preferredWaitMs(context: ApiContext): number | undefined {
  const [, seconds] = /(?:^|[,;\s])wait=(\d{1,3})(?:$|[,;\s])/.exec(context.req.header("prefer") ?? "") ?? [];
  return seconds === undefined ? undefined : Math.min(MAX_WAIT_S, Number(seconds)) * 1_000;
}

/** The sessions that events name, once workers have committed what was accepted for them, or as they stand after the wait. */
async function settled(
  { deployment, stopping }: ApiDependencies,
  { tenant, emitters }: ApiKeyRecord,
  inputs: readonly unknown[],
  waitMs: number,
  asker: AbortSignal,
): Promise<SettledSession[]> {
  const ids = new Set<string>();
  for (const input of inputs) {
    const acceptance = acceptEvent(input, tenant, emitters);
    if ("events" in acceptance) for (const { session } of acceptance.events) ids.add(session);
  }
  const until = performance.now() + waitMs;
  return Promise.all(
    [...ids].map(async (id) => {
      for (let pauseMs = WAIT_LOOK_MS.first; ; pauseMs = Math.min(2 * pauseMs, WAIT_LOOK_MS.longest)) {
        const { session, waiting } = await look(deployment, id);
        const committed = waiting === 0;
        if (committed || performance.now() >= until || stopping.aborted || asker.aborted) {
          return session === undefined || "unreadable" in session
            ? { session: id, revision: 0, committed }
            : { session: id, state: session.state, revision: session.revision, committed };
        }
        await delay(Math.max(0, Math.min(pauseMs, until - performance.now())));
      }
    }),
  );
}
