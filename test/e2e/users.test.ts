/** Users and registrations in bulk, from the command line to the decision. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type PrivateRedis, startPrivateRedis } from "../../src/redis/private-server.js";
import { type CliOptions, temporaryDirectory } from "../support/cli.js";
import { runCli } from "../support/run-cli.js";

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

const ndjson = (...lines: readonly unknown[]): string => lines.map((line) => `${JSON.stringify(line)}\n`).join("");

async function run(args: readonly string[], input = "") {
  const { code, stdout, stderr } = await runCli([...args, "--json"], { ...options, input });
  return { code, stderr, result: JSON.parse(stdout) as Record<string, unknown> };
}

const signIn = (subject: string) =>
  ndjson({
    specversion: "1.0",
    id: subject,
    source: "test",
    type: "account.signedIn",
    subject,
    time: "2026-03-02T08:00:00Z",
    data: { platform: "ios" },
  });

describe("users import", () => {
  test("takes in what can be used, names the lines that can't, and ends with 3", async () => {
    const lines = [
      { user: "adele", licensed: true, groups: ["sales"] },
      { user: "bruno vance" },
      { id: "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0", accountEnabled: false },
    ];
    const { code, result } = await run(["users", "import", "-"], `${ndjson(...lines)}{"user":\n`);
    expect(code).toBe(3);
    expect(result).toMatchObject({ read: 4, changed: 2, unchanged: 0, refused: 2 });
    expect(result["refusals"]).toMatchObject([
      { line: 2, code: "user.invalid", path: "/user" },
      { line: 4, code: "event.not_json" },
    ]);
  });

  test("of the same file again changes nothing, and a later line of a user counts", async () => {
    const file = ndjson({ user: "adele", licensed: true }, { user: "adele", licensed: false });
    expect((await run(["users", "import", "-"], file)).result).toMatchObject({ changed: 2, unchanged: 0 });
    const same = ndjson({ user: "adele", licensed: false });
    expect(await run(["users", "import", "-"], same)).toMatchObject({ code: 0, result: { changed: 0, unchanged: 1 } });
  });

  test("reaches sessions: nobody drains, and the decision obeys", async () => {
    await runCli(["emit", "-"], { ...options, input: signIn("phone-1/adele") + signIn("phone-2/adele") });
    const { result } = await run(["users", "import", "-"], ndjson({ user: "adele", licensed: false }));
    expect(result).toMatchObject({ changed: 1, told: 2 });
    const { result: decision } = await run(["decide", "phone-2", "adele"]);
    expect(decision).toMatchObject({ state: "unenrolled.unmanaged" });
    const { code, result: shown } = await run(["users", "show", "adele"]);
    expect(code).toBe(0);
    expect(shown).toMatchObject({
      record: { version: 1, licensed: false },
      sessions: [
        { session: expect.stringContaining("phone-1/adele"), state: "unenrolled.unmanaged" },
        { session: expect.stringContaining("phone-2/adele") },
      ],
    });
  });
});

test("users show of somebody who was never heard of ends with 4, and of a name that can't be one with 2", async () => {
  expect(await run(["users", "show", "nobody"])).toMatchObject({
    code: 4,
    result: { error: { code: "user.unknown" } },
  });
  expect(await run(["users", "show", "two words"])).toMatchObject({ code: 2 });
});

describe("registrations import", () => {
  const registration = (n: number, changes: object = {}) => ({
    "@odata.type": "#microsoft.graph.androidManagedAppRegistration",
    id: `registration-${n}`,
    userId: `user-${n}`,
    deviceTag: `phone-${n}`,
    deviceModel: "Pixel 8",
    platformVersion: "14",
    applicationVersion: "6.2.1",
    lastSyncDateTime: "2026-03-02T08:00:00Z",
    flaggedReasons: [],
    appIdentifier: { "@odata.type": "#microsoft.graph.androidMobileAppIdentifier", packageId: "com.microsoft.azure" },
    ...changes,
  });

  test("begins a session for each, once, however often it is imported", async () => {
    const file = join(home.path, "registrations.json");
    const list = { "@odata.context": "x", value: Array.from({ length: 40 }, (_, n) => registration(n)) };
    await writeFile(file, JSON.stringify(list, null, 2));
    const first = await run(["registrations", "import", file]);
    expect(first).toMatchObject({ code: 0, result: { files: [{ read: 40, begun: 40, known: 0, refused: 0 }] } });
    expect((await run(["session", "phone-7/user-7"])).result).toMatchObject({ facts: { platform: "android" } });
    const again = await run(["registrations", "import", file]);
    expect(again).toMatchObject({ code: 0, result: { files: [{ read: 40, begun: 0, known: 40 }] } });
  });

  test("says what it passed over, which names it made, and what it could not read", async () => {
    const lines = ndjson(registration(1, { deviceTag: "Device Tag value" }), registration(2, { appIdentifier: null }), {
      flaggedReasons: 5,
    });
    const { code, result } = await run(["registrations", "import", "-"], lines);
    expect(code).toBe(3);
    const [file] = result["files"] as Record<string, unknown>[];
    expect(file).toMatchObject({ read: 3, begun: 1, passedOver: 1, refused: 1, replacedNames: 1 });
    expect(file?.["remarks"]).toMatchObject([
      { line: 1, remark: expect.stringContaining("deviceTag") },
      { line: 2, remark: expect.stringContaining("passed over") },
    ]);
    expect(file?.["refusals"]).toMatchObject([{ line: 3, code: "registration.invalid", path: "/flaggedReasons" }]);
  });
});
