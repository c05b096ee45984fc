/** An administrator's way from exported documents to rules in force, and every mistake on it, over a real Redis. */
import { existsSync, readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Cli, temporaryDirectory } from "../support/cli.js";
import { runCli } from "../support/run-cli.js";

const MORNING = "samples/policies/contoso-ios-level2.json";
const NOON = "samples/policies/contoso-ios-level2-noon.json";
const ID = "6f1d2c84-3a57-4be0-9c1e-5d0b7a98e214";
const GROUP = "8c2f0a7e-51d6-4b3c-9e0f-27a4d1b65c38";

type Json = Record<string, unknown>;
const document = (changes: Json = {}): Json => ({ ...(JSON.parse(readFileSync(MORNING, "utf8")) as Json), ...changes });

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let up: Cli;
let tenant: string;
let tenants = 0;

beforeAll(async () => {
  home = await temporaryDirectory();
  up = new Cli(["up"], { directory: home.path });
  await up.says(/Gatehouse is up/, "stdout");
});
afterAll(async () => {
  await up.stop();
  await home.remove();
});
// A tenant of its own keeps each test's versions apart.
beforeEach(() => {
  tenant = `tenant-${tenants++}`;
});

const options = () => ({ directory: home.path, environment: { GATEHOUSE_TENANT: tenant } });

async function run(...args: string[]) {
  const { code, stdout, stderr } = await runCli([...args, "--json"], options());
  return { code, stderr, result: JSON.parse(stdout) as Json };
}
const policy = (...args: string[]) => run("policy", ...args);

async function file(name: string, content: unknown, encode: (text: string) => string | Buffer = (text) => text) {
  const path = join(home.path, name);
  await writeFile(path, encode(typeof content === "string" ? content : JSON.stringify(content)));
  return path;
}

const refusal = (path: string, code: string, place = "$") => ({
  code: 3,
  result: {
    error: { code: "import.refused" },
    problems: [{ file: path, code, path: place }],
  },
});

describe("from a document to rules in force", () => {
  test("what is imported is a draft: nothing is in force before it is published", async () => {
    await policy("import", MORNING);
    expect((await policy("versions")).result).toMatchObject({ versions: [] });
    expect(await policy("publish")).toMatchObject({ code: 0, result: { version: 1 } });
    expect((await policy("show", ID)).result).toMatchObject({ id: ID, minimumPinLength: 6 });
  });

  test("a dry run says whose state would change and from which to which, and changes nothing", async () => {
    await policy("import", MORNING);
    await policy("publish");
    await run("emit", "samples/streams/first-day.ndjson");
    await expect.poll(async () => (await run("health")).result).toMatchObject({ behind: 0, sessions: 3 });
    await policy("import", NOON);
    const { result } = await policy("publish", "--dry-run");
    expect(result).toMatchObject({
      stateChanges: 1,
      moves: [{ from: "active", to: "pinSetup", examples: [{ session: `${tenant}/phone-17/adele/azure-mobile` }] }],
    });
    expect((await policy("versions")).result["versions"]).toHaveLength(1);
    expect((await run("decide", "phone-17", "adele")).result).toMatchObject({ decision: "allow" });

    await policy("publish");
    expect((await run("decide", "phone-17", "adele")).result).toMatchObject({
      decision: "challenge",
      reasons: expect.arrayContaining(["pin.setup.rules"]) as unknown,
    });
  });

  test("explain says which rules somebody gets and which policy said each", async () => {
    await policy("import", MORNING);
    await policy("assign", ID, "--group", GROUP);
    await policy("publish");
    const who = ["--user", "adele", "--platform", "ios"];
    expect((await policy("explain", ...who)).result).toMatchObject({ rules: { policies: [] } });
    const users = await file("users.ndjson", { user: "adele", groups: [GROUP] });
    expect((await run("users", "import", users)).code).toBe(0);
    expect((await policy("explain", ...who)).result).toMatchObject({ rules: { policies: [{ id: ID }] } });
  });

  test("a rollback is a new version with an earlier one's content", async () => {
    await policy("import", MORNING);
    await policy("publish");
    await policy("import", NOON);
    await policy("publish");
    expect(await policy("rollback", "1")).toMatchObject({ code: 0, result: { version: 3 } });
    expect((await policy("diff", "1", "3")).result).toMatchObject({ policies: [] });
  });

  test("discard leaves what is in force", async () => {
    await policy("import", MORNING);
    await policy("publish");
    await policy("import", NOON);
    await policy("discard");
    expect((await policy("diff")).result).toMatchObject({ policies: [] });
  });
});

describe("documents as they come", () => {
  test.each([
    ["with a byte order mark", (text: string) => `\uFEFF${text}`],
    ["in UTF-16", (text: string) => Buffer.from(`\uFEFF${text}`, "utf16le")],
    ["with Windows line ends", (text: string) => text.replaceAll("\n", "\r\n")],
  ])("%s", async (name, encode) => {
    const path = await file(`${name}.json`, JSON.stringify(document(), null, 2), encode);
    expect(await policy("import", path)).toMatchObject({ code: 0, result: { imported: [{ id: ID }] } });
  });

  test.each([
    ["a page of a list", (one: Json) => ({ "@odata.context": "https://graph.example/$metadata", value: [one] })],
    ["a plain list", (one: Json) => [one]],
    [
      "with annotations that nobody asked for",
      (one: Json) => ({ ...one, "assignments@odata.context": "x", "@odata.etag": "y" }),
    ],
  ])("%s", async (name, wrap) => {
    const path = await file(`${name}.json`, wrap(document()));
    expect(await policy("import", path)).toMatchObject({ code: 0, result: { imported: [{ id: ID }] } });
  });

  const fixtures = fileURLToPath(new URL("../../../shared/fixtures/graph", import.meta.url));
  test.runIf(existsSync(fixtures))("every real export at once", async () => {
    expect((await policy("import", fixtures)).code).toBe(0);
    expect(await policy("publish")).toMatchObject({ code: 0, result: { version: 1 } });
  });
});

describe("mistakes", () => {
  test.each<[what: string, content: unknown, code: string, place?: string]>([
    ["not JSON", "nope{", "import.not_json"],
    ["no policy", { displayName: "A" }, "policy.type_missing", '$["@odata.type"]'],
    ["two policies with one id", [document(), document()], "policy.duplicate_id", "$[1].id"],
    ["a number out of range", document({ minimumPinLength: 99 }), "policy.range", "$.minimumPinLength"],
    [
      "an assignment to nothing",
      document({ assignments: [{ target: { "@odata.type": "#microsoft.graph.groupAssignmentTarget", groupId: "" } }] }),
      "policy.assignment",
      "$.assignments[0].target.groupId",
    ],
  ])("%s: nothing is imported, and the place is named", async (what, content, code, place) => {
    const path = await file(`${what}.json`, content);
    expect(await policy("import", MORNING, path)).toMatchObject(refusal(path, code, place));
    expect((await policy("list")).result).toMatchObject({ policies: [] });
  });

  test("what does not parse is not repeated", async () => {
    const path = await file("secret.json", "canary-4711 {");
    const { stderr, result } = await policy("import", path);
    expect(stderr + JSON.stringify(result)).not.toContain("canary");
  });

  test("an unknown grant control imports, said to be one that nobody can satisfy", async () => {
    const path = await file("ca.json", {
      "@odata.type": "#microsoft.graph.conditionalAccessPolicy",
      id: "ca-1",
      displayName: "Palm scan",
      state: "enabled",
      conditions: { users: { includeUsers: ["All"] }, applications: { includeApplications: ["All"] } },
      grantControls: { operator: "OR", builtInControls: ["palmScan"] },
    });
    const { code, result } = await policy("import", path);
    expect(code).toBe(0);
    expect(result["findings"]).toMatchObject([
      { property: "grantControls.builtInControls", value: "palmScan", usedInstead: "never satisfied" },
    ]);
  });

  test("a rollback to a version that does not exist names those that do", async () => {
    await policy("import", MORNING);
    await policy("publish");
    const { code, result } = await policy("rollback", "99");
    expect(code).toBe(4);
    expect(result["error"]).toMatchObject({ code: "catalogue.unknown", fix: expect.stringContaining("1") as unknown });
  });

  test("a policy that is not in the draft", async () => {
    await policy("import", MORNING);
    expect(await policy("assign", "nothing", "--group", GROUP)).toMatchObject({
      code: 4,
      result: { error: { code: "policy.unknown", fix: expect.stringContaining(ID) as unknown } },
    });
  });

  test("a draft that somebody overtook is not published unless its publisher says onto which version", async () => {
    await policy("import", MORNING);
    await policy("publish");
    await policy("import", NOON);
    await policy("publish");
    await policy("assign", ID, "--group", GROUP);
    await policy("rollback", "1");
    expect(await policy("publish")).toMatchObject({ code: 1, result: { error: { code: "catalogue.outdated" } } });
    expect(await policy("publish", "--onto", "3")).toMatchObject({ code: 0, result: { version: 4 } });
  });

  test("two publishers at once: one version each, or one of them is told", async () => {
    await policy("import", MORNING);
    const publishers = [1, 2].map(() => new Cli(["policy", "publish"], options()));
    const codes = await Promise.all(publishers.map(async (publisher) => (await publisher.finished()).code));
    expect(new Set(codes)).toEqual(new Set([0, 1]));
    expect((await policy("versions")).result["versions"]).toHaveLength(1);
  });
});
