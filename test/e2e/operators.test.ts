/** Operators on the demonstration's data, with the documentation alone: calls to the help desk, what-if, verify and replay. */
import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { generateKeyPairSync } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { temporaryDirectory } from "../support/cli.js";
import { runCli } from "../support/run-cli.js";

let home: Awaited<ReturnType<typeof temporaryDirectory>>;
let demo: string;
let files: string;
const run = (...args: string[]) => runCli(args, { directory: home.path });
const ask = async (...args: string[]) => {
  const { code, stdout, stderr } = await run(...args, "--json");
  return { code, stderr, body: JSON.parse(stdout) };
};

beforeAll(async () => {
  home = await temporaryDirectory();
  files = await mkdtemp(join(tmpdir(), "gatehouse-operators-"));
  ({ stdout: demo } = await run("demo", "--devices", "150"));
}, 60_000);
afterAll(async () => {
  await home.remove();
  await rm(files, { recursive: true, force: true });
});

/** What each caller says, and what the first sentence of the answer is about. */
const CAUSES: readonly (readonly [complaint: string, sentence: RegExp])[] = [
  [
    "Since lunch I am signed out, and I changed nothing.",
    /remediation of the OS version failed .* asks for .* or newer, the device reported/,
  ],
  ["I came back from a meeting and was signed out.", /remediation of the OS version failed three times/],
  ["It says my phone is not allowed any more.", /jailbroken or rooted/],
  ["My app is empty, everything is gone.", /an administrator asked to remove the organisation's data/],
  ["On the train it stopped letting me in.", /no check-in for too long: the last check-in was at .* 4 h are allowed/],
  ["I can't get into my second account.", /another user's account/],
  ["I am locked out on my first day back.", /the directory disabled the account/],
  ["Somebody threw me out of the app.", /an administrator ended the session/],
  ["My colleague has my phone, and I am signed out.", /the person signed out/],
  ["It wants my password, and then a new PIN.", /A PIN must be chosen since .* wrong PIN/],
];

describe("ten calls to the help desk", () => {
  test.each(CAUSES)("“%s”", async (complaint, sentence) => {
    const [, command = ""] = new RegExp(`“${complaint}”\\n.*npx gatehouse (why .*)`).exec(demo) ?? [];
    const { code, stdout } = await run(...command.trim().split(" "));
    expect([code, stdout.replaceAll(/\s+/g, " ")]).toEqual([0, expect.stringMatching(sentence)]);
  });
});

describe("what-if", () => {
  test("the noon's change is predicted: with it nobody ends elsewhere than they did", async () => {
    const { code, body } = await ask("what-if", "--published", "2", "--since", "2026-03-02T12:00:00Z");
    expect([code, body.elsewhere, body.diverged]).toEqual([0, 0, 0]);
    expect(body.states).toEqual(body.recordedStates);
    expect(body.lockouts).toBe(body.recordedLockouts);
  });

  test("as a gate: more than was allowed ends with 5, and says how much", async () => {
    const strict = join(files, "strict.json");
    const policy = JSON.parse(await readFile("samples/policies/contoso-ios-level2.json", "utf8"));
    await writeFile(strict, JSON.stringify({ ...policy, minimumRequiredOsVersion: "99.0" }));
    const { code, body } = await ask(
      "what-if",
      "--policy",
      strict,
      "--fail-if",
      "signedOut > +1%",
      "--fail-if",
      "wiped > 0",
    );
    expect(code).toBe(5);
    expect(body.exceeded).toEqual([{ bound: "signedOut > +1%", value: expect.any(Number) }]);
    expect(body.loseAccess).toBeGreaterThan(0);
    expect(body.fates[0]).toMatchObject({ session: expect.any(String), since: expect.any(Number) });
  });

  test.each([
    ["no policies", [], "which policies?"],
    ["a version that was never published", ["--published", "9"], "there is no catalogue version 9"],
    ["no draft", ["--draft"], "has no draft"],
    ["a policy that does not parse", ["--policy", "package.json"], "The document does not say what it is"],
    ["a bound that is none", ["--published", "1", "--fail-if", "lots"], "Give a measure"],
  ])("%s: says so", async (_, args, said) => {
    const { code, stderr } = await run("what-if", ...args);
    expect(code).toBeGreaterThan(0);
    expect(stderr).toContain(said);
  });
});

describe("another chart", () => {
  const module = async (name: string, text: string): Promise<string> => {
    const file = join(files, name);
    await writeFile(file, text);
    return file;
  };

  test("what it would have done: nobody is blocked where no verdict blocks", async () => {
    const file = await module(
      "lenient.mjs",
      "export default ({ sessionChart }) => sessionChart.provide({ guards: { verdictBlocks: () => false } });",
    );
    const { code, body } = await ask("what-if", "--machine", file);
    expect([code, body.states.noncompliant ?? 0]).toEqual([0, 0]);
    expect(body.recordedStates.noncompliant).toBeGreaterThan(0);
    expect(body.lockouts).toBeLessThan(body.recordedLockouts);
  });

  test("who would have taken another way to the same end: signed out all the same, and not wiped", async () => {
    const file = await module(
      "gentle.mjs",
      "export default ({ sessionChart }) => sessionChart.provide({ guards: { isNotCompliant: () => false } });",
    );
    const { code, body } = await ask("what-if", "--machine", file, "--fail-if", "signedOut > +0%");
    expect([code, body.elsewhere, body.exceeded]).toEqual([0, 0, []]);
    expect(body.spared).toBeGreaterThan(0);
    expect(body.anotherWay).toBe(body.spared);
    expect(body.fates[0]).toMatchObject({ spared: true, since: expect.any(Number) });
    expect(body.fates[0].since).toBeGreaterThan(Date.parse("2026-03-02T00:00:00Z"));
    const { stdout } = await run("what-if", "--machine", file);
    expect(stdout).toMatch(/another way in between, and yet ending where they did +\d+\n[^]*not wiped/);
  });

  test("which of the stored sessions would not land in it, and why", async () => {
    const file = await module(
      "no-lock.mjs",
      "export default ({ sessionChart }) => sessionChart;\n" +
        'export const migrate = (session) => ({ ...session, state: session.state === "locked" ? "waiting" : session.state });',
    );
    const { code, body } = await ask("migrate", "--dry-run", "--machine", file);
    expect([code, body.applied]).toEqual([5, false]);
    expect(body.notLanded[0]).toMatchObject({ why: "machine version 2 has no state waiting" });
    expect((await ask("migrate", "--dry-run")).body).toMatchObject({ version: 1, notLandedCount: 0 });
  });

  test.each([
    ["a module that is not there", undefined, "there is no such file"],
    ["one that does not load", "export default (", "can't be loaded"],
    ["one that is no machine", "export default { states: {} };", "it is no XState machine"],
    [
      "one without a state",
      "export default ({ vocabulary }) => vocabulary.createMachine({ context: {}, initial: 'on', states: { on: {} } });",
      "it has no state unenrolled, pinSetup",
    ],
  ])("%s: says so", async (name, text, said) => {
    const file = text === undefined ? "nowhere.mjs" : await module(`${name.replaceAll(" ", "-")}.mjs`, text);
    const { code, stderr } = await run("what-if", "--machine", file);
    expect([code, stderr]).toEqual([2, expect.stringContaining(said)]);
  });
});

describe("verify and replay", () => {
  test("the day's journal holds, and everything comes out as it was recorded", async () => {
    const verified = await ask("verify");
    expect([verified.code, verified.body.intact, verified.body.faultCount]).toEqual([0, true, 0]);
    expect(verified.body.sessionsCompared).toBeGreaterThan(150);
    const replayed = await ask("replay");
    expect([replayed.code, replayed.body.diverged]).toEqual([0, 0]);
    expect(replayed.body.records).toBe(verified.body.records);
  });

  test("heads that were signed hold later; another key's signature and a changed file do not", async () => {
    const { privateKey, publicKey } = generateKeyPairSync("ed25519");
    const [key, signer, heads] = ["key.pem", "signer.pem", "heads.json"].map((name) => join(files, name)) as [
      string,
      string,
      string,
    ];
    await writeFile(key, privateKey.export({ type: "pkcs8", format: "pem" }));
    await writeFile(signer, publicKey.export({ type: "spki", format: "pem" }));
    expect(await run("verify", "--sign", key, "--heads", heads)).toMatchObject({ code: 0 });
    expect((await ask("verify", "--heads", heads, "--signer", signer)).body.changedSinceSigned).toEqual([]);
    expect((await run("verify", "--sign", key, "--heads", heads)).stderr).toMatch(/heads\.json exists\n/);
    const other = join(files, "other.pem");
    await writeFile(other, generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }));
    expect((await run("verify", "--heads", heads, "--signer", other)).stderr).toContain("does not hold");
    await writeFile(heads, (await readFile(heads, "utf8")).replace(/"seq": \d+/, '"seq": 1'));
    expect((await run("verify", "--heads", heads)).stderr).toContain("does not hold");
    for (const option of ["--sign", "--signer"]) {
      expect(await run("verify", option, key)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("--heads FILE"),
      });
    }
  });

  test("a file: which line is none, and the rest with --skip-bad", async () => {
    const file = join(files, "day.ndjson");
    await writeFile(file, await readFile("samples/streams/first-day.ndjson"));
    await appendFile(file, "\n{broken\n");
    const refused = await run("replay", file);
    expect([refused.code, refused.stderr]).toEqual([2, expect.stringMatching(/day\.ndjson, line 2\d: not JSON/)]);
    const { code, body } = await ask("replay", file, "--skip-bad");
    expect([code, body]).toMatchObject([
      0,
      { events: 21, sessions: 3, notRecorded: 3, bad: [{ code: "event.not_json" }] },
    ]);
  });

  test("--apply needs a deployment that runs, and a file goes through emit", async () => {
    expect((await run("replay", "--apply")).code).toBe(6);
    expect((await run("replay", "samples/streams/first-day.ndjson", "--apply")).stderr).toContain(
      "gatehouse emit FILE",
    );
  });
});

test("no such session, a time before it began: says so, with 4", async () => {
  expect(await run("replay", "--session", "nobody/nowhere")).toMatchObject({
    code: 4,
    stderr: expect.stringContaining("nothing is recorded of contoso/nobody/nowhere/azure-mobile"),
  });
  expect(await run("why", "nobody/nowhere")).toMatchObject({
    code: 4,
    stderr: expect.stringContaining("there is no session"),
  });
  const [, id = ""] = /npx gatehouse why (\S+)/.exec(demo) ?? [];
  const early = await run("why", id, "--at", "2020-01-01");
  expect([early.code, early.stderr]).toEqual([4, expect.stringContaining("after the time asked about")]);
});
