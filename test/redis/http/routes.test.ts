/** Every route there is, found in the OpenAPI document: what it answers is documented, and no tenant sees another. */
import { readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { type TestApi, cloudEvent, startApi } from "../../support/api-server.js";
import { type DocumentedRoute, documentedRoutes } from "../../support/openapi-routes.js";
import { POSTURE, SIX_DIGITS, samplePolicy } from "../../support/deployment.js";
import { eventually } from "../../support/eventually.js";

/** What only the first tenant has. */
const OURS = { device: "secret-phone", user: "canary-user", policy: "canary-policy", name: "Canary key" };

let api: TestApi;
let routes: readonly DocumentedRoute[];
let foreign: string;
let ids: Readonly<Record<string, string>>;

beforeAll(async () => {
  api = await startApi({ worker: true });
  routes = await documentedRoutes(api);

  const subject = `${OURS.device}/${OURS.user}`;
  const policy = { ...samplePolicy("contoso-ios-level2"), id: OURS.policy, displayName: "Canary policy" };
  await api.ask("/v1/policies/import", { body: policy });
  await api.ask("/v1/policy-publish", { body: { note: "canary note" } });
  await api.ask("/v1/users/import", { body: [{ user: OURS.user, groups: ["canary-group"] }] });
  const { body: key } = await api.ask("/v1/keys", { body: { name: OURS.name, scopes: ["emit"] } });
  await api.ask("/v1/events", {
    body: [
      cloudEvent("account.signedIn", { platform: "ios", interactive: true }, { subject }),
      cloudEvent("enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }, { subject }),
      cloudEvent("posture.reported", POSTURE, { subject }),
      cloudEvent("pin.set", { descriptor: SIX_DIGITS }, { subject }),
    ],
    headers: { prefer: "wait=5" },
  });
  foreign = await api.newKey(undefined, { tenant: "fabrikam" });
  ids = { id: key.id, policy: OURS.policy, user: OURS.user };
});
afterAll(() => api.stop());

/** A request as its route wants it, naming what is the first tenant's. */
function requestTo({ path, operation }: DocumentedRoute): { readonly path: string; readonly body?: unknown } {
  const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) =>
    path.startsWith("/v1/sessions/")
      ? encodeURIComponent(`${OURS.device}/${OURS.user}`)
      : encodeURIComponent(ids[name] ?? "nothing"),
  );
  const query = new URLSearchParams();
  const values: Readonly<Record<string, string>> = { ...OURS, platform: "ios" };
  for (const { name, in: where, required } of operation.parameters ?? []) {
    if (where === "query" && required === true) query.set(name, values[name] ?? "1");
  }
  const text = query.size === 0 ? filled : `${filled}?${query.toString()}`;
  return operation.requestBody === undefined ? { path: text } : { path: text, body: {} };
}

describe("the document", () => {
  test("is OpenAPI 3.1 and names every route that the server has", () => {
    expect(new Set(routes.map(({ name }) => name))).toEqual(new Set(api.api.scopes.keys()));
  });

  test("names the scope of every route, and an API without keys is none", () => {
    for (const { name, operation } of routes) {
      expect([name, operation.security]).toEqual([name, [{ apiKey: [api.api.scopes.get(name)] }]]);
    }
  });

  test("every route that changes something is recorded as an act; events, decisions and dry runs are none", () => {
    const changing = routes.map(({ name }) => name).filter((name) => !name.startsWith("GET "));
    expect(new Set(changing.filter((name) => !api.api.acts.has(name)))).toEqual(
      new Set(["POST /v1/events", "POST /v1/decisions", "POST /v1/policy-dry-run"]),
    );
  });

  test("docs/api.md lists every route, and none besides", () => {
    const page = readFileSync(fileURLToPath(new URL("../../../docs/api.md", import.meta.url)), "utf8");
    const listed = [...page.matchAll(/^\| `([A-Z]+ \/v1\/[^`?]*)/gm)].map(([, name]) => name);
    expect(new Set(listed)).toEqual(new Set(routes.map(({ name }) => name)));
    expect(listed).toHaveLength(routes.length);
  });

  test("every file of routes is used", () => {
    const files = readdirSync(fileURLToPath(new URL("../../../src/http/routes", import.meta.url)));
    const app = readFileSync(fileURLToPath(new URL("../../../src/http/app.ts", import.meta.url)), "utf8");
    for (const file of files) expect(app).toContain(`./routes/${file.replace(/ts$/, "js")}`);
  });
});

test("every route refuses whoever has no key, and whoever has a key of other scopes", async () => {
  for (const route of routes) {
    const { path, body } = requestTo(route);
    const ask = async (key: string) =>
      api.ask(path, { method: route.method, key, ...(body !== undefined && { body }) });
    const anonymous = await fetch(`${api.url}${path}`, { method: route.method });
    expect([route.name, anonymous.status]).toEqual([route.name, 401]);
    const [scope] = route.operation.security?.[0]?.apiKey ?? [];
    const others = (["emit", "decide", "operate", "admin"] as const).filter((one) => one !== scope);
    const { status, body: problem } = await ask(await api.newKey(others));
    expect([route.name, status, problem.code]).toEqual([route.name, 403, "auth.scope"]);
  }
});

test("another tenant gets nothing of ours from any route, and what it changes is not ours", async () => {
  const mark = async () =>
    JSON.stringify(
      await Promise.all(
        ["/v1/sessions", "/v1/policies", "/v1/policy-versions", "/v1/keys", `/v1/users/${OURS.user}`].map(
          async (path) => {
            const { body } = await api.ask(path);
            return JSON.stringify(body).replaceAll(/"asOf":\d+/g, "");
          },
        ),
      ),
    );
  const before = await mark();
  const asked: string[] = [];
  for (const route of routes.filter(({ path }) => path !== "/v1/stream")) {
    const { path, body } = requestTo(route);
    const answer = await api.ask(path, { method: route.method, key: foreign, ...(body !== undefined && { body }) });
    asked.push(decodeURIComponent(path));
    // A caller's own words may come back to it; from the audit log also those of earlier requests.
    const words = route.path === "/v1/audit" ? asked.join(" ") : decodeURIComponent(path);
    const own = Object.values(OURS).filter((word) => words.includes(word));
    const said = own.reduce((text, word) => text.replaceAll(word, ""), JSON.stringify(answer.body));
    expect([route.name, said]).toEqual([route.name, expect.not.stringMatching(/canary|Canary|secret-phone/)]);
    expect([route.name, Object.keys(route.operation.responses)]).toEqual([
      route.name,
      expect.arrayContaining([String(answer.status)]),
    ]);
  }
  expect(await mark()).toBe(before);
});

describe("GET /v1/stream", () => {
  test("tells transitions as they are committed, and goes on after the last one that was seen", async () => {
    const open = async (last?: string) => {
      const ending = new AbortController();
      const response = await fetch(`${api.url}/v1/stream?state=active`, {
        headers: { authorization: `Bearer ${api.key}`, ...(last !== undefined && { "last-event-id": last }) },
        signal: ending.signal,
      });
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      let text = "";
      const until = async (pattern: RegExp): Promise<RegExpExecArray> => {
        for (;;) {
          const match = pattern.exec(text);
          if (match !== null) return match;
          const { done, value } = await reader.read();
          if (done) throw new Error(`the stream ended: ${text}`);
          text += value;
        }
      };
      return { until, end: () => ending.abort() };
    };
    const getIn = async (n: number) => {
      const subject = `streamed-${n}/adele`;
      await api.ask("/v1/events", {
        body: [
          cloudEvent("account.signedIn", { platform: "ios", interactive: true }, { subject }),
          cloudEvent("enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }, { subject }),
          cloudEvent("posture.reported", POSTURE, { subject }),
          cloudEvent("pin.set", { descriptor: SIX_DIGITS }, { subject }),
        ],
      });
    };
    const first = await open();
    await first.until(/: follows/);
    await getIn(1);
    const [, id] = await first.until(/id: (\S+)\n/);
    first.end();
    await getIn(2);
    const second = await open(id);
    const [, data] = await second.until(/data: (.*)\n/);
    expect(JSON.parse(data!)).toMatchObject({ session: "contoso/streamed-2/adele/azure-mobile", to: "active" });
    second.end();
  });

  test("one tenant has 16 at once, and keeps no other tenant out", async () => {
    const ending: AbortController[] = [];
    onTestFinished(() => ending.forEach((one) => one.abort()));
    const open = async (key: string): Promise<number> => {
      const one = new AbortController();
      ending.push(one);
      const headers = { authorization: `Bearer ${key}` };
      return (await fetch(`${api.url}/v1/stream`, { headers, signal: one.signal })).status;
    };
    const [busy, other] = (await Promise.all(
      ["northwind", "fabrikam"].map(async (tenant) => api.newKey(["operate"], { tenant })),
    )) as [string, string];
    for (let n = 0; n < 16; n++) expect(await open(busy)).toBe(200);
    expect(await open(busy)).toBe(429);
    expect(await open(other)).toBe(200);
    ending[0]?.abort();
    await eventually(async () => open(busy)).toBe(200);
  });

  test("an id that it never gave is a problem", async () => {
    const { status, body } = await api.ask("/v1/stream", { headers: { "last-event-id": "nonsense" } });
    expect([status, body.code]).toEqual([400, "request.invalid"]);
  });
});

describe("GET /v1/sessions", () => {
  test("page by page, every session once", async () => {
    await api.ask("/v1/events", {
      body: Array.from({ length: 60 }, (_, n) =>
        cloudEvent("account.signedIn", { platform: "ios" }, { subject: `paged-${n}/bruno` }),
      ),
      headers: { prefer: "wait=5" },
    });
    const seen: string[] = [];
    let next: string | null = null;
    do {
      const { body }: { body: { sessions: { session: string }[]; next: string | null } } = await api.ask(
        `/v1/sessions?user=bruno&limit=7${next === null ? "" : `&cursor=${next}`}`,
      );
      expect(body.sessions.length).toBeLessThanOrEqual(7);
      seen.push(...body.sessions.map(({ session }) => session));
      next = body.next;
    } while (next !== null);
    expect(seen.length).toBe(60);
    expect(new Set(seen).size).toBe(60);
  });

  test.each([
    [`state=active&user=${OURS.user}`, 1],
    [`state=locked&user=${OURS.user}`, 0],
    [`device=${OURS.device}`, 1],
    [`policy=${OURS.policy}&user=${OURS.user}`, 1],
    [`policy=other&user=${OURS.user}`, 0],
  ])("filtered by %s", async (query, count) => {
    expect((await api.ask(`/v1/sessions?${query}`)).body.sessions).toHaveLength(count);
  });

  const cursorFrom = (from: string): string =>
    `cursor=${Buffer.from(JSON.stringify({ partition: 0, from, skip: 0 })).toString("base64url")}`;

  test.each([
    "state=nowhere",
    "limit=0",
    "cursor=nonsense",
    cursorFrom("nonsense"),
    cursorFrom("-1"),
    cursorFrom("9".repeat(20)),
    "sort=up",
    "state=active&state=locked",
  ])("%s is a problem", async (query) => {
    const { status, body } = await api.ask(`/v1/sessions?${query}`);
    expect([status, body.code]).toEqual([400, "request.invalid"]);
  });
});

test("every problem's type leads to a page about it", async () => {
  const { body } = await api.ask("/v1/sessions", { key: "nonsense" });
  const page = await fetch(`${api.url}${body.type}`);
  expect([page.status, await page.text()]).toEqual([
    200,
    expect.stringMatching(/^auth\.invalid\n\nstatus: 401\nmeaning: .+\nwhat to do: .+\n$/),
  ]);
});

// Last: it changes what the others look at.
test("every route answers the right caller with a documented status", async () => {
  for (const route of routes.filter(({ path, method }) => path !== "/v1/stream" && method !== "DELETE")) {
    const { path, body } = requestTo(route);
    const { status } = await api.ask(path, { method: route.method, ...(body !== undefined && { body }) });
    expect([route.name, Object.keys(route.operation.responses)]).toEqual([
      route.name,
      expect.arrayContaining([String(status)]),
    ]);
    expect([route.name, status]).not.toEqual([route.name, 500]);
  }
});
