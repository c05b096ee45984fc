/** GET /v1/audit: what was done over the API, by which key and why, and never with a secret. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { type TestApi, startApi } from "../../support/api-server.js";
import { auditKeys } from "../../../src/store/keys.js";

let api: TestApi;

beforeAll(async () => {
  api = await startApi();
});
afterAll(() => api.stop());

const acts = async (query = "") => (await api.ask(`/v1/audit${query}`)).body.acts as Record<string, unknown>[];

test("tells of each act the key, the reason and the outcome, and holds no secret", async () => {
  const { body: made } = await api.ask("/v1/keys", {
    body: { name: "mail backend", scopes: ["emit"] },
    headers: { "x-gatehouse-reason": "ticket 4711" },
  });
  const url = "http://127.0.0.1:9/hook-secret-path?token=canary-token";
  const { body: endpoint } = await api.ask("/v1/webhooks", { body: { url } });
  const { body: rotated } = await api.ask(`/v1/webhooks/${endpoint.id}/rotate`, { body: {} });
  await api.ask(`/v1/keys/${made.id}`, { method: "DELETE" });
  await api.ask("/v1/policy-rollback", { body: { version: 7 } });
  expect(await acts()).toMatchObject([
    { act: "policy.rollback", outcome: "failed", code: "catalogue.unknown", about: { to: 7 } },
    { act: "keys.revoke", outcome: "done", about: { id: made.id } },
    { act: "webhooks.rotate", outcome: "done", about: { endpoint: endpoint.id } },
    { act: "webhooks.create", outcome: "done", about: { endpoint: endpoint.id, host: "127.0.0.1:9" } },
    {
      act: "keys.create",
      by: "test",
      via: "API",
      reason: "ticket 4711",
      about: { id: made.id, name: "mail backend", scopes: ["emit"] },
    },
  ]);
  const { log } = auditKeys(api.redis.prefix, "contoso");
  const stored = JSON.stringify(await api.deployment.redis.xrange(log, "-", "+"));
  for (const secret of [made.key, made.key.split("_").at(-1), endpoint.secret, rotated.secret, "hook-secret", "canary"])
    expect(stored).not.toContain(secret);
});

test("filters, and goes on page by page", async () => {
  expect((await acts("?act=webhooks")).map(({ act }) => act)).toEqual(["webhooks.rotate", "webhooks.create"]);
  expect((await api.ask("/v1/audit?act=webhook")).status, "no act is called so").toBe(400);
  const { body: first } = await api.ask("/v1/audit?limit=3");
  const { body: second } = await api.ask(`/v1/audit?limit=3&cursor=${first.next}`);
  expect([first.acts.length, second.acts.length, second.next]).toEqual([3, 2, null]);
  expect((await api.ask("/v1/audit?cursor=0-0")).body).toEqual({ acts: [], next: null });
  const since = new Date(Date.now() + 60_000).toISOString();
  expect(await acts(`?since=${encodeURIComponent(since)}`)).toEqual([]);
});

test("a look, and a preview, are no acts", async () => {
  const before = (await acts()).length;
  await api.ask("/v1/keys");
  await api.ask("/v1/effects/redrive", { body: {} });
  await api.ask("/v1/policy-dry-run", { method: "POST" });
  expect(await acts()).toHaveLength(before);
  await api.ask("/v1/effects/redrive", { body: { apply: true } });
  expect(await acts()).toHaveLength(before + 1);
});
