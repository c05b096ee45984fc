/** The client over HTTP, against the API over a real Redis, with a network between that misbehaves. */
import { inspect } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  ApiRefusedError,
  ApiUnavailableError,
  ClientClosedError,
  ClientOverflowError,
  type GatehouseClient,
  type GatehouseEvent,
  type HttpClientOptions,
  createClient,
} from "gatehouse/client";
import { type TestApi, startApi } from "../../support/api-server.js";
import { type Fault, FaultyProxy } from "../../support/faulty-proxy.js";

let api: TestApi;
let proxy: FaultyProxy;
let clients: GatehouseClient[];

beforeEach(async () => {
  api = await startApi();
  proxy = await FaultyProxy.start(api.url);
  clients = [];
});
afterEach(async () => {
  proxy.fault = () => ({ status: 401 });
  await Promise.all(clients.map(async (client) => client.close()));
  await proxy.stop();
  await api.stop();
});

function connect(options: Partial<HttpClientOptions> = {}): GatehouseClient {
  const client = createClient({ url: proxy.url, key: api.key, ...options });
  clients.push(client);
  return client;
}

const event = (id: string, device = "phone-1", user = "adele"): GatehouseEvent => ({
  specversion: "1.0",
  id,
  source: "test",
  type: "app.backgrounded",
  subject: `${device}/${user}`,
  time: "2026-03-02T08:00:00Z",
});
const signedIn = (id: string, device = "phone-1"): GatehouseEvent => ({
  ...event(id, device),
  type: "account.signedIn",
  data: { platform: "ios" },
});
const many = (count: number, devices = count): GatehouseEvent[] =>
  Array.from({ length: count }, (_, n) => event(`e${n}`, `phone-${n % devices}`));

/** Ids of all accepted events; those of one device are in the order in which its inbox holds them. */
async function accepted(): Promise<string[]> {
  const { store } = api.deployment;
  const ids: string[] = [];
  for (let partition = 0; partition < store.deployment.partitionCount; partition++) {
    const { entries } = await store.load(partition, { entries: 1_000, bytes: 1_000_000 });
    for (const { body } of entries) ids.push((JSON.parse(body) as { i: string }).i);
  }
  return ids;
}

/** Every event was accepted once, and those of each device in the order in which they were emitted. */
async function expectOrder(events: readonly GatehouseEvent[]): Promise<void> {
  const ids = await accepted();
  expect(ids.toSorted()).toEqual(events.map(({ id = "" }) => id).toSorted());
  for (const subject of new Set(events.map((one) => one.subject))) {
    const emitted = events.filter((one) => one.subject === subject).map(({ id = "" }) => id);
    expect(ids.filter((id) => emitted.includes(id))).toEqual(emitted);
  }
}

const faultsOnce =
  (...faults: Fault[]): (() => Fault) =>
  () =>
    faults.shift() ?? "pass";

test("an event is taken, and a decision knows of it", async () => {
  const client = connect();
  expect(await client.decide({ device: "phone-1", user: "adele" })).toMatchObject({ reasons: ["session.unknown"] });
  expect((await client.emit(signedIn("e1"))).results).toEqual([{ id: "e1", status: "accepted" }]);
  expect((await client.emit([signedIn("e1"), event("e2")])).totals).toMatchObject({
    sent: 2,
    accepted: 1,
    duplicate: 1,
  });
  expect(await client.decide({ device: "phone-1", user: "adele" })).toMatchObject({
    session: "contoso/phone-1/adele/azure-mobile",
    state: "unenrolled.checking",
  });
});

test("one bad event is refused with the reason, and its neighbours are taken", async () => {
  const circular: Record<string, unknown> = {};
  circular["self"] = circular;
  const { results, totals } = await connect().emit([
    signedIn("e1"),
    { ...event("e2"), type: "pin.set", data: { pin: "sesame" } } as unknown as GatehouseEvent,
    { ...event("e3"), data: circular } as unknown as GatehouseEvent,
    { ...event("e4"), data: { note: "x".repeat(1_100_000) } } as unknown as GatehouseEvent,
    { ...signedIn("e1"), time: "2026-03-02T09:00:00Z", data: { platform: "android" } } as GatehouseEvent,
    event("e5"),
  ]);
  expect(results).toMatchObject([
    { id: "e1", status: "accepted" },
    { id: "e2", status: "refused", refusal: { code: "event.secret_field", path: "/data/pin" } },
    { id: "e3", status: "refused", refusal: { code: "event.not_json" } },
    { id: "e4", status: "refused", refusal: { code: "event.too_large" } },
    { id: "e1", status: "conflict" },
    { id: "e5", status: "accepted" },
  ]);
  expect(totals).toEqual({ sent: 6, accepted: 2, duplicate: 0, conflict: 1, refused: 3, unknown: 0 });
});

test("an event without an id is given one, and keeps it when it is sent again", async () => {
  proxy.fault = faultsOnce("lose", "cut");
  const { id: _, ...unnamed } = event("");
  const { results } = await connect().emit(unnamed as GatehouseEvent);
  expect(results).toEqual([{ id: expect.stringMatching(/^[0-9a-f-]{36}$/), status: "duplicate" }]);
  expect(proxy.sentIds).toEqual([[results[0]?.id], [results[0]?.id], [results[0]?.id]]);
  expect(await accepted()).toEqual([results[0]?.id]);
});

test("events emitted within a moment share a request, in which they keep their order", async () => {
  const client = connect();
  const events = many(130, 3);
  await Promise.all(events.map(async (one) => client.emit(one)));
  expect(proxy.passed.length).toBeLessThanOrEqual(4);
  expect(Math.max(...proxy.sentIds.map((ids) => ids.length))).toBe(100);
  await expectOrder(events);
});

test("no more requests are under way than allowed, and a device's events are never in two of them", async () => {
  const client = connect({ maxRequests: 3, batchEvents: 10 });
  const underway: Set<string>[] = [];
  let together = 0;
  proxy.fault = async ({ body }) => {
    const devices = new Set((JSON.parse(body) as GatehouseEvent[]).map(({ subject }) => subject));
    if (underway.some((others) => [...devices].some((one) => others.has(one)))) together++;
    underway.push(devices);
    await new Promise((resolve) => setTimeout(resolve, 2));
    underway.splice(underway.indexOf(devices), 1);
    return "pass" as const;
  };
  const events = many(400, 15);
  expect((await client.emit(events)).totals.accepted).toBe(400);
  expect(together).toBe(0);
  expect(proxy.mostUnderway).toBeLessThanOrEqual(3);
  expect(proxy.mostUnderway).toBeGreaterThan(1);
  await expectOrder(events);
});

test("whatever the network does, every event is accepted once, and those of a device in order", async () => {
  const faults: Fault[] = ["lose", "pass", "cut", "pass", { status: 503 }, "pass", { status: 200 }, "pass"];
  let turn = 0;
  proxy.fault = () => faults[turn++ % faults.length] ?? "pass";
  const client = connect({ batchEvents: 15, maxRequests: 4 });
  const events = many(300, 60);
  const reports = await Promise.all(events.map(async (one) => client.emit(one)));
  expect(reports.every(({ totals }) => totals.accepted + totals.duplicate === 1)).toBe(true);
  await expectOrder(events);
});

test("after 429 nothing is sent before the time that the server asks for", async () => {
  const times: number[] = [];
  proxy.fault = () => {
    times.push(performance.now());
    return times.length === 1 ? { status: 429, headers: { "retry-after": "1" } } : "pass";
  };
  const client = connect();
  await Promise.all([client.emit(event("e1")), client.emit(event("e2", "phone-2"))]);
  expect((times[1] as number) - (times[0] as number)).toBeGreaterThanOrEqual(1_000);
});

test("what the limit of a device leaves out is sent again, and other devices do not wait for it", async () => {
  await api.stop();
  api = await startApi({ limits: { eventsPerDevice: 3 } });
  await proxy.stop();
  proxy = await FaultyProxy.start(api.url);
  const client = connect();
  const flood = Array.from({ length: 5 }, (_, n) => event(`e${n}`));
  const flooding = client.emit(flood);
  expect((await client.emit(event("other", "phone-2"))).totals.accepted).toBe(1);
  expect((await flooding).totals.accepted).toBe(5);
  await expectOrder([...flood, event("other", "phone-2")]);
});

test("an event whose outcome is unknown is sent again, with what comes after it", async () => {
  proxy.fault = faultsOnce({
    status: 503,
    body: {
      code: "ingest.outcome_unknown",
      results: [{ status: "unknown" }, { status: "accepted" }, { status: "unknown" }],
    },
  });
  const client = connect();
  const first = client.emit([event("e1"), event("e2", "phone-2"), event("e3")]);
  await expect.poll(() => proxy.underway === 0 && proxy.passed.length).toBe(1);
  const later = client.emit([event("e4"), event("e5", "phone-2")]);
  expect((await first).results.map(({ status }) => status)).toEqual(["accepted", "accepted", "accepted"]);
  expect((await later).totals.accepted).toBe(2);
  expect(proxy.sentIds).toEqual([["e1", "e2", "e3"], ["e5"], ["e1", "e3"], ["e4"]]);
});

test("what is told of a user keeps its order, whichever device it is told of", async () => {
  proxy.fault = faultsOnce({ status: 503 });
  const client = connect({ lingerMs: 0 });
  const told = (id: string, type: "account.disabled" | "account.enabled", subject: string): GatehouseEvent =>
    ({ ...event(id), type, subject }) as GatehouseEvent;
  const first = client.emit(told("e1", "account.disabled", "phone-1/adele"));
  await expect.poll(() => proxy.passed.length).toBe(1);
  const later = [
    client.emit(told("e2", "account.enabled", "adele")),
    client.emit(told("e3", "account.disabled", "phone-2/adele")),
    client.emit(event("e4", "phone-2", "megan")),
  ];
  await Promise.all([first, ...later]);
  expect(proxy.sentIds).toEqual([["e1"], ["e1"], ["e2", "e3", "e4"]]);
});

test("when the time is over an event is unknown, and so is what follows it on the device, unsent", async () => {
  proxy.fault = ({ body }) => {
    const sent = JSON.parse(body) as GatehouseEvent[];
    const results = sent.map(({ subject }) => ({ status: subject.startsWith("phone-1/") ? "unknown" : "accepted" }));
    return body.includes("phone-1/") ? { status: 503, body: { results } } : "pass";
  };
  const client = connect({ giveUpAfterMs: 400, maxQueued: 2 });
  // Room for two: e3 is taken over when e2 has its answer, e4 and e5 when e1 is given up.
  const events = [event("e1"), event("e2", "phone-2"), event("e3"), event("e4"), event("e5", "phone-3")];
  const { results } = await client.emit(events);
  expect(results).toMatchObject([
    { status: "unknown", error: { code: "api.unavailable", outcomeUnknown: true } },
    { status: "accepted" },
    { status: "unknown", error: { outcomeUnknown: false } },
    { status: "unknown", error: { outcomeUnknown: false } },
    { status: "accepted" },
  ]);
  expect(results[0]).toMatchObject({ error: expect.any(ApiUnavailableError) });
  expect(new Set(proxy.sentIds.flat())).toEqual(new Set(["e1", "e2", "e5"]));
});

test("without a server every event is unknown in the end, and nothing was sent", async () => {
  await proxy.stop();
  const client = connect({ giveUpAfterMs: 250 });
  const { results } = await client.emit(many(20, 2));
  expect(results).toMatchObject(results.map(() => ({ status: "unknown", error: { outcomeUnknown: false } })));
});

test("a wrong key is an error at once, which does not tell the key", async () => {
  const client = connect({ key: `${api.key.slice(0, -3)}xyz` });
  const error: unknown = await client.emit(event("e1")).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ApiRefusedError);
  expect(error).toMatchObject({ status: 401, problemCode: "auth.invalid", code: "api.refused" });
  const shown = inspect([client, error], { depth: 10, showHidden: true });
  expect(shown + JSON.stringify(error)).not.toContain(api.key.slice(0, 20));
  expect(proxy.passed).toHaveLength(1);
});

test("a redirect is not followed: the key is for one server", async () => {
  proxy.fault = () => ({ status: 307, headers: { location: `${api.url}/v1/events` } });
  await expect(connect().emit(event("e1"))).rejects.toThrow(ApiRefusedError);
  expect(await connect().decide({ device: "phone-1", user: "adele" })).toMatchObject({
    reasons: ["store.unavailable"],
  });
});

test("a client that is full lets emit wait for room", async () => {
  const client = connect({ maxQueued: 10, batchEvents: 10, maxRequests: 2 });
  const events = many(200, 20);
  const held: (() => void)[] = [];
  proxy.fault = async () => {
    await new Promise<void>((resolve) => held.push(resolve));
    return "pass" as const;
  };
  const emitted = Promise.all([client.emit(events.slice(0, 150)), client.emit(events.slice(150))]);
  await expect.poll(() => held.length).toBe(1);
  expect(proxy.sentIds).toEqual([events.slice(0, 10).map(({ id }) => id)]);
  proxy.fault = () => "pass";
  held.forEach((go) => go());
  await emitted;
  await expectOrder(events);
});

test("a client that is full and was told to reject says so, and sends nothing of that call", async () => {
  const client = connect({ maxQueued: 3, overflow: "reject" });
  const first = client.emit(many(3));
  await expect(client.emit([event("late")])).rejects.toThrow(ClientOverflowError);
  await first;
  expect((await client.emit([event("later")])).totals.accepted).toBe(1);
  expect(await accepted()).not.toContain("late");
});

test("close delivers what is queued; afterwards nothing is taken and every decision is deny", async () => {
  const client = connect({ lingerMs: 10_000 });
  const emitted = client.emit(many(5));
  await client.close();
  expect((await emitted).totals.accepted).toBe(5);
  await expect(client.emit(event("late"))).rejects.toThrow(ClientClosedError);
});

test("flush sends at once and resolves when everything has its answer", async () => {
  const client = connect({ lingerMs: 10_000 });
  const emitted = client.emit(many(5));
  await client.flush();
  expect(await accepted()).toHaveLength(5);
  expect((await emitted).totals.accepted).toBe(5);
});

test("what a caller changes after emit is not sent", async () => {
  const changing = { ...event("e1") } as { id: string } & GatehouseEvent;
  const client = connect();
  const emitted = client.emit(changing);
  changing.id = "other";
  await emitted;
  expect(await accepted()).toEqual(["e1"]);
});

test.each<[string, Fault]>([
  ["the connection is cut", "cut"],
  ["the server can't serve", { status: 503 }],
  ["something else answers", { status: 200, body: { decision: "allow" } }],
  ["the answer is on another session", { status: 200, body: allowFor("contoso/phone-2/adele/azure-mobile") }],
  ["the answer says more than it may", { status: 200, body: { ...allowFor(), decision: "ALLOW" } }],
  ["the answer is an error with a decision in it", { status: 500, body: allowFor() }],
  ["the client asks too often", { status: 429, body: allowFor() }],
])("a decision is deny when %s", async (_, fault) => {
  proxy.fault = () => fault;
  const client = connect();
  const denied = { decision: "deny", reasons: ["store.unavailable"], message: { key: "tryLater" }, validUntil: null };
  expect(await client.decide({ device: "phone-1", user: "adele" })).toMatchObject(denied);
  expect(proxy.passed.length).toBeLessThanOrEqual(2);
  expect(await client.decideMany([{ device: "phone-1", user: "adele" }])).toMatchObject([denied]);
});

test("a decision is asked for once more if the first answer is lost, hangs or is an error", async () => {
  const client = connect();
  await client.emit(signedIn("e1"));
  for (const fault of ["cut", "lose", "hang", { status: 503 }] as const) {
    proxy.fault = faultsOnce(fault);
    expect(await client.decide({ device: "phone-1", user: "adele" })).toMatchObject({ state: "unenrolled.checking" });
  }
});

test("a decision that takes too long is deny", async () => {
  proxy.fault = () => "hang";
  const client = connect({ decideTimeoutMs: 60 });
  expect(await client.decide({ device: "phone-1", user: "adele" })).toMatchObject({ decision: "deny" });
});

test("many decisions come in the order asked for, and one that can't be asked for costs no other", async () => {
  const client = connect();
  await client.emit([signedIn("e1"), signedIn("e2", "phone-7")]);
  const asked = Array.from({ length: 250 }, (_, n) => ({ device: `phone-${n}`, user: "adele", language: "no tag!" }));
  asked[3] = { device: "no such/name", user: "adele", language: "de" };
  const decisions = await client.decideMany(asked);
  expect(decisions.map(({ reasons }, n) => [n, reasons[0]])).toEqual(
    asked.map((_, n) => [
      n,
      n === 3 ? "store.unavailable" : n === 1 || n === 7 ? "enrollment.checking" : "session.unknown",
    ]),
  );
  expect(proxy.passed.filter(({ path }) => path === "/v1/decisions")).toHaveLength(3);
});

function allowFor(session = "contoso/phone-1/adele/azure-mobile"): object {
  return {
    session,
    decision: "allow",
    reasons: ["access.granted"],
    message: { key: "accessGranted", text: "" },
    revision: 1,
    asOf: 1,
    validUntil: null,
  };
}
