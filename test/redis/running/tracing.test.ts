/** One trace leads from an event, through the transition, to the webhook that follows: with an SDK as spans, without one as an address. */
import { SpanStatusCode } from "@opentelemetry/api";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { publish } from "../../../src/control/publish.js";
import { type OpenDeployment, openDeployment } from "../../../src/deployment/open-deployment.js";
import { discardSink } from "../../../src/effects/effect-sink.js";
import { type IngestReport, ingest } from "../../../src/ingest/ingest.js";
import { createLogger } from "../../../src/log.js";
import { RemediatorRegistry } from "../../../src/remediators/registry.js";
import { SecretKey } from "../../../src/secrets/secret-key.js";
import { isTraceParent } from "../../../src/tracing/trace-parent.js";
import { LOOPBACK, Targets } from "../../../src/webhooks/target.js";
import { Webhooks } from "../../../src/webhooks/webhooks.js";
import { type RunningWorker, startWorker } from "../../../workers/worker.js";
import { cloudEvent } from "../../support/api-server.js";
import { POSTURE, SIX_DIGITS, TENANT, samplePolicy } from "../../support/deployment.js";
import { eventually } from "../../support/eventually.js";
import { WebhookReceiver, answer } from "../../support/receiver.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";
import { type RecordedSpan, SpanRecorder } from "../../support/span-recorder.js";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const TRACEPARENT = `00-${TRACE}-00f067aa0ba902b7-01`;
const OTHER_TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const GRANTED = "gatehouse.effect.grantAccess";

let redis: TestRedis;
let deployment: OpenDeployment;
let receiver: WebhookReceiver;
let worker: RunningWorker;

beforeEach(async () => {
  redis = await startRedis();
  const { prefix } = redis;
  deployment = await openDeployment({ redis: redis.url, prefix, deployment: { partitionCount: 4 } });
  receiver = await WebhookReceiver.start();
  const secretKey = new SecretKey("a secret key of a test, long enough");
  const targets = new Targets({ allowPrivate: LOOPBACK });
  await new Webhooks({ redis: deployment.redis, prefix, secretKey, targets }).create(TENANT, { url: receiver.url });
  await publish(deployment, TENANT, {
    policies: [samplePolicy("contoso-ios-level2")],
    conditionalAccess: [],
    settings: {},
  });
  const remediators = new RemediatorRegistry();
  remediators.register("osVersion", () => ({ status: "COMPLIANT" }));
  worker = await startWorker({
    redis: redis.url,
    prefix,
    wakeShards: 1,
    concurrency: 4,
    shutdownMs: 5_000,
    sink: discardSink,
    secretKey,
    webhookAllowPrivate: LOOPBACK,
    remediators,
    log: createLogger("silent", "test"),
  });
});
afterEach(async () => {
  await worker.stop();
  await receiver.stop();
  await deployment.close();
  await redis.stop();
});

const send = async (...events: unknown[]): Promise<IngestReport> => ingest(deployment, TENANT, events);

/** Everything up to the PIN, which gets the person in; that one with changes. */
const getIn = async (changes: object = {}): Promise<void> => {
  const { totals } = await send(
    cloudEvent("account.signedIn", { platform: "ios", interactive: true }),
    cloudEvent("enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }),
    cloudEvent("posture.reported", POSTURE),
    cloudEvent("pin.set", { descriptor: SIX_DIGITS }, changes),
  );
  expect(totals.accepted).toBe(4);
};

const granted = () => receiver.requests.find(({ body }) => body.includes(GRANTED));

describe("nobody traces", () => {
  test("the producer's trace reaches the receiver all the same, in the CloudEvent and in the header", async () => {
    await getIn({ traceparent: TRACEPARENT });
    await eventually(() => granted()?.headers["traceparent"]).toBe(TRACEPARENT);
    expect(JSON.parse(granted()!.body)).toMatchObject({ type: GRANTED, traceparent: TRACEPARENT });
  });

  test.each([
    ["none", {}],
    ["one of no known form", { traceparent: "00-xyz" }],
    ["one that is all zeros", { traceparent: `00-${"0".repeat(32)}-00f067aa0ba902b7-01` }],
  ])("without a trace (%s) nothing is added", async (_, changes) => {
    await getIn(changes);
    await eventually(() => granted()).toBeDefined();
    expect(granted()!.headers).not.toHaveProperty("traceparent");
    expect(JSON.parse(granted()!.body)).not.toHaveProperty("traceparent");
  });

  test("sent again from another trace an event is the same event", async () => {
    const event = cloudEvent("account.signedIn", { platform: "ios" }, { traceparent: TRACEPARENT });
    await send(event);
    const { totals } = await send({ ...event, traceparent: OTHER_TRACEPARENT });
    expect(totals).toMatchObject({ duplicate: 1, conflict: 0 });
  });
});

describe("an SDK is registered", () => {
  const recorder = new SpanRecorder();
  beforeAll(() => recorder.register());
  beforeEach(() => recorder.ended.splice(0));
  afterAll(() => recorder.unregister());

  const chain = (...names: string[]): (RecordedSpan | undefined)[] => names.map((name) => recorder.find(name));

  test("accept, transition and delivery are one after the other in the producer's trace", async () => {
    await getIn({ traceparent: TRACEPARENT });
    await eventually(() => recorder.find("deliver grantAccess")).toBeDefined();
    const [accept, transition, deliver] = chain("accept pin.set", "transition pin.set", "deliver grantAccess");
    expect(accept).toMatchObject({
      traceId: TRACE,
      parentId: "00f067aa0ba902b7",
      attributes: { "gatehouse.outcome": "accepted" },
    });
    expect(transition).toMatchObject({
      traceId: TRACE,
      parentId: accept!.spanId,
      attributes: { "gatehouse.outcome": "applied", "gatehouse.from": "pinSetup", "gatehouse.to": "active" },
    });
    expect(deliver).toMatchObject({
      traceId: TRACE,
      parentId: transition!.spanId,
      attributes: { "gatehouse.outcome": "delivered", "http.response.status_code": 204 },
    });
    expect(granted()!.headers["traceparent"]).toBe(`00-${TRACE}-${deliver!.spanId}-01`);
    expect(JSON.parse(granted()!.body).traceparent).toBe(`00-${TRACE}-${transition!.spanId}-01`);
  });

  test("an event that brings no trace begins one", async () => {
    await getIn();
    await eventually(() => recorder.find("deliver grantAccess")).toBeDefined();
    const [accept, transition, deliver] = chain("accept pin.set", "transition pin.set", "deliver grantAccess");
    expect(accept!.parentId).toBeUndefined();
    expect([transition!.traceId, deliver!.traceId]).toEqual([accept!.traceId, accept!.traceId]);
    expect(recorder.find("accept posture.reported")!.traceId).not.toBe(accept!.traceId);
  });

  test("each attempt is a span of its own, and one that failed says so", async () => {
    receiver.reply = ({ body }, response) => answer(body.includes(GRANTED) ? 500 : 204)({} as never, response);
    await getIn({ traceparent: TRACEPARENT });
    await eventually(() => recorder.find("deliver grantAccess")).toMatchObject({
      traceId: TRACE,
      status: SpanStatusCode.ERROR,
      attributes: { "gatehouse.outcome": "retry", "http.response.status_code": 500 },
    });
  });

  test("what a remediator found comes back in the same trace", async () => {
    await getIn();
    await send(cloudEvent("posture.reported", { ...POSTURE, osVersion: "16.5" }, { traceparent: TRACEPARENT }));
    await eventually(() => recorder.find("transition remediation.completed")).toMatchObject({ traceId: TRACE });
    const [deliver, accept] = chain("deliver remediate", "accept remediation.completed");
    expect(accept!.parentId).toBe(deliver!.spanId);
  });

  test("no tenant, user or device is named in any span", async () => {
    await getIn({ traceparent: TRACEPARENT });
    await eventually(() => recorder.find("deliver grantAccess")).toBeDefined();
    expect(JSON.stringify(recorder.ended)).not.toMatch(/contoso|adele|phone-1/);
  });
});

test("what is no traceparent is told from one", () => {
  const texts = [TRACEPARENT, `${TRACEPARENT}-00`, "", undefined];
  expect(texts.map((text) => isTraceParent(text))).toEqual([true, false, false, false]);
});
