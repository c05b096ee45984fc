/**
 * Every route under random requests: whatever comes, the answer is one that the document names, never a 500 and never silence, and
 * nothing of a body gets into the log. A third of the requests are what the route's schema asks for, some in a place or two made otherwise; the
 * others are anything. A run is told by its seed: GATEHOUSE_FUZZ_SEED repeats it, GATEHOUSE_FUZZ_CASES says how long it is.
 */
import { randomInt } from "node:crypto";
import { Writable } from "node:stream";
import { setTimeout as delay } from "node:timers/promises";
import fc from "fast-check";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { OUTSIDE_EVENT_TYPES } from "../../../machines/events/catalogue.js";
import { type TestApi, cloudEvent, startApi } from "../../support/api-server.js";
import { documentedRoutes } from "../../support/openapi-routes.js";
import { type JsonSchema, fromJsonSchema } from "../../../src/testing/from-json-schema.js";
import { POSTURE, SIX_DIGITS, samplePolicy } from "../../support/deployment.js";

const CASES = Number(process.env["GATEHOUSE_FUZZ_CASES"] ?? 200_000);
const SEED = Number(process.env["GATEHOUSE_FUZZ_SEED"] ?? randomInt(2 ** 31));
const SIDE_BY_SIDE = 64;
const SILENCE_MS = 60_000;
const COMING_BACK_MS = 50;
const CANARY = "canary-3f9c";
/** Few: to list them is what costs most. */
const DEVICES = 40;
/** Bodies made of each route's schema. */
const POOL = { seed: SEED, numRuns: 200 };
/** Where a webhook finds nobody, at once. */
const NOBODY = "http://127.0.0.1:9/hook";
const POLICY = "6f1d2c84-3a57-4be0-9c1e-5d0b7a98e214";

interface Route {
  readonly method: string;
  readonly path: string;
  readonly statuses: ReadonlySet<number>;
  readonly queryNames: readonly string[];
  readonly takesBody: boolean;
  /** Bodies that the route may well take, by its schema. */
  readonly bodies: readonly unknown[];
}

/** How many tickets a route has in the draw: what takes more can go wrong in more ways. */
const ticketsOf = ({ path, queryNames, takesBody }: Route): number =>
  1 + (path.includes("{") ? 1 : 0) + Math.ceil(queryNames.length / 3) + (takesBody ? 3 : 0);

interface Schema extends JsonSchema {
  readonly $ref?: string;
  readonly minItems?: number;
}

interface RequestBody {
  readonly content: Readonly<Record<string, { readonly schema: Schema } | undefined>>;
}

let api: TestApi;
let schemas: Readonly<Record<string, Schema>>;
/** Ids that exist, for routes that name something. */
let ids: Readonly<Record<string, string[]>>;
let routes: readonly Route[];
/** Each route as often as it has tickets. */
let drawn: readonly Route[];
let keys: readonly string[];
let log = "";

beforeAll(async () => {
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      log += chunk.toString();
      done();
    },
  });
  const many = 1_000_000_000;
  api = await startApi({
    worker: true,
    log: pino({ level: "trace" }, stream),
    limits: { requestsPerKey: many, eventsPerTenant: many, eventsPerDevice: many },
  });
  const { body: document } = await api.ask("/openapi.json");
  schemas = (document as { components: { schemas: Record<string, Schema> } }).components.schemas;
  routes = (await documentedRoutes(api)).map(({ method, path, operation }) => {
    const { responses, parameters = [], requestBody } = operation;
    const schema = (requestBody as RequestBody | undefined)?.content["application/json"]?.schema;
    return {
      method,
      path,
      // A parameter of dots leads to another path.
      statuses: new Set([...Object.keys(responses).map(Number), 404, 405]),
      queryNames: parameters.filter((one) => one.in === "query").map(({ name }) => name),
      takesBody: requestBody !== undefined,
      bodies: requestBody === undefined ? [] : fc.sample(OWN_BODIES[path] ?? generated(schema ?? {}), POOL),
    };
  });
  const { body: endpoint } = await api.ask("/v1/webhooks", {
    body: { url: NOBODY, filter: { types: ["unregister"] } },
  });
  const { body: spare } = await api.ask("/v1/keys", { body: { name: "spare", scopes: ["emit"] } });
  ids = {
    webhooks: [endpoint.id],
    keys: [spare.id],
    policies: [POLICY],
    users: Array.from({ length: 7 }, (_, n) => `user-${n}`),
    sessions: Array.from({ length: DEVICES }, (_, n) => `phone-${n}/user-${n % 7}`),
  };
  drawn = routes.flatMap((route) => Array.from({ length: ticketsOf(route) }, () => route));
  await api.ask("/v1/policies/import", { body: samplePolicy("contoso-ios-level2") });
  await api.ask("/v1/policy-publish", { body: {} });
  await api.ask("/v1/events", {
    body: Array.from({ length: DEVICES }, (_, n) =>
      cloudEvent("account.signedIn", { platform: "ios" }, { subject: `phone-${n}/user-${n % 7}` }),
    ),
  });
  keys = [api.key, api.key, api.key, await api.newKey(["emit"], { emitters: ["app"] }), "gh_nonsense"];
});
afterAll(() => api.stop());

/** Values that break careless code, and ordinary ones. */
const weird = fc.oneof(
  fc.constantFrom<unknown>(
    null,
    true,
    0,
    -1,
    1e308,
    2 ** 53,
    "",
    " ",
    CANARY,
    `${CANARY}/../..`,
    "__proto__",
    "\u0000",
    "\uD800",
    "x".repeat(600),
    [],
    {},
    [[]],
    { constructor: { prototype: CANARY } },
    "%00",
    "١٢",
    "2026-02-30T00:00:00Z",
    "9".repeat(40),
  ),
  fc.jsonValue({ maxDepth: 3 }),
  fc.string({ maxLength: 40 }),
);

/** URLs can't hold half a surrogate pair. */
const wellFormed = (text: string): string => Buffer.from(text).toString();

/** What a parameter or a field of this name may well be. */
const SENSIBLE: Readonly<Record<string, string>> = {
  device: "phone-1",
  user: "user-1",
  app: "azure-mobile",
  platform: "ios",
  limit: "5",
  state: "locked",
  url: NOBODY,
};

const cursorTo = (place: object): string => Buffer.from(JSON.stringify(place)).toString("base64url");

/** As a page or a stream gave them, nearly. */
const FORGED = [
  cursorTo({ partition: 0, from: "abc", skip: 0 }),
  cursorTo({ partition: 1, from: "-1", skip: 0 }),
  cursorTo({ partition: 2, from: "9".repeat(20), skip: 2 ** 53 }),
  cursorTo({ partition: 99, from: null, skip: 1 }),
  `${"9".repeat(16)}-${"9".repeat(16)}`,
  "0-0",
];

/** Values as a schema of the document asks for them. */
function generated(schema: Schema, name = ""): fc.Arbitrary<unknown> {
  if (schema.$ref !== undefined) return generated(schemas[schema.$ref.split("/").at(-1)!]!, name);
  if (schema.properties !== undefined) {
    const fields = Object.entries(schema.properties).map(([field, inner]) => [field, generated(inner, field)]);
    return fc.record(Object.fromEntries(fields) as Record<string, fc.Arbitrary<unknown>>, {
      requiredKeys: [...(schema.required ?? [])],
    });
  }
  if (schema.items !== undefined) {
    return fc.array(generated(schema.items, name), { minLength: schema.minItems ?? 0, maxLength: 4 });
  }
  if (schema.type === "string" && name in SENSIBLE) return fc.constant(SENSIBLE[name]);
  return fromJsonSchema(schema);
}

const subject = fc.integer({ min: 0, max: DEVICES - 1 }).map((n) => `phone-${n}/user-${n % 7}`);
const someData = fc.constantFrom<object>(
  {},
  { platform: "ios", interactive: true },
  { result: "ENROLLMENT_SUCCEEDED" },
  POSTURE,
  { descriptor: SIX_DIGITS },
  { method: "pin" },
  { reason: CANARY },
  { groups: [CANARY] },
);
const event = fc
  .tuple(fc.constantFrom(...OUTSIDE_EVENT_TYPES), someData, subject)
  .map(([type, data, to]) => cloudEvent(type, data, { subject: to }));

const bodies: fc.Arbitrary<unknown> = fc.oneof(
  event,
  fc.array(event, { maxLength: 4 }),
  fc.constantFrom<unknown>(
    samplePolicy("contoso-ios-level2"),
    { value: [samplePolicy("contoso-android-level2")] },
    { asked: [{ device: "phone-1", user: "user-1" }] },
    { name: CANARY, scopes: ["emit"] },
    { groups: ["g"], everyone: true },
    { version: 1 },
    { note: CANARY },
    { user: CANARY, groups: ["g"] },
    {},
  ),
  weird,
);

/** Of routes whose schema leaves open what is in a body. */
const OWN_BODIES: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  "/v1/events": fc.oneof(event, fc.array(event, { minLength: 1, maxLength: 4 })),
  "/v1/users/import": fc.constant([
    { user: "user-1", groups: ["g"] },
    { user: "user-2", account: "enabled" },
  ]),
  "/v1/policies/import": fc.constantFrom(samplePolicy("contoso-ios-level2"), samplePolicy("contoso-android-level2")),
  "/v1/policy-settings": fc.constant({}),
  "/v1/policy-publish": fc.constantFrom({}, { note: "fuzzed" }),
  "/v1/policy-rollback": fc.constantFrom({ version: 1 }, { version: 2 }),
};

/** One place in a value, chosen by `at`, becomes `other`, goes, or is repeated. */
function mutated(value: unknown, at: readonly number[], other: unknown): unknown {
  const [first = 0, ...rest] = at;
  if (typeof value !== "object" || value === null || at.length === 0) return other;
  const names = Object.keys(value);
  const name = names[first % (names.length + 1)] ?? CANARY;
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>;
  if (first % 5 === 0) delete copy[name];
  else copy[name] = mutated(copy[name], rest, other);
  return copy;
}

/** A text that may not be JSON any more. */
function spoiled(text: string, how: number): string | Uint8Array {
  const middle = Math.floor(text.length / 2);
  switch (how) {
    case 0:
      return text.slice(0, middle);
    case 1:
      return text.replace("{", '{"id":1,"id":2,');
    case 2:
      return Buffer.from(text, "utf16le");
    case 3:
      return Buffer.concat([
        Buffer.from(text.slice(0, middle)),
        Buffer.from([0xff, 0x00]),
        Buffer.from(text.slice(middle)),
      ]);
    case 4:
      return `${"[".repeat(2_000)}${text}`;
    case 5:
      return `${text}\n${text}\n${CANARY}\n`;
    default:
      return text;
  }
}

const requests = fc.record({
  route: fc.nat(),
  key: fc.nat(),
  parameter: fc.oneof(
    subject,
    fc.constantFrom("6f1d2c84-3a57-4be0-9c1e-5d0b7a98e214", CANARY, "..", "a/b/c/d", "%"),
    fc.string({ minLength: 1, maxLength: 20 }),
  ),
  query: fc.array(
    fc.tuple(
      fc.nat(),
      fc.oneof(weird, fc.constantFrom("1", "ios", "phone-1", "user-1", "true", "active"), fc.constantFrom(...FORGED)),
    ),
    {
      maxLength: 4,
    },
  ),
  isSensible: fc.nat({ max: 2 }).map((n) => n === 0),
  own: fc.nat(),
  body: bodies,
  changes: fc.array(fc.tuple(fc.array(fc.nat({ max: 40 }), { minLength: 1, maxLength: 4 }), weird), { maxLength: 2 }),
  spoil: fc.nat({ max: 24 }),
  type: fc.constantFrom(
    "application/json",
    "application/json",
    "application/json",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-ndjson",
    "text/plain",
    "",
  ),
  headers: fc.constantFrom<Record<string, string>>(
    {},
    {},
    {},
    { prefer: "wait=0" },
    { "ce-specversion": "1.0", "ce-id": CANARY, "ce-type": "app.launched" },
    { "content-encoding": "br" },
    { "x-request-id": CANARY },
    { "last-event-id": "1" },
  ),
});

test(`${CASES} random requests (seed ${SEED})`, { timeout: 10 * 60_000 }, async () => {
  const seen = new Map<string, number>();
  let done = 0;
  let isOver = false;
  const one = async (): Promise<void> => {
    for (const asked of fc.sample(requests, { seed: SEED + done, numRuns: Math.min(500, CASES - done) })) {
      if (isOver) return;
      await attempt(asked);
    }
  };
  const attempt = async (asked: typeof requests extends fc.Arbitrary<infer Value> ? Value : never): Promise<void> => {
    const route = drawn[asked.route % drawn.length]!;
    const known = asked.isSensible ? ids[route.path.split("/")[2] ?? ""] : undefined;
    const named = known?.[asked.own % known.length] ?? wellFormed(asked.parameter);
    const path = route.path.replaceAll(/\{\w+\}/g, encodeURIComponent(named));
    const query = new URLSearchParams(
      asked.isSensible
        ? route.queryNames.flatMap((name) => (SENSIBLE[name] ? [[name, SENSIBLE[name]] as [string, string]] : []))
        : [],
    );
    for (const [n, value] of asked.query) {
      const name = route.queryNames[n % (route.queryNames.length + 1)] ?? CANARY;
      query.append(name, typeof value === "string" ? wellFormed(value) : JSON.stringify(value));
    }
    let body = asked.isSensible ? route.bodies[asked.own % route.bodies.length] : asked.body;
    for (const [at, other] of asked.changes) body = mutated(body, at, other);
    const text = spoiled(JSON.stringify(body) ?? "", asked.spoil);
    const type = asked.isSensible ? "application/json" : asked.type;
    const request = new Request(`http://gatehouse${path}${query.size > 0 ? `?${query.toString()}` : ""}`, {
      method: route.method,
      headers: {
        authorization: `Bearer ${keys[asked.key % keys.length]}`,
        ...(route.takesBody && type !== "" && { "content-type": type }),
        ...asked.headers,
      },
      ...(route.takesBody && { body: text }),
    });
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${route.method} ${path}: no answer\n${JSON.stringify(asked)}`)),
        SILENCE_MS,
      );
    });
    const answered = Promise.resolve(api.api.app.fetch(request)).then(async (response) => {
      const isStream = response.headers.get("content-type") === "text/event-stream";
      // A stream never ends by itself.
      const text = isStream ? await response.body?.cancel() : await response.text();
      return { status: response.status, body: text ?? "" };
    });
    const answer = await Promise.race([answered, silence]).finally(() => clearTimeout(timer));
    const isFine = route.statuses.has(answer.status) && answer.status !== 500;
    if (!isFine) throw new Error(`${route.method} ${path}: ${answer.status} ${answer.body}\n${JSON.stringify(asked)}`);
    keepBook(route, named, answer);
    // Answers that need no Redis come without a turn of the event loop: one after the other, they would keep it from coming back.
    if (answer.status === 503) await delay(COMING_BACK_MS);
    const name = `${route.method} ${route.path} ${Math.floor(answer.status / 100)}xx`;
    seen.set(name, (seen.get(name) ?? 0) + 1);
  };
  await Promise.all(
    Array.from({ length: SIDE_BY_SIDE }, async () => {
      while (done < CASES) {
        const running = one();
        done += 500;
        await running;
      }
    }),
  ).finally(() => (isOver = true));
  expect(log).not.toContain(CANARY);
  // The generator reaches what it is for: good answers and bad ones of every route.
  const reached = new Set(seen.keys());
  if (CASES >= 100_000) {
    const wanted = routes.flatMap(({ method, path }) => [`${method} ${path} 2xx`, `${method} ${path} 4xx`]);
    // No effect is delivered here, so none can be named.
    expect(wanted.filter((one) => !reached.has(one))).toEqual(["GET /v1/effects/{id} 2xx"]);
  }
});

/** Endpoints that were made can be named from then on, until they are removed. */
function keepBook({ method, path }: Route, named: string, { status, body }: { status: number; body: string }): void {
  const endpoints = ids["webhooks"]!;
  if (method === "POST" && path === "/v1/webhooks" && status === 201) {
    endpoints.push((JSON.parse(body) as { id: string }).id);
  } else if (method === "DELETE" && path === "/v1/webhooks/{id}" && status === 200 && endpoints.length > 1) {
    endpoints.splice(endpoints.indexOf(named), 1);
  }
}
