/** The user store on Redis: the port's contract, and what only a server can do. */
import type { Redis } from "ioredis";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { changeUser } from "../../machines/users/user-record.js";
import { StoreUnavailableError } from "../../src/errors.js";
import { connectStore } from "../../src/redis/connection.js";
import { newDeployment } from "../../src/store/deployment.js";
import { userKeys } from "../../src/store/keys.js";
import { userShardOf } from "../../src/store/session-key.js";
import { RedisUserStore } from "../../src/users/redis-user-store.js";
import type { UserChange } from "../../src/users/user-store.js";
import { startRedis, type TestRedis } from "../support/redis-server.js";
import { describeUserStore } from "./user-store.contract.js";

let server: TestRedis;
let redis: Redis;
let runs = 0;

beforeAll(async () => {
  server = await startRedis();
  redis = await connectStore(server.url);
});
afterAll(async () => {
  redis.disconnect();
  await server.stop();
});

const freshPrefix = (): string => `${server.prefix}-${(runs += 1)}`;

describeUserStore("redis", async (deployment) => new RedisUserStore(redis, { prefix: freshPrefix(), deployment }));

const ADELE = { tenant: "contoso", user: "adele" };
const DEPLOYMENT = newDeployment({ partitionCount: 64 });
const granted: UserChange = {
  ...ADELE,
  next: (record, at) => changeUser(record, { type: "license.granted" }, at, at),
  time: 0,
  fingerprint: { id: "a", body: "x" },
};

test("all keys of a user share a slot, and other users have others", async () => {
  const prefix = freshPrefix();
  const users = new RedisUserStore(redis, { prefix, deployment: DEPLOYMENT });
  for (const user of ["adele", "bruno"]) {
    await users.join("contoso", [{ user, device: "phone", app: "azure-mobile" }]);
    await users.change({ ...granted, user });
  }
  const tags = (await redis.keys(`${prefix}*`)).map((key) => /\{u\d+\}/.exec(key)?.[0]);
  expect(new Set(tags)).toEqual(new Set(["adele", "bruno"].map((user) => `{u${userShardOf("contoso", user, 64)}}`)));
});

test("a script that meets a key of a wrong type writes nothing", async () => {
  const prefix = freshPrefix();
  const users = new RedisUserStore(redis, { prefix, deployment: DEPLOYMENT });
  const keys = userKeys(prefix, userShardOf("contoso", "adele", 64));
  await redis.set(keys.seen[1], "not a hash");
  await expect(users.change(granted)).rejects.toThrow("WRONGTYPE");
  expect(await redis.keys(`${prefix}*`)).toEqual([keys.seen[1]]);
});

describe("when the connection is gone", () => {
  test.each([
    ["a change", (users: RedisUserStore) => users.change(granted)],
    ["a read", (users: RedisUserStore) => users.read(ADELE)],
    ["a join", (users: RedisUserStore) => users.join("contoso", [{ user: "adele", device: "phone", app: "x" }])],
    ["the list of what is due", (users: RedisUserStore) => users.due(null, 10)],
  ])("%s says so", async (_what, call) => {
    const gone = await connectStore(server.url);
    gone.disconnect();
    await expect(call(new RedisUserStore(gone, { prefix: freshPrefix(), deployment: DEPLOYMENT }))).rejects.toThrow(
      StoreUnavailableError,
    );
  });
});
