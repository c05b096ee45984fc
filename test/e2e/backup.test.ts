/** A deployment, copied and restored by command: the same answers elsewhere, and a worker that goes on. */
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import { Cli, type CliOptions, temporaryDirectory } from "../support/cli.js";
import { runCli } from "../support/run-cli.js";

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let one: PrivateRedis;
let other: PrivateRedis;
let file: string;

beforeEach(async () => {
  home = await temporaryDirectory();
  [one, other] = (await Promise.all(
    ["one", "other"].map(async (name) => startPrivateRedis({ directory: join(home.path, name) })),
  )) as [PrivateRedis, PrivateRedis];
  file = join(home.path, "a.backup");
});
afterEach(async () => {
  await Promise.all([one.stop(), other.stop()]);
  await home.remove();
});

const on = (redis: PrivateRedis): CliOptions => ({
  directory: home.path,
  environment: { REDIS_URL: redis.url, GATEHOUSE_SECRET_KEY: "x".repeat(32) },
});

async function run(redis: PrivateRedis, args: readonly string[], input = "") {
  const { code, stdout, stderr } = await runCli([...args, "--json"], { ...on(redis), input });
  return { code, stderr, result: JSON.parse(stdout) as Record<string, unknown> };
}

const SAMPLES = "samples/policies/contoso-ios-level2.json";

/** Everything was processed. */
const settled = async (redis: PrivateRedis, subject: string, records: number): Promise<void> =>
  expect
    .poll(async () => ((await run(redis, ["history", subject])).result["records"] as unknown[] | undefined)?.length, {
      timeout: 20_000,
    })
    .toBe(records);

const signIn = (subject: string, id: string) =>
  `${JSON.stringify({
    specversion: "1.0",
    id,
    source: "test",
    type: "account.signedIn",
    subject,
    time: "2026-03-02T08:00:00Z",
    data: { platform: "ios", interactive: true },
  })}\n`;

test("a backup restored into another Redis answers as the first one did, and work goes on there", async () => {
  await run(one, ["policy", "import", SAMPLES]);
  await run(one, ["policy", "publish", "--no-wait"]);
  const worker = new Cli(["work"], on(one));
  try {
    await run(one, ["emit", "-"], signIn("phone-1/adele", "1") + signIn("phone-2/bruno", "2"));
    await settled(one, "phone-1/adele", 1);
    await settled(one, "phone-2/bruno", 1);

    expect(await run(one, ["backup", file])).toMatchObject({ code: 0, result: { file, partitions: 64 } });
  } finally {
    await worker.stop();
  }
  expect(await run(other, ["restore", file, "--check"])).toMatchObject({ code: 0, result: { restored: false } });
  expect(await run(other, ["restore", file])).toMatchObject({ code: 0, result: { restored: true } });
  for (const subject of ["phone-1/adele", "phone-2/bruno"]) {
    expect((await run(other, ["history", subject])).result).toEqual((await run(one, ["history", subject])).result);
    const decided = async (redis: PrivateRedis) => {
      const { result } = await run(redis, ["decide", ...subject.split("/")]);
      return [result["decision"], result["reasons"], result["revision"]];
    };
    expect(await decided(other)).toEqual(await decided(one));
  }

  const next = new Cli(["work"], on(other));
  try {
    await run(other, ["emit", "-"], signIn("phone-1/adele", "1") + signIn("phone-1/adele", "3"));
    await settled(other, "phone-1/adele", 2);
  } finally {
    await next.stop();
  }
}, 90_000);

test("what can't be restored ends with its own code, and writes nothing", async () => {
  await run(one, ["policy", "import", SAMPLES]);
  await run(one, ["backup", file]);
  expect(await run(one, ["backup", file])).toMatchObject({ code: 2, result: { error: { code: "backup.file" } } });
  expect(await run(one, ["restore", file])).toMatchObject({
    code: 3,
    result: { error: { code: "restore.not_empty" } },
  });
  const whole = await readFile(file);
  await writeFile(file, whole.subarray(0, whole.length / 2));
  const torn = await run(other, ["restore", file]);
  expect(torn).toMatchObject({ code: 1, result: { error: { code: "backup.damaged" } } });
  expect(JSON.stringify(torn.result)).toMatch(/line \d+:/);
  await writeFile(file, whole);
  expect(await run(other, ["restore", file])).toMatchObject({ code: 0 });
}, 60_000);

test("without REDIS_URL it is restored into a new private instance, which serves it", async () => {
  await run(one, ["emit", "-"], signIn("phone-1/adele", "1"));
  await run(one, ["backup", file]);
  const directory = join(home.path, "new");
  const restored = await runCli(["restore", file, "--json"], { directory });
  expect(restored.code).toBe(0);
  const redis = await startPrivateRedis({ directory });
  try {
    expect(await run(redis, ["session", "phone-1/adele"])).toMatchObject({ code: 0, result: { waiting: 1 } });
  } finally {
    await redis.stop();
  }
}, 60_000);
