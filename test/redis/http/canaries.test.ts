/** S9: a canary in every field that a producer can fill is found nowhere but in the store: not in logs, metrics, queues or answers that tell of an error. */
import { Writable } from "node:stream";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { RulesSource } from "../../../src/control/rules-source.js";
import { EffectsQueue } from "../../../src/queue/queues.js";
import { connectQueue } from "../../../src/redis/connection.js";
import { Drainer } from "../../../workers/drain.js";
import { type TestApi, cloudEvent, startApi } from "../../support/api-server.js";
import { POSTURE, SIX_DIGITS, samplePolicy } from "../../support/deployment.js";
import { eventually } from "../../support/eventually.js";

const CANARY = "canary-7d21";
const SUBJECT = { subject: "phone-1/adele" };

let api: TestApi;
let words = "";
const log = pino(
  { level: "trace" },
  new Writable({
    write: (chunk: Buffer, _, done) => {
      words += chunk.toString();
      done();
    },
  }),
);

beforeAll(async () => {
  api = await startApi({ log });
  await api.ask("/v1/policies/import", { body: samplePolicy("contoso-ios-level2") });
  await api.ask("/v1/policy-publish", { body: {} });
});
afterAll(() => api.stop());

const event = (type: string, data: object, more: object = {}) => cloudEvent(type, data, { ...SUBJECT, ...more });

const GOOD = [
  event("account.signedIn", { platform: "ios", interactive: true }, { source: `app://${CANARY}` }),
  event("enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }),
  event("posture.reported", { ...POSTURE, model: CANARY, manufacturer: CANARY }),
  event("membership.changed", { groups: [CANARY] }),
  event("pin.set", { descriptor: SIX_DIGITS }),
  event("wipe.requested", { requestId: CANARY, scope: "app" }),
];

const BAD: readonly unknown[] = [
  event("app.backgrounded", { note: CANARY }),
  event("app.backgrounded", { pin: CANARY }),
  event("app.backgrounded", { nested: { password: CANARY } }),
  event(CANARY, {}),
  event("posture.reported", { ...POSTURE, rooted: CANARY }),
  event("account.signedIn", { platform: CANARY }),
  event("app.backgrounded", {}, { subject: `${CANARY}/${CANARY}/${CANARY}/${CANARY}` }),
  event("app.backgrounded", {}, { time: CANARY }),
  event("app.backgrounded", {}, { specversion: CANARY }),
  `{"type":"app.backgrounded","note":"${CANARY}`,
  JSON.stringify(event("app.backgrounded", {})).replace("{", `{"id":"${CANARY}",`),
];

/** All that is stored under these keys. */
async function stored(pattern: string): Promise<string> {
  const { redis } = api.deployment;
  const texts: string[] = [];
  for (const key of await redis.keys(pattern)) {
    const type = await redis.type(key);
    texts.push(key);
    if (type === "hash") texts.push(JSON.stringify(await redis.hgetall(key)));
    else if (type === "stream") texts.push(JSON.stringify(await redis.xrange(key, "-", "+")));
    else if (type === "zset") texts.push(JSON.stringify(await redis.zrange(key, "0", "-1")));
    else if (type === "list") texts.push(JSON.stringify(await redis.lrange(key, 0, -1)));
    else texts.push((await redis.get(key)) ?? "");
  }
  expect(texts.length).toBeGreaterThan(0);
  return texts.join("\n");
}

test("S9: what good events say is in the store, and in no queue, log or metric", async () => {
  const { store, redis, catalogues } = api.deployment;
  for (const one of GOOD) expect((await api.ask("/v1/events", { body: one })).status).toBe(202);
  await eventually(async () => (await redis.keys(`{${api.redis.prefix}:wake-0}*`)).length).toBeGreaterThan(0);
  expect(await stored(`{${api.redis.prefix}:wake-0}*`)).not.toContain(CANARY);

  const queueConnection = connectQueue(api.redis.url);
  const queue = new EffectsQueue(queueConnection, { prefix: api.redis.prefix, wakeShards: 1 });
  const handed: Promise<void>[] = [];
  const drainer = new Drainer({
    store,
    rules: new RulesSource(catalogues),
    log,
    onEffects: (partition, ids) => void handed.push(queue.handOver(partition, ids)),
  });
  for (let partition = 0; partition < store.deployment.partitionCount; partition++) await drainer.drain(partition);
  await Promise.all(handed);
  expect(handed.length).toBeGreaterThan(0);
  expect(await stored(`{${api.redis.prefix}:effects}*`)).not.toContain(CANARY);
  await queue.close();
  queueConnection.disconnect();

  expect(await api.metrics.text()).not.toContain(CANARY);
  expect(words).not.toContain(CANARY);
  const { body } = await api.ask("/v1/sessions/contoso%2Fphone-1%2Fadele%2Fazure-mobile");
  expect(JSON.stringify(body)).toContain(CANARY);
});

test("S9: what bad ones say is not even in the answers that refuse them", async () => {
  for (const [n, body] of BAD.entries()) {
    const answer = await api.ask("/v1/events", { body });
    expect([n, answer.status]).toEqual([n, 400]);
    expect([n, JSON.stringify(answer.body)]).toEqual([n, expect.not.stringContaining(CANARY)]);
  }
  expect(words).not.toContain(CANARY);
  expect(await api.metrics.text()).not.toContain(CANARY);
});
