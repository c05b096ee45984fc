/** `gatehouse emit`: whatever is in the file and whatever becomes of Redis, nothing valid is lost and everything is told. */
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { readEntry } from "../../src/ingest/inbox-body.js";
import { connectStore } from "../../src/redis/connection.js";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import { openRedisPartitionStore } from "../../src/store/redis/redis-partition-store.js";
import { Cli, type CliOptions, temporaryDirectory } from "../support/cli.js";
import { runCli } from "../support/run-cli.js";

interface Result {
  readonly sent: number;
  readonly accepted: number;
  readonly duplicate: number;
  readonly conflict: number;
  readonly refused: number;
  readonly unknown: number;
  readonly refusals: readonly {
    line?: number;
    element?: number;
    code: string;
    path: string;
    message: string;
    fix: string;
  }[];
  readonly refusalsOmitted: number;
  readonly resumeFrom?: number;
}

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let redis: PrivateRedis;
let options: CliOptions;

beforeEach(async () => {
  home = await temporaryDirectory();
  redis = await startPrivateRedis({ directory: join(home.path, "redis") });
  options = { directory: home.path, environment: { REDIS_URL: redis.url } };
});
afterEach(async () => {
  await redis.stop();
  await home.remove();
});

const event = (id: string, changes: Record<string, unknown> = {}) => ({
  specversion: "1.0",
  id,
  source: "test",
  type: "app.launched",
  subject: `phone-${id}/adele`,
  time: "2026-03-02T08:00:00Z",
  data: {},
  ...changes,
});

const emit = async (input: string | Buffer, ...args: string[]) => {
  const { code, stdout, stderr } = await runCli(["emit", "-", "--json", ...args], { ...options, input });
  return { code, stderr, result: JSON.parse(stdout) as Result };
};

/** Ids of the events that are in the inboxes, partition by partition. */
async function storedIds(): Promise<string[]> {
  const connection = await connectStore(redis.url);
  try {
    const store = await openRedisPartitionStore(connection);
    const ids: string[] = [];
    for (let partition = 0; partition < store.deployment.partitionCount; partition++) {
      const { entries } = await store.load(partition, { entries: 10_000, bytes: 64 * 1024 * 1024 });
      for (const read of entries.map(readEntry)) if (read.kind === "event") ids.push(read.occurrence.origin?.id ?? "");
    }
    return ids;
  } finally {
    connection.disconnect();
  }
}

/** Each is refused, with this code and path. */
const BAD: readonly (readonly [line: string | Buffer, code: string, path: string])[] = [
  ['{"specversion":"1.0",', "event.not_json", ""],
  [Buffer.from([0x22, 0xff, 0x22]), "event.not_json", ""],
  ["[1]", "event.not_an_object", ""],
  [JSON.stringify(event("b1", { type: "app.lanched" })), "event.type_unknown", "/type"],
  [JSON.stringify(event("b2", { type: "xstate.after.attemptTimeout" })), "event.type_reserved", "/type"],
  [JSON.stringify(event("b3", { type: "pin.expired" })), "event.type_reserved", "/type"],
  [JSON.stringify(event("b4", { data: { note: "x".repeat(17_000) } })), "event.too_large", ""],
  [JSON.stringify(event("b5", { data: { note: "x".repeat(600) } })), "event.too_large", "/data/note"],
  [JSON.stringify(event("b6", { data: { pin: "sesame" } })), "event.secret_field", "/data/pin"],
  [JSON.stringify(event("b7", { data: { colour: "red" } })), "event.invalid", "/data/colour"],
  [JSON.stringify(event("b8", { subject: "no session" })), "event.invalid", "/subject"],
  [JSON.stringify(event("b9", { time: "1969-12-31T23:59:59Z" })), "event.invalid", "/time"],
  [JSON.stringify(event("b10", { tenant: "fabrikam" })), "tenant.mismatch", "/tenant"],
  [
    JSON.stringify(event("b11")).replace('"data":{}', '"data":{"__proto__":{}}'),
    "event.forbidden_key",
    "/data/__proto__",
  ],
  [JSON.stringify(event("b12", { data: nested(20) })), "event.too_deep", `/data${"/in".repeat(15)}`],
];

function nested(depth: number): object {
  return depth === 0 ? {} : { in: nested(depth - 1) };
}

describe("a file with every kind of bad line", () => {
  const lines = BAD.flatMap(([bad], n) => [JSON.stringify(event(`good-${n}`)), bad]);

  test("each is refused with line, code, path and fix; every good one is stored; the exit code is 3", async () => {
    const file = Buffer.concat(lines.map((line) => Buffer.concat([Buffer.from(line), Buffer.from("\n")])));
    const { code, stderr, result } = await emit(file);
    expect(code).toBe(3);
    expect(result).toMatchObject({
      sent: 2 * BAD.length,
      accepted: BAD.length,
      refused: BAD.length,
      duplicate: 0,
      conflict: 0,
      unknown: 0,
    });
    expect(result.refusals.map(({ line, code: refused, path }) => [line, refused, path])).toEqual(
      BAD.map(([, refused, path], n) => [2 * n + 2, refused, path]),
    );
    expect(result.refusals.every(({ message, fix }) => message !== "" && fix !== "")).toBe(true);
    expect(JSON.stringify(result) + stderr).not.toContain("sesame");
    expect(new Set(await storedIds())).toEqual(new Set(BAD.map((_, n) => `good-${n}`)));
  });

  test("the same in a JSON array", async () => {
    // An element that never ends would take its neighbours along.
    const elements = lines.filter((line) => line !== BAD[0]?.[0] && typeof line === "string");
    const { code, result } = await emit(`[${elements.join(",\n")}]`);
    expect([code, result.accepted, result.refused]).toEqual([3, BAD.length, BAD.length - 2]);
    const isBad = (element: string | Buffer) => BAD.some(([bad]) => bad === element);
    expect(result.refusals.map(({ element }) => element)).toEqual(
      elements.flatMap((element, place) => (isBad(element) ? [place] : [])),
    );
  });
});

test("sent twice, all are duplicates; the same id with another body is a conflict and not taken", async () => {
  const file = [1, 2, 3].map((n) => JSON.stringify(event(`e${n}`))).join("\n");
  expect(await emit(file)).toMatchObject({ code: 0, result: { accepted: 3 } });
  expect(await emit(file)).toMatchObject({ code: 0, result: { accepted: 0, duplicate: 3 } });
  const changed = JSON.stringify(event("e2", { subject: "phone-e2/bruno" }));
  expect(await emit(`${changed}\n`)).toMatchObject({
    code: 3,
    result: { conflict: 1, refusals: [{ line: 1, code: "event.conflict", path: "/id" }] },
  });
});

test("people are told on stdout what became of the events, and on stderr why some were not taken", async () => {
  const { code, stdout, stderr } = await runCli(["emit", "samples/streams/bad-input.ndjson"], options);
  expect([code, stdout]).toEqual([3, "17 sent = 3 accepted + 1 duplicate + 1 conflict + 12 refused\n"]);
  expect(stderr).toMatch(/line 3 {2}event\.type_unknown {2}\/type\n.*\n.*pin\.verified/);
});

test("a file that is not there is a mistake of the command line", async () => {
  const { code, stderr } = await runCli(["emit", "no-such-file"], options);
  expect([code, stderr]).toEqual([2, expect.stringContaining("no-such-file")]);
});

test("without a Redis the error names the ways out", async () => {
  const { code, stderr } = await runCli(["emit", "-"], { directory: home.path });
  expect(code).toBe(6);
  for (const wayOut of ["gatehouse up", "gatehouse demo", "REDIS_URL"]) expect(stderr).toContain(wayOut);
});

describe("Redis goes away in the middle", () => {
  const EVENTS = 12_000;
  const lines = Array.from(
    { length: EVENTS },
    (_, n) => `${JSON.stringify(event(String(n), { subject: `phone-${n % 50}/adele` }))}\n`,
  );

  /** Sends the first part of the lines, and takes Redis away when some of them are stored. */
  async function interrupted(...args: string[]): Promise<Cli> {
    const running = new Cli(["emit", "-", "--json", ...args], options);
    running.process.stdin?.write(lines.slice(0, EVENTS / 2).join(""));
    while ((await storedIds()).length === 0) await delay(5);
    await redis.stop();
    running.process.stdin?.end(lines.slice(EVENTS / 2).join(""));
    return running;
  }

  async function bringBack(): Promise<void> {
    redis = await startPrivateRedis({ directory: join(home.path, "redis") });
  }

  test("and comes back: everything is stored once and in order, and the exit code is 0", async () => {
    const running = await interrupted();
    await running.says(/Redis does not answer/);
    await bringBack();
    await running.says(/Redis answers again/);
    const { code, stdout } = await running.finished();
    const result = JSON.parse(stdout) as Result;
    expect([code, result.sent, result.accepted, result.unknown]).toEqual([0, EVENTS, EVENTS, 0]);
    const ids = (await storedIds()).map(Number);
    expect(ids.length).toBe(EVENTS);
    for (let device = 0; device < 50; device++) {
      const own = ids.filter((id) => id % 50 === device);
      expect(own).toEqual([...own].sort((one, other) => one - other));
    }
  });

  test("and stays away: it says what is settled and where to go on, and going on there loses nothing", async () => {
    const running = await interrupted("--retry-for", "1s");
    const { code, stdout, stderr } = await running.finished();
    const stopped = JSON.parse(stdout) as Result;
    expect([code, stderr]).toEqual([6, expect.stringContaining(`--from ${stopped.resumeFrom}`)]);
    expect(stopped.sent).toBe(stopped.accepted + stopped.unknown);
    await bringBack();
    const rest = await emit(lines.join(""), "--from", String(stopped.resumeFrom));
    expect([rest.code, rest.result.unknown, rest.result.conflict]).toEqual([0, 0, 0]);
    expect(new Set(await storedIds()).size).toBe(EVENTS);
    expect((await storedIds()).length).toBe(EVENTS);
  });
});

test("a file of any size is read piece by piece", async () => {
  const running = new Cli(["emit", "-", "--json"], {
    ...options,
    environment: { ...options.environment, NODE_OPTIONS: "--max-old-space-size=96" },
  });
  const megabyte = "x".repeat(1 << 20);
  const { stdin } = running.process;
  // One line of 200 MB, and one event after it.
  for (let n = 0; n < 200; n++) if (stdin?.write(megabyte) === false) await once(stdin, "drain");
  stdin?.end(`\n${JSON.stringify(event("after"))}\n`);
  const { code, stdout } = await running.finished();
  expect(code).toBe(3);
  expect(JSON.parse(stdout)).toMatchObject({
    sent: 2,
    accepted: 1,
    refused: 1,
    refusals: [{ line: 1, code: "event.too_large" }],
  });
});
