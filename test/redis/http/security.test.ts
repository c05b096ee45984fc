/** What the API demands of whoever calls: the security requirements S1 to S10, S13 and S16, each tried from outside. */
import { once } from "node:events";
import { request } from "node:http";
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { isSecretOf } from "../../../src/keys/api-key.js";
import { partitionOf } from "../../../src/store/session-key.js";
import { type TestApi, cloudEvent, startApi } from "../../support/api-server.js";

let api: TestApi;
let device: string;
let devices = 0;
beforeAll(async () => {
  api = await startApi({ limits: { eventsPerDevice: 50, restrictingPerDevice: 5 } });
});
afterAll(() => api.stop());
beforeEach(() => {
  device = `device-${devices++}`;
});

const event = (type: string, data: object = {}, changes: object = {}) =>
  cloudEvent(type, data, { subject: `${device}/adele`, ...changes });
const refused = async (body: unknown, headers: Record<string, string> = {}) => {
  const { status, body: problem } = await api.ask("/v1/events", { body, headers });
  return [status, problem.code];
};

describe("S1: the key is checked before the body is read", () => {
  test("no key and a huge body: 401 while most of the body was never sent", async () => {
    const answered = new Promise<number | undefined>((resolve, reject) => {
      const sending = request(`${api.url}/v1/events`, {
        method: "POST",
        headers: { "content-type": "application/json", "content-length": String(1024 ** 3) },
      });
      sending.on("response", (response) => {
        resolve(response.statusCode);
        sending.destroy();
      });
      sending.on("error", reject);
      sending.write("[");
    });
    expect(await answered).toBe(401);
  });

  test("no key: auth.missing, with a challenge", async () => {
    const response = await fetch(`${api.url}/v1/sessions`);
    expect([response.status, response.headers.get("www-authenticate")]).toEqual([401, 'Bearer realm="gatehouse"']);
    expect(await response.json()).toMatchObject({ code: "auth.missing" });
  });
});

describe("S2: keys", () => {
  test("a wrong secret, an unknown id and no key at all are one answer", async () => {
    const wrong = `${api.key.slice(0, -4)}AAAA`;
    for (const key of [wrong, `gh_${"0".repeat(16)}_${"A".repeat(43)}`, "nonsense"]) {
      const { status, body } = await api.ask("/v1/sessions", { key });
      expect([status, body.code]).toEqual([401, "auth.invalid"]);
    }
  });

  test("a key of another scope: 403 auth.scope", async () => {
    const key = await api.newKey(["decide"]);
    expect((await api.ask("/v1/events", { key, body: event("app.backgrounded") })).body.code).toBe("auth.scope");
    expect((await api.ask("/v1/keys", { key })).status).toBe(403);
    expect((await api.ask(`/v1/decision?device=${device}&user=adele`, { key })).status).toBe(200);
  });

  test("only a mark of the secret is stored, which takes the deployment's own secret to check", async () => {
    const [record] = await api.keys.list("contoso");
    const stored = JSON.stringify(await api.deployment.redis.hvals(`${api.redis.prefix}:api-keys`));
    const secret = api.key.split("_").slice(2).join("_");
    expect(stored).not.toContain(secret);
    expect(isSecretOf(record!, secret, Buffer.alloc(32))).toBe(false);
  });

  test("a revoked key is refused within 5 s, an expired one at once", async () => {
    const created = await api.ask("/v1/keys", { body: { name: "short", scopes: ["operate"] } });
    const { id, key } = created.body;
    expect((await api.ask("/v1/sessions", { key })).status).toBe(200);
    await api.ask(`/v1/keys/${id}`, { method: "DELETE" });
    await expect.poll(async () => (await api.ask("/v1/sessions", { key })).status, { timeout: 5_000 }).toBe(401);
    const { key: expired } = await api.keys.create({ tenant: "contoso", name: "x", scopes: ["operate"], expiresAt: 1 });
    expect((await api.ask("/v1/sessions", { key: expired })).body.code).toBe("auth.invalid");
  });
});

describe("S3: the tenant comes from the key", () => {
  test("another tenant in the body: 400 tenant.mismatch", async () => {
    expect(await refused(event("app.backgrounded", {}, { tenant: "fabrikam" }))).toEqual([400, "tenant.mismatch"]);
  });

  test("another tenant's session is as one that does not exist", async () => {
    await api.ask("/v1/events", { body: event("account.signedIn", { platform: "ios" }) });
    const key = await api.newKey(undefined, { tenant: "fabrikam" });
    const [theirs, missing] = await Promise.all([
      api.ask(`/v1/sessions/contoso%2F${device}%2Fadele%2Fazure-mobile`, { key }),
      api.ask(`/v1/sessions/fabrikam%2Fnobody%2Fadele%2Fazure-mobile`, { key }),
    ]);
    expect(theirs.status).toBe(404);
    expect({ ...theirs.body, requestId: "" }).toEqual({ ...missing.body, requestId: "" });
    expect((await api.ask("/v1/sessions", { key })).body.sessions).toEqual([]);
  });
});

test("S4: a key for what apps report may not report a backend's verdicts", async () => {
  const key = await api.newKey(["emit"], { emitters: ["app"] });
  const { status, body } = await api.ask("/v1/events", { key, body: event("account.disabled") });
  expect([status, body.code]).toEqual([403, "event.source_not_allowed"]);
  expect((await api.ask("/v1/events", { key, body: event("app.backgrounded") })).status).toBe(202);
});

describe("S5: types", () => {
  test.each(["xstate.after.1000.active", "done.state.x", "error.platform.x", "offlineGrace.expired"])(
    "%s is reserved",
    async (type) => {
      expect(await refused(event(type))).toEqual([400, "event.type_reserved"]);
    },
  );

  test("a typo is answered with the types there are", async () => {
    const { body } = await api.ask("/v1/events", { body: event("account.signedin") });
    expect(body).toMatchObject({ code: "event.type_unknown", fix: expect.stringContaining("account.signedIn") });
  });
});

describe("S6: strict JSON", () => {
  test.each(["__proto__", "constructor", "prototype"])("%s at any depth", async (name) => {
    const text = JSON.stringify(event("posture.reported", { a: { b: 1 } })).replace('"b"', `"${name}"`);
    expect(await refused(text)).toEqual([400, "event.forbidden_key"]);
  });

  test.each([
    ["in the event", (text: string) => text.replace("{", '{"id":"other",')],
    ["in its data", (text: string) => text.replace('"platform"', '"platform":"android","platform"')],
    ["hidden by an escape", (text: string) => text.replace('"platform"', '"pl\\u0061tform":"android","platform"')],
    ["in a list", (text: string) => `[${text.replace("{", '{"id":"other",')}]`],
  ])("a key that is said twice %s", async (_, spoil) => {
    const text = spoil(JSON.stringify(event("account.signedIn", { platform: "ios" })));
    expect(await refused(text)).toEqual([400, "request.duplicate_key"]);
  });

  test("an unknown field is named, its value is not", async () => {
    const { body } = await api.ask("/v1/events", { body: event("app.backgrounded", { note: "canary-9" }) });
    expect(body).toMatchObject({ code: "event.invalid", pointer: "/data/note" });
    expect(JSON.stringify(body)).not.toContain("canary-9");
  });
});

describe("S7: limits", () => {
  test.each<[string, unknown, Record<string, string>, number, string]>([
    [
      "an event of more than 16 KiB",
      () =>
        event("app.backgrounded", Object.fromEntries(Array.from({ length: 40 }, (_, n) => [`f${n}`, "x".repeat(500)]))),
      {},
      413,
      "event.too_large",
    ],
    [
      "a string of more than 512 characters",
      () => event("app.backgrounded", { a: "x".repeat(513) }),
      {},
      413,
      "event.too_large",
    ],
    ["more than 500 events", () => Array.from({ length: 501 }, () => 1), {}, 413, "request.too_large"],
    ["a body of more than 1 MiB", () => `"${"x".repeat(1024 * 1024)}"`, {}, 413, "request.too_large"],
    [
      "17 levels",
      () => event("app.backgrounded", JSON.parse('{"a":'.repeat(17) + "1" + "}".repeat(17))),
      {},
      400,
      "event.too_deep",
    ],
    ["a million levels", () => "[".repeat(500_000) + "]".repeat(500_000), {}, 400, "event.not_an_object"],
    [
      "an unsafe number",
      () => JSON.stringify(event("app.backgrounded", { a: 1 })).replace('"a":1', '"a":9007199254740993'),
      {},
      400,
      "event.invalid",
    ],
    ["bytes that are no UTF-8", () => Buffer.from([0x22, 0xff, 0x22]), {}, 400, "request.not_json"],
    ["what is not JSON", () => "{nope", {}, 400, "request.not_json"],
    ["a content encoding", () => "{}", { "content-encoding": "gzip" }, 415, "request.encoding"],
    ["another type", () => "<x/>", { "content-type": "text/xml" }, 415, "request.media_type"],
  ])("%s", async (_, body, headers, status, code) => {
    const answer = await api.ask("/v1/events", { body: (body as () => unknown)(), headers });
    const said = answer.body.code ?? answer.body.results?.[0]?.code;
    expect([answer.status === 207 ? status : answer.status, said]).toEqual([status, code]);
  });
});

test("S8: a relaxing event older than the last restricting one is recorded as stale, and opens nothing", async () => {
  const at = (minutes: number) => ({ time: new Date(Date.now() + minutes * 60_000).toISOString() });
  await api.ask("/v1/events", {
    body: [
      event("account.signedIn", { platform: "ios", interactive: true }, at(-5)),
      event("account.disabled", {}, at(-1)),
      event("account.enabled", {}, at(-3)),
    ],
  });
  const { body } = await api.ask(`/v1/decision?device=${device}&user=adele`);
  expect(body.decision).not.toBe("allow");
});

test("S8: the same id with another body is a conflict, and what was accepted first stands", async () => {
  const first = event("account.disabled");
  expect((await api.ask("/v1/events", { body: first })).status).toBe(202);
  const other = { ...first, type: "account.enabled" };
  const { status, body } = await api.ask("/v1/events", { body: other });
  expect([status, body.code]).toEqual([409, "event.conflict"]);
  const { body: again } = await api.ask("/v1/events", { body: [first, other] });
  expect(again.results.map(({ status: one }: { status: string }) => one)).toEqual(["duplicate", "conflict"]);
});

describe("S9: no PIN, ever", () => {
  test.each(["pin", "PIN", "new-pin", "passcode", "Access_Token", "password"])(
    "a field named %s is refused, and what it says is in no answer",
    async (name) => {
      const { status, body } = await api.ask("/v1/events", { body: event("pin.set", { [name]: "canary-1234" }) });
      expect([status, body.code]).toEqual([400, "event.secret_field"]);
      expect(JSON.stringify(body)).not.toContain("canary");
    },
  );
});

test("S10: a policy's numbers are range-checked", async () => {
  const { status, body } = await api.ask("/v1/policies/import", {
    body: {
      "@odata.type": "#microsoft.graph.iosManagedAppProtection",
      id: "p",
      displayName: "P",
      minimumPinLength: 99,
    },
  });
  expect([status, body.code, body.errors[0].code, body.errors[0].path]).toEqual([
    400,
    "import.refused",
    "policy.range",
    "$.minimumPinLength",
  ]);
});

describe("S13: rate limits", () => {
  test("a device that floods is told to wait, and what takes access away has a reserve of its own", async () => {
    const flood = Array.from({ length: 120 }, () => event("app.backgrounded"));
    const { status, body, headers } = await api.ask("/v1/events", { body: flood });
    expect(status).toBe(207);
    expect(body.totals).toMatchObject({ accepted: 50, refused: 70 });
    expect(Number(headers.get("retry-after"))).toBeGreaterThan(0);
    expect(body.results.at(-1)).toMatchObject({ status: "refused", code: "rate.limited" });
    const alone = await api.ask("/v1/events", { body: event("app.backgrounded") });
    expect([alone.status, alone.body.code, Number(alone.headers.get("retry-after")) > 0]).toEqual([
      429,
      "rate.limited",
      true,
    ]);
    const restricting = await api.ask("/v1/events", { body: event("account.disabled") });
    expect(restricting.status).toBe(202);
  });

  test("a stream that floods is slowed down, and nothing of it is refused or overtaken", async () => {
    const flood = Array.from({ length: 120 }, (_, n) => event("app.backgrounded", {}, { id: String(n) }));
    const { status, body } = await api.ask("/v1/events", {
      body: flood.map((one) => JSON.stringify(one)).join("\n"),
      headers: { "content-type": "application/x-ndjson" },
    });
    expect([status, body.totals.accepted]).toEqual([202, 120]);
    const partition = partitionOf("contoso", device, api.deployment.store.deployment.partitionCount);
    const { entries } = await api.deployment.store.load(partition, { entries: 1_000, bytes: 1_000_000 });
    const ids = entries.map(({ body: text }) => JSON.parse(text) as { s?: string; i: string });
    expect(ids.filter(({ s }) => s?.includes(`/${device}/`)).map(({ i }) => i)).toEqual(flood.map(({ id }) => id));
  });

  test("another device's events are taken meanwhile", async () => {
    await api.ask("/v1/events", { body: Array.from({ length: 120 }, () => event("app.backgrounded")) });
    const other = event("app.backgrounded", {}, { subject: `${device}-other/adele` });
    expect((await api.ask("/v1/events", { body: other })).status).toBe(202);
  });
});

test("S13: whoever says that a body comes and sends nothing is cut off", { timeout: 40_000 }, async () => {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  const head = ["POST /v1/events HTTP/1.1", `host: ${hostname}`, `authorization: Bearer ${api.key}`];
  socket.write([...head, "content-type: application/json", "content-length: 10", "", "["].join("\r\n"));
  let answered = "";
  for await (const bytes of socket) answered += String(bytes);
  expect(answered).toMatch(/^HTTP\/1\.1 408 /);
  expect(answered).toContain("request.too_slow");
});

test("S16: there is no board of the queues that anybody could open", async () => {
  for (const path of ["/queues", "/admin/queues", "/board", "/v1/queues"])
    expect([path, (await api.ask(path)).status]).toEqual([path, 404]);
});

test("S16: a decision is never kept by anybody on the way", async () => {
  const { headers } = await api.ask(`/v1/decision?device=${device}&user=adele`);
  expect(headers.get("cache-control")).toBe("no-store");
});

test.each([
  [
    "headers beyond their limit",
    `GET /livez HTTP/1.1\r\nhost: x\r\nx-long: ${"x".repeat(20_000)}\r\n\r\n`,
    431,
    "request.headers_too_large",
  ],
  [
    "an address beyond it",
    `GET /v1/sessions?user=${"x".repeat(20_000)} HTTP/1.1\r\nhost: x\r\n\r\n`,
    431,
    "request.headers_too_large",
  ],
  ["what is no HTTP", "canary-in-a-line\r\n\r\n", 400, "request.invalid"],
])("%s: a problem, too, and the connection ends", async (_, sent, status, code) => {
  const { hostname, port } = new URL(api.url);
  const socket = connect(Number(port), hostname);
  await once(socket, "connect");
  socket.write(sent);
  const [head = "", body = ""] = (await text(socket)).split("\r\n\r\n");
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
  expect(head).toContain("content-type: application/problem+json");
  expect(JSON.parse(body)).toMatchObject({ status, code, requestId: expect.any(String) });
  expect(body).not.toContain("canary");
});
