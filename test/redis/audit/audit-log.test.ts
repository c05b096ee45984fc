/** The audit log, on a real Redis: nothing is done without a trace, and the trace names nobody and no secret. */
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { ActName } from "../../../src/audit/acts.js";
import { AuditLog } from "../../../src/audit/audit-log.js";
import { StoreUnavailableError } from "../../../src/errors.js";
import { ApiKeyUnknownError } from "../../../src/keys/api-keys.js";
import { connectStore } from "../../../src/redis/connection.js";
import { auditKeys } from "../../../src/store/keys.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";

const CAROL = { by: "carol", via: "command line" } as const;

let server: TestRedis;
let redis: Redis;
let log: AuditLog;

beforeEach(async () => {
  server = await startRedis();
  redis = await connectStore(server.url);
  log = new AuditLog(redis, server.prefix, "contoso");
});
afterEach(async () => {
  redis.disconnect();
  await server.stop();
});

const all = async (filter = {}) => (await log.read(filter, 100)).acts;
const done = async (act: ActName, actor: object = {}) =>
  log.record({ ...CAROL, ...actor }, { act }, async () => undefined);

describe("an act", () => {
  test("is told with who, what, why, how much and how it ended", async () => {
    const result = await log.record(
      { ...CAROL, reason: "phishing" },
      { act: "keys.create", about: { name: "mail", scopes: ["emit"], nothing: undefined } },
      async ({ know, touch }) => {
        know({ id: "k-1" });
        touch({ keys: 1 });
        return "made";
      },
    );
    expect(result).toBe("made");
    const [act, ...others] = await all();
    expect(others).toEqual([]);
    expect(act).toMatchObject({
      act: "keys.create",
      by: "carol",
      via: "command line",
      reason: "phishing",
      about: { name: "mail", scopes: ["emit"], id: "k-1" },
      touched: { keys: 1 },
      outcome: "done",
    });
    expect(Math.abs(act!.at - Date.now())).toBeLessThan(60_000);
  });

  test("that fails is told with its code, and with how much it had touched", async () => {
    const failing = log.record(CAROL, { act: "keys.revoke" }, async ({ touch }) => {
      touch({ keys: 0 });
      throw new ApiKeyUnknownError("k-9");
    });
    await expect(failing).rejects.toThrow(ApiKeyUnknownError);
    expect(await all()).toMatchObject([{ outcome: "failed", code: "key.unknown", touched: { keys: 0 } }]);
  });

  test("that goes on, or whose doer died, is told as begun", async () => {
    let finish: () => void = () => undefined;
    const going = log.record(CAROL, { act: "erase" }, async () => new Promise<void>((resolve) => (finish = resolve)));
    await expect.poll(all).toMatchObject([{ act: "erase", outcome: "begun" }]);
    finish();
    await going;
    expect(await all()).toMatchObject([{ act: "erase", outcome: "done" }]);
  });

  test("is not done where it can't be recorded", async () => {
    await redis.set(auditKeys(server.prefix, "contoso").log, "not a stream");
    let isDone = false;
    const refused = log.record(CAROL, { act: "erase" }, async () => {
      isDone = true;
    });
    await expect(refused).rejects.toThrow(/WRONGTYPE|audit log/);
    expect(isDone).toBe(false);
  });

  test("is not done while Redis does not answer", async () => {
    redis.disconnect();
    let isDone = false;
    const refused = log.record(CAROL, { act: "erase" }, async () => {
      isDone = true;
    });
    await expect(refused).rejects.toThrow(StoreUnavailableError);
    expect(isDone).toBe(false);
  });
});

describe("a person", () => {
  const wipe = async (user: string, device?: string) =>
    log.record(
      { ...CAROL, reason: `Adele's phone, says ADELE; ask ${user}` },
      { act: "wipe.request", person: { user, device } },
      async () => undefined,
    );

  test("is not named, not even in a reason, and is found by whoever knows the name", async () => {
    await wipe("adele", "phone-17");
    await wipe("bruno");
    const { log: stream } = auditKeys(server.prefix, "contoso");
    const text = JSON.stringify(await redis.xrange(stream, "-", "+"));
    expect(text).not.toMatch(/phone-17|bruno/i);
    expect(JSON.stringify((await all({ user: "adele" }))[0])).not.toMatch(/adele/i);
    expect(await all({ user: "adele" })).toHaveLength(1);
    expect(await all({ user: "adele", device: "phone-17" })).toHaveLength(1);
    expect(await all({ user: "bruno", device: "phone-17" })).toHaveLength(0);
    expect(await all({ user: "carla" })).toHaveLength(0);
  });

  test("goes by one mark, however a GUID is written", async () => {
    const guid = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    await wipe(guid.toUpperCase());
    expect(await all({ user: guid })).toHaveLength(1);
  });

  test("goes by another mark in another tenant", async () => {
    await wipe("adele");
    const other = new AuditLog(redis, server.prefix, "fabrikam");
    await other.record(CAROL, { act: "wipe.request", person: { user: "adele" } }, async () => undefined);
    expect((await other.read({}, 9)).acts[0]?.user).not.toBe((await all())[0]?.user);
  });
});

describe("reading", () => {
  test("is newest first, and by act, by whom and since when", async () => {
    await done("keys.create");
    await done("keys.revoke", { by: "dora", via: "API", key: "k-1" });
    const since = (await all())[0]!.at + 1;
    await expect.poll(async () => Number((await redis.time())[0]) * 1_000 + 999 >= since).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 5));
    await done("policy.publish");
    const acts = async (filter: object) => (await all(filter)).map(({ act }) => act);
    expect(await acts({})).toEqual(["policy.publish", "keys.revoke", "keys.create"]);
    expect(await acts({ act: "keys" })).toEqual(["keys.revoke", "keys.create"]);
    expect(await acts({ act: "keys.create" })).toEqual(["keys.create"]);
    expect(await acts({ act: "key" })).toEqual([]);
    expect(await acts({ by: "dora" })).toEqual(["keys.revoke"]);
    expect(await acts({ by: "k-1" })).toEqual(["keys.revoke"]);
    expect(await acts({ since })).toEqual(["policy.publish"]);
  });

  test("page by page gives every act once", async () => {
    for (let n = 0; n < 25; n++) await log.record(CAROL, { act: "migrate", about: { n } }, async () => undefined);
    const seen: unknown[] = [];
    let cursor: string | null = null;
    do {
      const page: Awaited<ReturnType<AuditLog["read"]>> = await log.read({}, 7, cursor);
      seen.push(...page.acts.map(({ about }) => about["n"]));
      cursor = page.next;
    } while (cursor !== null);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => 24 - n));
  });

  test("shows one tenant nothing of another", async () => {
    await done("keys.create");
    expect((await new AuditLog(redis, server.prefix, "fabrikam").read({}, 9)).acts).toEqual([]);
  });
});
