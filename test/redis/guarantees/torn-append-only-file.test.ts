/**
 * P1 and P3 on the disk: Redis may die in the middle of writing its append-only file. Wherever the last batch is cut off, a server that
 * starts on the file has it wholly or not at all.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connectStore } from "../../../src/redis/connection.js";
import { type PrivateRedis, startPrivateRedis } from "../../../src/redis/private-server.js";
import { findOrInstallServer } from "../../../src/redis/server-binary.js";
import type { PartitionStore } from "../../../src/store/partition-store.js";
import { openRedisPartitionStore } from "../../../src/store/redis/redis-partition-store.js";
import { TestDeployment, samplePolicy } from "../../support/deployment.js";

const SIDE_BY_SIDE = 4;
/** Of a commit, which is long: cut at every fifth byte, and at each of these at its end. */
const COMMIT_STRIDE = 5;
const LAST_BYTES = 50;
const FOLDER = "appendonlydir";
/** The first is refused while the file is read, the second is not. */
const REQUESTS = "DBSIZE\r\nDEBUG DIGEST\r\n";

let directory: string;
let program: string;
let redis: PrivateRedis;
let deployment: TestDeployment;
let store: PartitionStore;
let close: () => void;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "gatehouse-torn-"));
  program = await findOrInstallServer(() => {});
  redis = await startPrivateRedis({ directory: join(directory, "whole"), fsync: "always" });
  const connection = await connectStore(redis.url);
  close = () => connection.disconnect();
  store = await openRedisPartitionStore(connection, { deployment: { partitionCount: 1, clock: "event" } });
  deployment = new TestDeployment(store);
  await deployment.publish(1, [samplePolicy("contoso-ios-level2")]);
  await deployment.getIn();
  await deployment.drainAll();
  await deployment.walkAll();
});
afterAll(async () => {
  close();
  await redis.stop();
  await rm(directory, { recursive: true, force: true });
});

/** The file that grows. */
async function growing(): Promise<string> {
  const names = await readdir(join(redis.directory, FOLDER));
  return join(redis.directory, FOLDER, names.find((name) => name.endsWith(".incr.aof")) as string);
}

/** What the file holds before and after a batch. */
async function written(batch: () => Promise<unknown>): Promise<{ readonly whole: Buffer; readonly from: number }> {
  const file = await growing();
  const { length: from } = await readFile(file);
  await batch();
  return { whole: await readFile(file), from };
}

/** A digest of all that a server has that starts on the file as far as it goes. */
async function startedOn(bytes: Buffer, place: string): Promise<string> {
  await mkdir(join(place, FOLDER), { recursive: true });
  for (const name of await readdir(join(redis.directory, FOLDER))) {
    if (name.endsWith(".incr.aof")) await writeFile(join(place, FOLDER, name), bytes);
    else await copyFile(join(redis.directory, FOLDER, name), join(place, FOLDER, name));
  }
  const socket = join(place, "s");
  const settings = {
    dir: place,
    port: 0,
    unixsocket: socket,
    appendonly: "yes",
    "aof-load-truncated": "yes",
    save: "",
  };
  const options = Object.entries({ ...settings, "enable-debug-command": "local", loglevel: "warning" });
  const server = spawn(
    program,
    options.flatMap(([name, value]) => [`--${name}`, String(value)]),
    {
      stdio: "ignore",
    },
  );
  const ended = once(server, "exit");
  try {
    return await digest(server, socket);
  } finally {
    server.kill("SIGKILL");
    await ended;
    await rm(place, { recursive: true, force: true });
  }
}

async function digest(server: ChildProcess, socket: string): Promise<string> {
  for (;;) {
    if (server.exitCode !== null) throw new Error(`a server does not start on the file: exit code ${server.exitCode}`);
    const answer = await ask(socket);
    const [, found] = /^:\d+\r\n\+([0-9a-f]{40})\r\n$/.exec(answer) ?? [];
    if (found !== undefined) return found;
    await delay(2);
  }
}

/** What is answered, or nothing where nobody listens yet. */
async function ask(path: string): Promise<string> {
  const socket = connect(path);
  try {
    await once(socket, "connect");
    socket.end(REQUESTS);
    let answer = "";
    for await (const bytes of socket) answer += String(bytes);
    return answer;
  } catch {
    return "";
  } finally {
    socket.destroy();
  }
}

/** Cuts the last batch at every so many of its bytes, and at each of the last ones. @returns how many cuts there were, and what servers had that was neither nor. */
async function cut({ whole, from }: { whole: Buffer; from: number }, every: number) {
  const without = await startedOn(whole.subarray(0, from), join(directory, "without"));
  const withIt = await startedOn(whole, join(directory, "with"));
  expect(withIt).not.toBe(without);
  const all = Array.from({ length: whole.length - from - 1 }, (_, n) => from + 1 + n);
  const cuts = all.filter((at, n) => n % every === 0 || at >= whole.length - LAST_BYTES);
  const count = cuts.length;
  const torn: number[] = [];
  const lane = async (): Promise<void> => {
    for (let at = cuts.pop(); at !== undefined; at = cuts.pop()) {
      if ((await startedOn(whole.subarray(0, at), join(directory, `cut-${at}`))) !== without) torn.push(at);
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, lane));
  return { count, torn };
}

describe("P1, P3: the append-only file cut off in its last batch", { timeout: 300_000 }, () => {
  test("at any byte: events that were appended together are all there, or none is", async ({ annotate }) => {
    const batch = await written(async () =>
      deployment.send(deployment.event("app.backgrounded"), deployment.event("app.foregrounded")),
    );
    const { count, torn } = await cut(batch, 1);
    await annotate(`${count - torn.length} of ${count} cuts`);
    expect(torn).toEqual([]);
    expect(count).toBeGreaterThan(400);
  });

  test("a commit's snapshots, records, deadlines, effects, counters and cursor are all there, or none is", async ({
    annotate,
  }) => {
    await deployment.send(deployment.event("app.backgrounded"));
    const batch = await written(async () => deployment.drainAll());
    const { count, torn } = await cut(batch, COMMIT_STRIDE);
    await annotate(`${count - torn.length} of ${count} cuts`);
    expect(torn).toEqual([]);
    expect(count).toBeGreaterThan(400);
  });
});
