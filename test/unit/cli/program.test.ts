/** Help and mistakes, as every command has them. */
import type { Command } from "commander";
import { describe, expect, test, vi } from "vitest";
import { EXIT } from "../../../src/cli/exit-code.js";
import { reportFailure } from "../../../src/cli/failure.js";
import { createProgram } from "../../../src/cli/program.js";

const NAMES = ["demo", "up", "work", "publish", "emit", "sessions", "session", "history", "decide", "health"];

function helpOf(command: Command): string {
  let help = "";
  command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
  return help;
}

test("help names every command, and every exit code", () => {
  const help = helpOf(createProgram());
  for (const name of NAMES) expect(help).toMatch(new RegExp(`^  ${name} `, "m"));
  for (const code of Object.values(EXIT))
    if (code !== EXIT.interrupted) expect(help).toMatch(new RegExp(`^  ${code}  `, "m"));
});

test.each(createProgram().commands.map((command) => [command.name(), command] as const))(
  "%s --help has an example",
  (name, command) => {
    expect(NAMES).toContain(name);
    expect(helpOf(command)).toMatch(new RegExp(`Example:\\n.*gatehouse ${name}`));
  },
);

describe("a mistake on the command line ends with 2 and says what to do", () => {
  test.each([
    [["sesions"], "Did you mean sessions?"],
    [["emit"], "missing required argument 'file'"],
    [["sessions", "--state", "asleep"], "States: unenrolled"],
    [["demo", "--devices", "none"], "whole number"],
    [["emit", "-", "--retry-for", "5"], "500ms, 30s, 2m or 1h"],
    [["decide", "phone 1", "adele"], "names no session"],
    [["publish", "no-such-file.json"], "no-such-file.json"],
  ])("%j", async (args, words) => {
    let said = "";
    const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
      said += String(text);
      return true;
    });
    try {
      const error = await createProgram()
        .parseAsync(args, { from: "user" })
        .then(
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
