/** POST /v1/events over a real Redis: every form in which events may come, and an answer for each. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { samplePolicy, POSTURE, SIX_DIGITS } from "../../support/deployment.js";
import { type TestApi, cloudEvent, startApi } from "../../support/api-server.js";

let api: TestApi;
let device: string;
let devices = 0;

beforeAll(async () => {
  api = await startApi({ worker: true });
  await api.ask("/v1/policies/import", { body: samplePolicy("contoso-ios-level2") });
  await api.ask("/v1/policy-publish", { body: {} });
});
afterAll(() => api.stop());
beforeEach(() => {
  device = `phone-${devices++}`;
});

const event = (type: string, data: object = {}, changes: object = {}) =>
  cloudEvent(type, data, { subject: `${device}/adele`, ...changes });
const signIn = (changes: object = {}) => event("account.signedIn", { platform: "ios", interactive: true }, changes);
const send = async (body: unknown, type = "application/json", headers: Record<string, string> = {}) =>
  api.ask("/v1/events", { body, headers: { "content-type": type, ...headers } });
const decision = async () => (await api.ask(`/v1/decision?device=${device}&user=adele`)).body;

describe("forms", () => {
  test.each(["application/json", "application/cloudevents+json", "application/cloudevents+json; charset=utf-8"])(
    "one event as %s",
    async (type) => {
      const sent = signIn();
      const { status, body } = await send(sent, type);
      expect([status, body]).toEqual([
        202,
        {
          results: [{ status: "accepted", id: sent["id"] }],
          totals: { sent: 1, accepted: 1, duplicate: 0, conflict: 0, refused: 0, unknown: 0 },
        },
      ]);
    },
  );

  test.each(["application/json", "application/cloudevents-batch+json"])("a batch as %s", async (type) => {
    const { status, body } = await send([signIn(), event("app.backgrounded")], type);
    expect([status, body.totals.accepted]).toEqual([202, 2]);
  });

  test("one event in binary mode: attributes in headers, percent-encoded, the body is its data", async () => {
    const { status, body } = await send({ platform: "ios" }, "application/json", {
      "ce-specversion": "1.0",
      "ce-id": "caf%C3%A9",
      "ce-source": "app://test",
      "ce-type": "account.signedIn",
      "ce-subject": `${device}/adele`,
      "ce-time": "2026-03-02T08:00:00Z",
    });
    expect([status, body.results]).toEqual([202, [{ status: "accepted", id: "café" }]]);
  });

  test("a stream of any number as NDJSON: what was not taken is named by its line", async () => {
    const lines = Array.from({ length: 1_200 }, (_, n) => signIn({ subject: `${device}-${n}/adele` }));
    const text = [...lines.map((one) => JSON.stringify(one)), "{nonsense", JSON.stringify(event("no.such"))].join("\n");
    const { status, body } = await send(text, "application/x-ndjson");
    expect(status).toBe(207);
    expect(body).toMatchObject({
      totals: { sent: 1_202, accepted: 1_200, refused: 2 },
      notAccepted: [
        { line: 1_201, code: "event.not_json" },
        { line: 1_202, code: "event.type_unknown" },
      ],
      notAcceptedOmitted: 0,
    });
  });
});

describe("answers", () => {
  test("accepted before: 202, and duplicate; the same id with something else: 409", async () => {
    const first = signIn();
    await send(first);
    expect((await send(first)).body.results).toEqual([{ status: "duplicate", id: first["id"] }]);
    const { status, body, headers } = await send({ ...first, data: { platform: "android" } });
    expect([status, body.code, headers.get("content-type")]).toEqual([
      409,
      "event.conflict",
      "application/problem+json",
    ]);
  });

  test("of a batch each is answered, in order, and a bad one costs no good one", async () => {
    const { status, body } = await send([signIn(), { nonsense: true }, event("app.backgrounded"), 7]);
    expect(status).toBe(207);
    expect(body.results.map(({ status: said }: { status: string }) => said)).toEqual([
      "accepted",
      "refused",
      "accepted",
      "refused",
    ]);
    expect(body.results[1]).toMatchObject({ code: "event.invalid", fix: expect.any(String) });
  });

  test.each([
    ["goes on from the request's", {}, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"],
    [
      "is its own, where it names one",
      { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" },
      "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    ],
  ])("the trace of an event %s", async (_, changes, expected) => {
    await send(signIn(changes), "application/json", {
      traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
      prefer: "wait=5",
    });
    const { store } = api.deployment;
    const outboxes = await Promise.all([0, 1, 2, 3].map(async (partition) => store.outbox(partition, null, 1_000)));
    const ours = outboxes
      .flat()
      .map(({ body }) => JSON.parse(body))
      .filter(({ session }) => session.includes(`/${device}/`));
    expect(ours.length).toBeGreaterThan(0);
    // Where an SDK records spans, as another test of this process may have it, each has its own in the same trace.
    const traceOf = (traceparent: string): string => traceparent.slice(0, "00-".length + 32);
    expect(ours.map(({ traceparent }) => traceOf(traceparent))).toEqual(ours.map(() => traceOf(expected)));
  });

  test("one event that is refused is a problem that says where and how to mend it", async () => {
    const { status, body } = await send(event("posture.reported", { osVersion: 17 }));
    expect(status).toBe(400);
    expect(body).toMatchObject({
      type: "/errors/event.invalid",
      code: "event.invalid",
      pointer: "/data/osVersion",
      fix: expect.any(String),
      requestId: expect.any(String),
    });
  });

  test("Prefer: wait answers with the state that the events led to", async () => {
    const { headers, body } = await send(
      [
        signIn(),
        event("enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }),
        event("posture.reported", POSTURE),
        event("pin.set", { descriptor: SIX_DIGITS }),
      ],
      "application/json",
      { prefer: "wait=5" },
    );
    expect(headers.get("preference-applied")).toBe("wait=5");
    expect(body.sessions).toEqual([
      {
        session: `contoso/${device}/adele/azure-mobile`,
        state: "active",
        revision: expect.any(Number),
        committed: true,
      },
    ]);
    expect(await decision()).toMatchObject({ decision: "allow" });
  });

  test("what is accepted counts at once: the next decision denies", async () => {
    await send([
      signIn(),
      event("enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }),
      event("posture.reported", POSTURE),
      event("pin.set", { descriptor: SIX_DIGITS }),
    ]);
    expect(await decision()).toMatchObject({ decision: "allow" });
    await send(event("posture.reported", { ...POSTURE, rooted: true }));
    expect(await decision()).toMatchObject({ decision: "deny" });
  });
});
