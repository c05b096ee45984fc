/** Which Redis the settings name, and what is said of those that can't be used. */
import { describe, expect, test } from "vitest";
import { readConfig } from "../../../src/config.js";
import { clusterOptions, describe as inWords, optionsOf } from "../../../src/redis/address.js";

const NODES = "redis://a:7000,redis://b";

describe("one of them is set", () => {
  test.each([
    [{}, undefined],
    [{ REDIS_URL: "redis://a" }, "redis://a"],
    [{ REDIS_CLUSTER: "redis://a:7000, redis://b" }, { cluster: ["redis://a:7000", "redis://b"] }],
    [
      { REDIS_SENTINEL: "redis://s1,redis://s2", REDIS_SENTINEL_MASTER: "mymaster" },
      { sentinel: ["redis://s1", "redis://s2"], master: "mymaster" },
    ],
  ])("%j", (environment, redis) => {
    expect(readConfig(environment).redis).toEqual(redis);
  });

  test("a cluster has several wake queues, which lie on several nodes", () => {
    expect(readConfig({}).wakeShards).toBe(1);
    expect(readConfig({ REDIS_CLUSTER: NODES }).wakeShards).toBe(4);
    expect(readConfig({ REDIS_CLUSTER: NODES, GATEHOUSE_WAKE_SHARDS: "2" }).wakeShards).toBe(2);
  });
});

describe("what can't be used is named", () => {
  test.each<[Record<string, string>, RegExp]>([
    [
      { REDIS_URL: "redis://a", REDIS_CLUSTER: NODES },
      /set one of them: REDIS_URL and REDIS_CLUSTER.*\n.*REDIS_CLUSTER/,
    ],
    [{ REDIS_SENTINEL: "redis://s" }, /REDIS_SENTINEL is set, so this has to be, too\n.*REDIS_SENTINEL_MASTER/],
    [{ REDIS_SENTINEL_MASTER: "mymaster" }, /REDIS_SENTINEL_MASTER is set.*\n.*at REDIS_SENTINEL$/m],
    [{ REDIS_CLUSTER: "" }, /there is none\n.*REDIS_CLUSTER/],
    [{ REDIS_CLUSTER: "a:7000" }, /must look like redis:\/\/host:6379.*"a:7000" does not/],
    [{ REDIS_CLUSTER: "unix:///run/redis.sock" }, /a cluster's node must look like/],
    [{ REDIS_CLUSTER: "redis://a:7000/1" }, /no numbered databases: leave out "\/1"/],
    [{ REDIS_CLUSTER: "redis://u:p@a,redis://b" }, /the same scheme, user and password/],
    [{ REDIS_CLUSTER: "rediss://a,redis://b" }, /the same scheme, user and password/],
    [{ REDIS_SENTINEL: "s1:26379", REDIS_SENTINEL_MASTER: "m" }, /a sentinel must look like redis:\/\/host:26379/],
    [
      { REDIS_SENTINEL: "redis://s", REDIS_SENTINEL_MASTER: "redis://m:6379" },
      /such as mymaster.*\n.*REDIS_SENTINEL_MASTER/,
    ],
    [{ REDIS_SENTINEL: "redis://s", REDIS_SENTINEL_MASTER: "redis://m/x" }, /databases are numbers: "x" is none/],
  ])("%j", (environment, message) => {
    expect(() => readConfig(environment)).toThrow(
      expect.objectContaining({ code: "config.invalid", message: expect.stringMatching(message) as string }) as Error,
    );
  });

  test("no password is repeated", () => {
    const refused = (): unknown => readConfig({ REDIS_CLUSTER: "http://user:secret@a" });
    expect(refused).toThrow(/does not/);
    expect(refused).not.toThrow(/secret/);
    expect(inWords({ cluster: ["redis://user:secret@a"] })).toBe("a cluster, redis://…@a");
  });
});

describe("what the client is told", () => {
  test("of a cluster: some nodes, and what all have in common", () => {
    expect(clusterOptions({ cluster: ["rediss://user:p%40ss@a:7000", "rediss://user:p%40ss@[::1]"] })).toEqual({
      nodes: [
        { host: "a", port: 7000, tls: {} },
        { host: "::1", port: 6379, tls: {} },
      ],
      shared: { username: "user", password: "p@ss", tls: {} },
    });
  });

  test("of sentinels: theirs apart from the primary's", () => {
    const target = { sentinel: ["redis://watch:one@s1", "redis://watch:one@s2:5000"], master: "rediss://user:two@m/3" };
    expect(optionsOf(target)).toEqual({
      sentinels: [
        { host: "s1", port: 26379 },
        { host: "s2", port: 5000 },
      ],
      name: "m",
      sentinelUsername: "watch",
      sentinelPassword: "one",
      username: "user",
      password: "two",
      db: 3,
      tls: {},
      enableTLSForSentinelMode: true,
    });
  });
});
