/** A deployment's journals, archived by command while a worker works, and read again with and without Redis. */
import { readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { connectStore } from "../../src/redis/connection.js";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import { partitionKeys } from "../../src/store/keys.js";
import { zcat } from "../support/archived.js";
import { Cli, type CliOptions, temporaryDirectory } from "../support/cli.js";
import { runCli } from "../support/run-cli.js";

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let redis: PrivateRedis;
let archive: string;
let options: CliOptions;

beforeEach(async () => {
  home = await temporaryDirectory();
  redis = await startPrivateRedis({ directory: join(home.path, "redis") });
  archive = join(home.path, "archive");
  options = { directory: home.path, environment: { REDIS_URL: redis.url, GATEHOUSE_SECRET_KEY: "x".repeat(32) } };
});
afterEach(async () => {
  await redis.stop();
  await home.remove();
});

async function run(args: readonly string[], input = "", on = options) {
  const { code, stdout, stderr } = await runCli([...args, "--json"], { ...on, input });
  return { code, stderr, result: JSON.parse(stdout) as Record<string, unknown> };
}

const event = (id: number, type: string, data: object = {}) =>
  `${JSON.stringify({
    specversion: "1.0",
    id: String(id),
    source: "test",
    type,
    subject: "phone-1/adele",
    time: "2026-03-02T08:00:00Z",
    data,
  })}\n`;

async function emit(lines: string, records: number): Promise<void> {
  await run(["emit", "-"], lines);
  const history = async () => (await run(["history", "phone-1/adele"])).result["records"] as unknown[] | undefined;
  await expect.poll(async () => (await history())?.length, { timeout: 20_000 }).toBe(records);
}

test("archives, lists, tells a history from Redis, from both, and without Redis; and erases there, too", async () => {
  const worker = new Cli(["work"], options);
  try {
    await run(["policy", "import", "samples/policies/contoso-ios-level2.json"]);
    await run(["policy", "publish", "--no-wait"]);
    await emit(event(1, "account.signedIn", { platform: "ios", interactive: true }), 1);
    expect(await run(["archive"])).toMatchObject({ code: 2, result: { error: { code: "cli.usage" } } });
    expect(await run(["archive", "--to", archive])).toMatchObject({ code: 0, result: { directory: archive } });
    await emit(event(2, "app.backgrounded"), 2);
    const again = await run(["archive", "run", "--to", archive, "--checkpoint"]);
    expect(again).toMatchObject({ code: 0, result: { records: 1 } });
  } finally {
    await worker.stop();
  }
  const withArchive = { ...options, environment: { ...options.environment, GATEHOUSE_ARCHIVE_DIR: archive } };
  const alone = { directory: join(home.path, "nothing"), environment: { GATEHOUSE_ARCHIVE_DIR: archive } };

  const list = await run(["archive", "list"], "", alone);
  expect(list).toMatchObject({ code: 0, result: { kind: "gatehouse-archive", partitionCount: 64 } });
  const [partition] = (
    list.result["partitions"] as { segments: { file: string; last: number }[]; partition: number }[]
  ).filter(({ segments }) => segments.length > 0);
  const file = partition?.segments[0]?.file as string;
  expect(zcat(file)).toContain("account.signedIn");

  const { result: whole } = await run(["history", "phone-1/adele"]);
  expect((await run(["history", "phone-1/adele"], "", withArchive)).result).toEqual(whole);
  // As if the journal had been trimmed.
  const connection = await connectStore(redis.url);
  await connection.del(partitionKeys("gh", partition?.partition as number).journal);
  connection.disconnect();
  expect((await run(["history", "phone-1/adele"])).result).toMatchObject({ records: [], cut: "trimmed" });
  expect((await run(["history", "phone-1/adele"], "", withArchive)).result).toEqual(whole);
  const offline = await run(["history", "phone-1/adele"], "", alone);
  expect(offline.result).toEqual(whole);
  expect(offline.stderr).toContain("this is what is archived");
  expect(await run(["history", "phone-9/nobody"], "", alone)).toMatchObject({ code: 4 });
  expect(await run(["history", "phone-1/adele", "--deliveries"], "", alone)).toMatchObject({ code: 2 });
  const guarded = (await run(["history", "phone-1/adele", "--guards"], "", alone)).result["records"] as object[];
  expect(guarded[0]).toMatchObject({ failedGuards: expect.any(Array) as string[] });
  for (const at of [withArchive, alone]) {
    expect(await run(["verify"], "", at)).toMatchObject({ code: 0, result: { intact: true, sessionsCompared: 1 } });
    expect(await run(["replay"], "", at)).toMatchObject({ code: 0, result: { records: 2, diverged: 0 } });
    expect(await run(["why", "phone-1/adele"], "", at)).toMatchObject({
      code: 0,
      result: { state: "unenrolled.checking" },
    });
    const policy = ["--policy", "samples/policies/contoso-ios-level2.json"];
    expect(await run(["what-if", ...policy], "", at)).toMatchObject({ code: 0, result: { sessions: 1, elsewhere: 0 } });
  }
  expect(await run(["what-if", "--draft"], "", alone)).toMatchObject({ code: 2 });
  expect(await run(["why", "phone-9/nobody"], "", alone)).toMatchObject({ code: 4 });
  const page = await runCli(["archive", "list"], alone);
  expect(page.stdout).toMatch(/partition \d+\n {2}segment +1–2 /);

  // A damaged file is told, and hides nothing of the others.
  const intact = await readFile(file);
  await truncate(file, 100);
  const damaged = await run(["archive", "list"], "", alone);
  expect(damaged.code).toBe(1);
  const damages = (damaged.result["partitions"] as { damage?: string }[]).flatMap(({ damage }) => damage ?? []);
  expect(damages).toEqual([expect.stringContaining(file)]);
  await writeFile(file, intact);

  expect(await run(["erase", "adele", "--yes"])).toMatchObject({
    code: 3,
    result: { error: { code: "archive.not_reached" } },
  });
  expect(await run(["erase", "adele", "--yes"], "", withArchive)).toMatchObject({ code: 0 });
  expect(zcat(file)).not.toContain("adele");
}, 240_000);

test("what can't be done ends with its own code", async () => {
  await run(["emit", "-"], event(1, "account.signedIn", { platform: "ios", interactive: true }));
  expect(await run(["archive", "list", "--to", archive])).toMatchObject({
    code: 2,
    result: { error: { code: "archive.foreign" } },
  });
  expect(await run(["archive", "--to", archive])).toMatchObject({ code: 0 });
  await writeFile(
    join(archive, "archive.lock"),
    JSON.stringify({ pid: 1, host: "another-machine", nonce: "n", startedAt: "2026-03-02T08:00:00Z" }),
  );
  const busy = await run(["archive", "--to", archive]);
  expect(busy).toMatchObject({ code: 3, result: { error: { code: "archive.busy" } } });
  expect(JSON.stringify(busy.result)).toContain("another-machine");

  const every = new Cli(["archive", "--to", join(home.path, "other"), "--every", "1s", "--json"], options);
  await expect.poll(() => every.stdout.split("\n").length, { timeout: 20_000 }).toBeGreaterThan(2);
  expect(await every.stop()).toMatchObject({ code: 0 });

  expect(await run(["archive", "prune", "--to", archive])).toMatchObject({ code: 2 });
  expect(await run(["archive", "stop"])).toMatchObject({ code: 0, result: { applied: false, partitions: 64 } });
  expect(await run(["archive", "stop", "--yes"])).toMatchObject({ code: 0, result: { applied: true } });
  expect(await run(["archive", "stop"])).toMatchObject({ result: { partitions: 0 } });
  expect(await readFile(join(archive, "archive.json"), "utf8")).toContain('"prefix": "gh"');
}, 240_000);
