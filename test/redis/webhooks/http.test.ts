/** Webhooks and deliveries over the API: what an administrator and an operator can do, and that no other tenant can. */
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { EffectMessage } from "../../../src/store/partition-view.js";
import { EndpointStore } from "../../../src/webhooks/endpoint-store.js";
import { handOver } from "../../../src/webhooks/hand-over.js";
import { TENANT, type TestApi, startApi } from "../../support/api-server.js";
import { WebhookReceiver, answer } from "../../support/receiver.js";

let api: TestApi;
let receiver: WebhookReceiver;
let foreign: string;
let serial = 0;

beforeAll(async () => {
  api = await startApi();
  receiver = await WebhookReceiver.start();
  foreign = await api.newKey(undefined, { tenant: "fabrikam" });
});
afterAll(async () => {
  await receiver.stop();
  await api.stop();
});
beforeEach(() => {
  receiver.requests.length = 0;
  receiver.reply = answer(204);
});

const create = async (changes: object = {}) => api.ask("/v1/webhooks", { body: { url: receiver.url, ...changes } });

async function give(): Promise<EffectMessage> {
  const effect: EffectMessage = {
    id: `1-${++serial}-0-0badcafe`,
    session: `${TENANT}/phone-1/adele/azure-mobile`,
    revision: 3,
    at: Date.now(),
    kind: "command",
    type: "wipe",
    data: { requestId: "w1", why: "admin" },
  };
  const { redis, prefix } = { redis: api.deployment.redis, prefix: api.redis.prefix };
  await handOver({ redis, prefix, endpoints: new EndpointStore(redis, prefix) }, [effect]);
  return effect;
}

test("an endpoint is created with its secret, shown without it, tested, paused, resumed and removed", async () => {
  const created = await create({ filter: { kinds: ["command"] }, description: "wipes" });
  expect(created.status).toBe(201);
  const { id, secret } = created.body;
  const path = `/v1/webhooks/${id}`;
  expect((await api.ask(path)).body).toMatchObject({ id, state: "active", filter: { kinds: ["command"] } });
  expect(JSON.stringify((await api.ask("/v1/webhooks")).body)).not.toContain(secret);

  receiver.reply = (_, response) => response.writeHead(200).end("an internal secret");
  const tested = await api.ask(`${path}/test`, { method: "POST" });
  expect(tested.body).toMatchObject({ delivered: true, status: 200 });
  expect(JSON.stringify(tested.body)).not.toContain("internal secret");
  const { body, headers } = receiver.requests[0]!;
  expect(new Webhook(secret).verify(body, headers as never)).toMatchObject({ tenant: TENANT });

  expect((await api.ask(`${path}/pause`, { method: "POST" })).body).toMatchObject({
    state: "paused",
    why: expect.stringMatching(/^paused by .* \(API key [0-9a-f]{16}\)$/),
  });
  expect((await api.ask(`${path}/resume`, { method: "POST" })).body.state).toBe("active");
  const rotated = await api.ask(`${path}/rotate`, { body: {} });
  expect(rotated.body.secret).not.toBe(secret);
  expect(rotated.body.previousSecretUntil).toBeGreaterThan(Date.now());
  expect((await api.ask(path, { method: "DELETE" })).body).toMatchObject({ state: "removed", dropped: 0 });
  expect((await api.ask("/v1/webhooks")).body.endpoints).toEqual([]);
});

test.each(["http://10.0.0.1/", "https://169.254.169.254/latest", "file:///etc/passwd"])(
  "an endpoint at %s is refused",
  async (url) => {
    const { status, body } = await create({ url });
    expect([status, body.code]).toEqual([400, "webhook.target_refused"]);
  },
);

test("deliveries are listed, shown and redriven, first as a preview", async () => {
  const { id } = (await create()).body;
  await api.ask(`/v1/webhooks/${id}/pause`, { method: "POST" });
  const effect = await give();
  const { body: list } = await api.ask(`/v1/effects?endpoint=${id}&state=waiting`);
  expect(list).toMatchObject({
    deliveries: [{ effect: { id: effect.id, type: "wipe" }, state: "waiting" }],
    more: false,
  });
  const { body: shown } = await api.ask(`/v1/effects/${effect.id}`);
  expect(shown.deliveries).toMatchObject([{ endpoint: id, attemptsMade: 0 }]);
  expect((await api.ask("/v1/effects/redrive", { body: { endpoint: id } })).body).toMatchObject({
    applied: false,
    count: 0,
  });
  expect((await api.ask("/v1/effects/redrive", { body: { endpoint: id, apply: true } })).body.applied).toBe(true);
});

describe("another tenant's key", () => {
  test("finds no endpoint and no delivery, as if there were none", async () => {
    const { id } = (await create()).body;
    const effect = await give();
    const missing = async (path: string, init: object = {}) => {
      const [theirs, nobodys] = [
        await api.ask(path, { ...init, key: foreign }),
        await api.ask(path.replace(id, "wh_0000000000000000").replace(effect.id, "9-9-9-00000000"), {
          ...init,
          key: foreign,
        }),
      ];
      expect([path, theirs.status, theirs.body.code]).toEqual([path, 404, nobodys.body.code]);
    };
    await missing(`/v1/webhooks/${id}`);
    await missing(`/v1/webhooks/${id}`, { method: "DELETE" });
    for (const verb of ["pause", "resume", "test"]) await missing(`/v1/webhooks/${id}/${verb}`, { method: "POST" });
    await missing(`/v1/webhooks/${id}/rotate`, { body: {} });
    await missing(`/v1/effects/${effect.id}`);
    await missing(`/v1/effects?endpoint=${id}`);
    const redriven = await api.ask("/v1/effects/redrive", { body: { endpoint: id, apply: true }, key: foreign });
    expect(redriven.status).toBe(404);
    expect((await api.ask("/v1/effects", { key: foreign })).body.deliveries).toEqual([]);
    expect((await api.ask(`/v1/webhooks/${id}`)).body.state).toBe("active");
    expect(receiver.requests).toEqual([]);
  });
});
