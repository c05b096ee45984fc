/** A server that was cut short in the middle of a script's write: whatever the disk kept of it, none of it comes true, now or later. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import type { Redis } from "ioredis";
import { connectStore } from "../../src/redis/connection.js";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";

const WRITES_TWO = "redis.call('SET', KEYS[1], ARGV[1]) redis.call('SET', KEYS[2], ARGV[1])";
const KEYS = ["one", "other", "torn"];
const MULTI = "*1\r\n$5\r\nMULTI\r\n";

let directory: string;
let file: string;
let server: PrivateRedis;
let said: string[];

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "gatehouse-torn-"));
  file = join(directory, "appendonlydir", "appendonly.aof.1.incr.aof");
  said = [];
});
afterEach(async () => {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
});

async function withServer<T>(work: (redis: Redis) => Promise<T>): Promise<T> {
  server = await startPrivateRedis({ directory, log: (line) => said.push(line) });
  const redis = await connectStore(server.url);
  try {
    return await work(redis);
  } finally {
    redis.disconnect();
    process.kill(server.pid, "SIGKILL");
    await server.stop();
  }
}

const write = async (value: string): Promise<void> =>
  withServer(async (redis) => void (await redis.eval(WRITES_TWO, 2, "one", "other", value)));
const values = async (): Promise<readonly (string | null)[]> => withServer(async (redis) => redis.mget(KEYS));

test("cut at any byte, it is absent after each of the starts that follow, and what came after is there", async () => {
  await write("kept");
  const kept = await readFile(file);
  const from = kept.lastIndexOf(MULTI);
  const torn = Buffer.from(
    kept.subarray(from).toString().replaceAll("one", "torn").replaceAll("$3\r\ntorn", "$4\r\ntorn"),
  );
  // A cut in each part of it: what begins it, between two commands, in the middle of one, and just before its end.
  const second = torn.indexOf("*3", torn.indexOf("*3") + 1);
  for (const cut of [1, MULTI.length, MULTI.length + 5, second, second + 7, torn.length - 1]) {
    await writeFile(file, kept);
    await appendFile(file, torn.subarray(0, cut));
    const atOnce = await withServer(async (redis) => {
      const found = await redis.mget(KEYS);
      await redis.eval(WRITES_TWO, 2, "one", "other", "later");
      return found;
    });
    expect({ cut, atOnce, aStartLater: await values() }).toEqual({
      cut,
      atOnce: ["kept", "kept", null],
      aStartLater: ["later", "later", null],
    });
  }
}, 60_000);

test("the server that is started says so", async () => {
  await write("kept");
  await appendFile(file, `${MULTI}*3\r\n$3\r\nSET\r\n$4\r\ntorn\r\n$1\r\n1\r\n`);
  await values();
  expect(said.join("\n")).toMatch(/was cut short while it wrote: \d+ bytes are dropped/);
});

test("a file that ends well is left as it is, however large", async () => {
  await withServer(async (redis) => {
    await redis.eval(WRITES_TWO, 2, "one", "other", "kept");
    for (let n = 0; n < 3; n++) await redis.set("large", "x".repeat(1_000_000));
  });
  const before = await readFile(file);
  expect(await values()).toEqual(["kept", "kept", null]);
  expect((await readFile(file)).subarray(0, before.length).equals(before)).toBe(true);
  expect(said).toEqual([]);
});
