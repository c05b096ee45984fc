/** Connections: every address that the documentation names, and clear words where there is no server. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { StoreUnavailableError } from "../../src/errors.js";
import { connectQueue, connectStore } from "../../src/redis/connection.js";
import { startPrivateRedis, type PrivateRedis } from "../../src/redis/private-server.js";

let server: PrivateRedis;
let socket: string;
let tcpUrl: string;

beforeAll(async () => {
  server = await startPrivateRedis();
  socket = server.url.replace(/^unix:\/\//, "");
  const admin = await connectStore(server.url);
  await admin.config("SET", "requirepass", "pass/word");
  // A free port can only be had by trying.
  for (let port = 20_000 + (process.pid % 20_000); ; port++) {
    const taken = await admin.config("SET", "port", port).catch((error: unknown) => error);
    tcpUrl = `redis://:pass%2Fword@127.0.0.1:${port}`;
    if (taken === "OK") break;
  }
  admin.disconnect();
});
afterAll(() => server.stop());

test("redis:// with a password and a database", async () => {
  const redis = await connectStore(`${tcpUrl}/3`);
  expect(await redis.client("INFO")).toMatch(/ db=3 /);
  redis.disconnect();
});

test("a unix socket, given as options", async () => {
  const redis = await connectStore({ path: socket, password: "pass/word", db: 2 });
  expect(await redis.client("INFO")).toMatch(/ db=2 /);
  redis.disconnect();
});

test("what is asked in one go leaves in one write, also on a connection that was made anew", async () => {
  const admin = await connectStore(`${tcpUrl}/3`);
  const redis = await connectStore(`${tcpUrl}/3`);
  const reads = async (): Promise<number> =>
    Number(/total_reads_processed:(\d+)/.exec(await admin.info("stats"))?.[1] ?? 0);
  const readsOf = async (count: number): Promise<number> => {
    const before = await reads();
    await Promise.all(Array.from({ length: count }, async () => redis.ping()));
    // The second look is a read itself.
    return (await reads()) - before - 1;
  };
  expect(await readsOf(20)).toBe(1);
  const isBack = new Promise((resolve) => redis.once("ready", resolve));
  redis.disconnect(true);
  await isBack;
  expect(await readsOf(20)).toBe(1);
  redis.disconnect();
  admin.disconnect();
});

test("without the password the server's own words are told", async () => {
  const refused = connectStore(server.url);
  await expect(refused).rejects.toThrow(StoreUnavailableError);
  await expect(refused).rejects.toThrow(/cannot connect to Redis: NOAUTH/);
});

test("where no server listens the attempt fails at once and says where", async () => {
  await expect(connectStore("unix:///nowhere/redis.sock")).rejects.toThrow(/ENOENT \/nowhere\/redis.sock/);
});

test.each(["", "localhost:6379", "http://localhost", "redis://localhost/first"])("%j is no address", async (target) => {
  await expect(connectStore(target)).rejects.toThrow(RangeError);
});

test("a queue's connection waits for the server instead of failing", async () => {
  const errors: Error[] = [];
  const redis = connectQueue(`${tcpUrl}/3`, { onError: (error) => errors.push(error) });
  expect(await redis.ping()).toBe("PONG");
  expect(errors).toEqual([]);
  redis.disconnect();
});
