/** The client that shares the Redis, against a real deployment. */
import { afterEach, beforeEach, expect, test } from "vitest";
import { type GatehouseClient, type GatehouseEvent, StoreUnavailableError, createClient } from "gatehouse/client";
import { type TestRedis, startRedis } from "../support/redis-server.js";

let redis: TestRedis;
let client: GatehouseClient;

beforeEach(async () => {
  redis = await startRedis();
  client = createClient({ url: redis.url, prefix: redis.prefix, tenant: "contoso" });
});
afterEach(async () => {
  await client.close();
  await redis.stop();
});

const envelope = (id: string) =>
  ({ specversion: "1.0", id, source: "test", subject: "phone-1/adele", time: "2026-03-02T08:00:00Z" }) as const;
const signedIn: GatehouseEvent = { ...envelope("1"), type: "account.signedIn", data: { platform: "ios" } };
const signOutForced: GatehouseEvent = { ...envelope("2"), type: "session.signOutForced" };

test("an event is taken, and a decision knows of it although no worker runs", async () => {
  expect(await client.decide({ device: "phone-1", user: "adele" })).toMatchObject({
    decision: "deny",
    reasons: ["session.unknown"],
  });
  expect((await client.emit(signedIn)).results).toEqual([{ id: "1", status: "accepted" }]);
  expect(await client.decide({ device: "phone-1", user: "adele" })).toMatchObject({ state: "unenrolled.checking" });
  const { totals } = await client.emit([signedIn, signOutForced]);
  expect(totals).toEqual({ sent: 2, accepted: 1, duplicate: 1, conflict: 0, refused: 0, unknown: 0 });
  expect(await client.decide({ device: "phone-1", user: "adele" })).toMatchObject({
    decision: "deny",
    state: "signedOut",
  });
});

test("a bad event is refused with the reason, and its neighbours are taken", async () => {
  const bad = { ...envelope("3"), type: "pin.set", data: { pin: "sesame" } } as unknown as GatehouseEvent;
  const { results } = await client.emit([bad, signedIn]);
  expect(results).toMatchObject([
    { status: "refused", refusal: { code: "event.secret_field", path: "/data/pin" } },
    { status: "accepted" },
  ]);
});

test("without a Redis nothing is sent, and every decision is deny", async () => {
  const lost = createClient({ url: "unix:///nowhere/redis.sock", tenant: "contoso" });
  await expect(lost.emit(signedIn)).rejects.toThrow(StoreUnavailableError);
  expect(await lost.decide({ device: "phone-1", user: "adele" })).toMatchObject({
    decision: "deny",
    reasons: ["store.unavailable"],
  });
  await lost.close();
});

test("many decisions come in the order asked for", async () => {
  await client.emit(signedIn);
  const decisions = await client.decideMany([
    { device: "phone-2", user: "adele" },
    { device: "phone-1", user: "adele" },
  ]);
  expect(decisions.map(({ reasons }) => reasons[0])).toEqual(["session.unknown", "enrollment.checking"]);
});

test("close waits for what was emitted", async () => {
  const emitted = client.emit(signedIn);
  await client.close();
  expect((await emitted).totals.accepted).toBe(1);
});

test("a tenant or prefix that can't be used is refused at once", () => {
  expect(() => createClient({ url: redis.url, tenant: "con/toso" })).toThrow(RangeError);
  expect(() => createClient({ url: redis.url, tenant: "contoso", prefix: "{p}" })).toThrow(RangeError);
});
