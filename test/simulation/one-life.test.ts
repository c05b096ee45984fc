/** A seed is one life: always the same, and, where it breaks a promise, soon told in a few lines. */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommanderError } from "commander";
import { describe, expect, test } from "vitest";
import { simulateProgram } from "./command-line.js";
import { PLANTED } from "./planted.js";
import { simulateCommand } from "./program.js";
import { type Script, scriptOf } from "./script.js";
import { shrinkScript } from "./shrink-script.js";
import { simulate } from "./simulate.js";

describe("the same seed", () => {
  test.each([4, 7])("%i is the same run, event by event", async (seed) => {
    const once = await simulate(scriptOf(seed));
    const again = await simulate(scriptOf(seed));
    expect(again.traceHash).toBe(once.traceHash);
    expect((await simulate(scriptOf(seed + 1))).traceHash).not.toBe(once.traceHash);
  });

  test("is the same run in another process", async () => {
    const { traceHash, events } = await simulate(scriptOf(7));
    const { stdout } = await simulateCommand("--seed", "7", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ traceHash, events, violations: 0 });
  });

  test("is the same script, with something to do for everybody and something that goes wrong", () => {
    const script = scriptOf(7);
    expect(scriptOf(7)).toEqual(script);
    expect(new Set(script.actions.map((action) => action.do))).toEqual(new Set(["tell", "ask", "publish", "wait"]));
    expect(script.faults.length).toBeGreaterThan(10);
  });

  test("played again with the events that were drawn, it is the same run", async () => {
    const script = scriptOf(9);
    const { played, traceHash } = await simulate(script);
    expect((await simulate({ ...script, actions: played })).traceHash).toBe(traceHash);
  });
});

describe("a script that breaks a promise", () => {
  const bug = PLANTED["duplicate check off"];
  let first: Promise<Script> | undefined;
  const broken = async (script: Script) => (await simulate(script, bug && { bug })).violations[0]?.promise;

  test("is shrunk to one that still does, of which hardly anything is left", async () => {
    const script = await firstBroken();
    const shrunk = await shrinkScript(script, bug);
    expect(shrunk?.script.actions.length).toBeLessThan(20);
    expect(shrunk?.script.faults.length).toBeLessThan(5);
    const kept = JSON.parse(JSON.stringify(shrunk?.script)) as Script;
    expect(await broken(kept)).toBe(await broken(script));
  });

  test("can be run from a file, and holds without the bug", async () => {
    const directory = await mkdtemp(join(tmpdir(), "simulation-"));
    const file = join(directory, "script.json");
    await writeFile(file, JSON.stringify(await firstBroken()));
    const { code, stdout } = await simulateCommand("--script", file, "--json");
    await rm(directory, { recursive: true });
    expect([code, JSON.parse(stdout)]).toEqual([0, expect.objectContaining({ seeds: 1, violations: 0 })]);
  });

  async function firstBroken(): Promise<Script> {
    first ??= (async () => {
      for (let seed = 1; ; seed++) if ((await broken(scriptOf(seed))) !== undefined) return scriptOf(seed);
    })();
    return first;
  }
});

describe("what can't be used is named", () => {
  test.each([
    [["--seed", "seven"], "A seed is a whole number, 0 or more."],
    [["--seed", "-1"], "A seed is a whole number, 0 or more."],
    [["--seeds", "0"], "A number of seeds is a whole number, 1 or more."],
    [["--script", "/nowhere.json"], "It can't be read"],
    [["--script", "package.json"], "It is no script that a simulation wrote"],
    [["--sedes", "7"], "unknown option"],
  ])("%j", async (args, said) => {
    expect(await parsed(...args)).toMatchObject({ runs: 0, stdout: "", stderr: expect.stringContaining(said) });
  });

  test("with 2 as the exit code", async () => {
    const { code, stdout, stderr } = await simulateCommand("--seed", "seven");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain("A seed is a whole number, 0 or more.");
  });

  test("help has an example", async () => {
    const example = expect.stringContaining("npm run simulate -- --seeds 1000");
    expect(await parsed("--help")).toMatchObject({ runs: 0, stdout: example, stderr: "" });
  });

  /** What is said of words that do not lead to a run. */
  async function parsed(...args: readonly string[]) {
    const heard = { runs: 0, stdout: "", stderr: "" };
    const program = simulateProgram(async () => void heard.runs++).configureOutput({
      writeOut: (text) => (heard.stdout += text),
      writeErr: (text) => (heard.stderr += text),
    });
    await expect(program.parseAsync(args, { from: "user" })).rejects.toThrow(CommanderError);
    return heard;
  }
});
