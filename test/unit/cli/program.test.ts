/** Help and mistakes, as every command has them. */
import type { Command } from "commander";
import { describe, expect, test, vi } from "vitest";
import { EXIT } from "../../../src/cli/exit-code.js";
import { reportFailure } from "../../../src/cli/failure.js";
import { createProgram } from "../../../src/cli/program.js";

const NAMES = [
  "demo",
  "up",
  "work",
  "policy",
  "emit",
  "webhooks",
  "effects",
  "users",
  "registrations",
  "reconcile",
  "erase",
  "wipe",
  "signout",
  "erasures",
  "quarantine",
  "audit",
  "serve",
  "keys",
  "sessions",
  "session",
  "history",
  "why",
  "replay",
  "what-if",
  "verify",
  "migrate",
  "export-spec",
  "decide",
  "tail",
  "stats",
  "health",
  "doctor",
  "archive",
  "backup",
  "restore",
  "completion",
];

function helpOf(command: Command): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return help;
}

test("help names every command, and every exit code", async () => {
  const help = helpOf(await createProgram());
  for (const name of NAMES) expect(help).toMatch(new RegExp(`^  ${name} `, "m"));
  for (const code of Object.values(EXIT))
    if (code !== EXIT.interrupted) expect(help).toMatch(new RegExp(`^  ${code}  `, "m"));
});

/** Each command with its whole name, and below it those that it consists of. */
const withAllBelow = (command: Command, name = command.name()): [string, Command][] => [
  [name, command],
  ...command.commands.flatMap((below) => withAllBelow(below, `${name} ${below.name()}`)),
];

test.each((await createProgram()).commands.flatMap((command) => withAllBelow(command)))(
  "%s --help has an example",
  (name, command) => {
    expect(NAMES).toContain(name.split(" ")[0]);
    expect(helpOf(command)).toMatch(new RegExp(`Example:\\n[^]*gatehouse ${name}`));
  },
);

/** They look, run or report; events are what the journal tells. */
const CHANGES_NOTHING_ITSELF = new Set(
  `demo, up, work, serve, emit, sessions, session, history, export-spec, why, what-if, verify, decide, tail, stats, archive run, archive list, archive prune, health, doctor, completion bash, completion zsh, completion fish, completion words, backup, erasures, audit, users show, keys list,
   quarantine list, quarantine show, effects list, effects show, webhooks list, webhooks show, policy list, policy show,
   policy explain, policy diff, policy versions, policy settings show`.split(/,\s+/),
);

test.each(NAMES)("a command line that begins with %s has that command, whatever else it has", async (name) => {
  const { commands } = await createProgram(name);
  expect(commands.map((command) => command.name())).toContain(name);
  expect(commands.length === 1).toBe(name !== "completion");
});

test("every command that changes something is an act: it says who does it, and why", async () => {
  const commands = (await createProgram()).commands
    .flatMap((command) => withAllBelow(command))
    .filter(([, { commands: below }]) => below.length === 0);
  for (const [name, { options }] of commands) {
    const flags = options.map(({ long }) => long);
    const isAct = flags.includes("--by") && flags.includes("--reason");
    expect([name, isAct]).toEqual([name, !CHANGES_NOTHING_ITSELF.has(name)]);
  }
});

describe("a mistake on the command line ends with 2 and says what to do", () => {
  test.each([
    [["sesions"], "Did you mean sessions?"],
    [["emit"], "missing required argument 'file'"],
    [["sessions", "--state", "asleep"], "States: unenrolled"],
    [["tail", "--state", "asleep"], "Allowed choices are unenrolled, pinSetup"],
    [["tail", "--cause", "osversion"], "osVersion"],
    [["tail", "--event", "pin.guessed"], "pin.verified"],
    [["tail", "--after", "1.2", "--since", "1h"], "cannot be used with"],
    [["stats", "--interval", "5ms"], "100ms or more"],
    [["stats", "--count", "3"], "Give --watch with it"],
    [["demo", "--devices", "none"], "whole number"],
    [["emit", "-", "--retry-for", "5"], "500ms, 30s, 2m or 1h"],
    [["decide", "phone 1", "adele"], "names no session"],
    [["policy", "import", "no-such-file.json"], "no-such-file.json"],
    [["policy", "assign", "6f1d2c84"], "--group ID, --exclude ID, --all-users"],
    [["policy", "assign", "6f1d2c84", "--none", "--all-users"], "--none goes with no other target"],
    [["policy", "assign", "6f1d2c84", "--group", "fin ance"], "id of a group"],
    [["policy", "explain", "--platform", "ios"], "--user"],
    [["policy", "explain", "--user", "adele", "--platform", "symbian"], "ios, android"],
    [["policy", "explain", "--user", "adele", "--platform", "ios", "--licensed", "maybe"], "true or false"],
    [["policy", "explain", "--user", "adele", "--platform", "ios", "--version", "1", "--draft"], "cannot be used with"],
    [["policy", "diff", "yesterday"], 'number of a version, or "draft"'],
    [["policy", "rollback", "first"], "number of a version"],
    [["policy", "publish", "--note", "two\nlines"], "one line"],
  ])("%j", async (args, words) => {
    let said = "";
    const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      said += String(text);
      return true;
    });
    try {
      const error = await (await createProgram()).parseAsync(args, { from: "user" }).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(reportFailure(error, false)).toBe(EXIT.usage);
      expect(said).toContain(words);
    } finally {
      stderr.mockRestore();
    }
  });
});
