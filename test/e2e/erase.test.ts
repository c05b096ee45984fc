/** Erasing a person, by command. */
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import { type CliOptions, temporaryDirectory } from "../support/cli.js";
import { runCli } from "../support/run-cli.js";

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let redis: PrivateRedis;
let options: CliOptions;

beforeEach(async () => {
  home = await temporaryDirectory();
  redis = await startPrivateRedis({ directory: join(home.path, "redis") });
  options = {
    directory: home.path,
    environment: { REDIS_URL: redis.url, GATEHOUSE_SECRET_KEY: "x".repeat(32) },
  };
  await run(["emit", "-"], event("account.signedIn", { platform: "ios" }));
});
afterEach(async () => {
  await redis.stop();
  await home.remove();
});

async function run(args: readonly string[], input = "") {
  const { code, stdout, stderr } = await runCli([...args, "--json"], { ...options, input });
  return { code, stderr, result: JSON.parse(stdout) as Record<string, unknown> };
}

const event = (type: string, data: object, subject = "phone-1/adele") =>
  `${JSON.stringify({ specversion: "1.0", id: type, source: "test", type, subject, time: "2026-03-02T08:00:00Z", data })}\n`;

test("says first how much there is, erases when told to, and then knows nothing of the person", async () => {
  const preview = await runCli(["erase", "adele"], options);
  expect(preview).toMatchObject({ code: 0, stderr: expect.stringContaining("--yes") });
  expect(preview.stdout).toMatch(/About adele there is stored\n +1 +sessions in the user's index/);
  expect(await run(["users", "show", "adele"])).toMatchObject({ code: 0 });

  expect(await run(["erase", "adele"])).toMatchObject({ code: 0, result: { applied: false, found: { events: 1 } } });
  expect(await run(["erase", "adele", "--yes"])).toMatchObject({
    code: 0,
    result: { user: "adele", applied: true, erased: { indexed: 1, events: 1 } },
  });
  expect(await run(["users", "show", "adele"])).toMatchObject({ code: 4 });
  expect(await run(["erase", "adele", "--yes"])).toMatchObject({
    code: 4,
    result: { error: { code: "user.unknown" } },
  });
  const { stdout } = await runCli(["erasures", "--json"], options);
  expect(JSON.parse(stdout)).toMatchObject({ erasures: [{ what: "person", erased: { events: 1 } }] });
  expect(stdout).not.toContain("adele");
}, 60_000);

test("is refused with 3 while a wipe is pending, unless somebody insists", async () => {
  await run(["emit", "-"], event("wipe.requested", { requestId: "w-1", scope: "app" }));
  const refused = await run(["erase", "adele", "--yes"]);
  expect(refused).toMatchObject({ code: 3, result: { error: { code: "erase.wipe_pending" } } });
  const preview = await runCli(["erase", "adele"], options);
  expect(preview).toMatchObject({ code: 3, stdout: expect.stringContaining("A wipe is pending on\n  phone-1/adele") });
  expect(await run(["erase", "adele", "--yes", "--even-if-wipe-pending"])).toMatchObject({ code: 0 });
}, 60_000);

test.each([
  [["erase", "adele vance"], 2],
  [["erase", "adele", "--device", "phone/1"], 2],
  [["erase", "bruno"], 4],
  [["erase", "adele", "--device", "phone-2"], 4],
])("%j ends with %d", async (args, code) => {
  expect((await run(args)).code).toBe(code);
});
