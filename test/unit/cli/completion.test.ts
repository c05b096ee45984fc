/** What is offered for a command line, read from the program itself. */
import type { Command } from "commander";
import { describe, expect, test } from "vitest";
import { COMPLETION_SCRIPTS } from "../../../src/cli/completion/scripts.js";
import { type LiveKind, suggest } from "../../../src/cli/completion/suggest.js";
import { createProgram } from "../../../src/cli/program.js";
import { ASKED_STATES } from "../../../src/sessions/session-filter.js";

const LIVE: Readonly<Record<LiveKind, readonly string[]>> = {
  session: ["phone-17/adele", "phone-18/bruno"],
  user: ["adele", "bruno"],
  device: ["phone-17", "tablet-2"],
  policy: ["6f1d2c84"],
  endpoint: ["wh_1"],
};
const program = await createProgram();

/** The last word is as far as it is typed; a line that ends with a space begins a new one. */
async function offered(typed: string): Promise<readonly string[] | "files"> {
  const told = await suggest(program, typed.split(" "), async (kind) =>
    LIVE[kind].map((value) => ({ value, description: "" })),
  );
  return told.kind === "files" ? "files" : told.candidates.map(({ value }) => value);
}

describe("commands", () => {
  test("every command that help lists, and none that it hides", async () => {
    const listed = (command: Command) =>
      command
        .createHelp()
        .visibleCommands(command)
        .map((one) => one.name());
    expect(await offered("")).toEqual(listed(program));
    expect(await offered("completion ")).toEqual(["bash", "zsh", "fish", "help"]);
  });

  test.each([
    ["his", ["history"]],
    ["quarantine re", ["redrive"]],
    ["policy settings s", ["show", "set"]],
    ["nonsense", []],
    ["nonsense ", []],
  ])("%j → %j", async (typed, expected) => {
    expect(await offered(typed)).toEqual(expected);
  });
});

describe("options", () => {
  test("those of the command, and none twice unless it may be", async () => {
    const all = await offered("tail --");
    expect(all).toEqual(expect.arrayContaining(["--state", "--json", "--no-follow", "--help"]));
    expect(await offered("tail --json --j")).toEqual([]);
    expect(await offered("keys create --scope emit --sc")).toEqual(["--scope"]);
    expect(await offered("stats ")).toContain("--watch");
    expect(await offered("history phone-17/adele ")).toContain("--limit");
  });

  test("behind -- there are none", async () => {
    expect(await offered("history -- --")).toEqual([]);
    expect(await offered("history -- phone-18")).toEqual(["phone-18/bruno"]);
  });
});

describe("what options and arguments take", () => {
  test("choices", async () => {
    expect(await offered("tail --state ")).toEqual(ASKED_STATES);
    expect(await offered("sessions --state ")).toEqual(ASKED_STATES);
    expect(await offered("tail --json --state sig")).toEqual(["signedOut"]);
    expect(await offered("sessions --cause osV")).toEqual(["osVersion"]);
    expect(await offered("tail --state=lo")).toEqual(["--state=locked"]);
    // As bash hands it over, where the equals sign parts words.
    expect(await offered("tail --state = lo")).toEqual(["locked"]);
    expect(await offered("tail --state =")).toEqual(ASKED_STATES);
  });

  test("an option that takes several goes on taking them", async () => {
    expect(await offered("keys create --scope emit ")).toEqual(await offered("keys create --scope "));
    expect(await offered("keys create --scope emit dec")).toEqual(["decide"]);
  });

  test.each([
    ["history ", LIVE.session],
    ["history phone-18", ["phone-18/bruno"]],
    ["session ", LIVE.session],
    ["why ", LIVE.session],
    ["export-spec ", LIVE.session],
    ["quarantine redrive ", LIVE.session],
    ["quarantine redrive phone-17/adele ", LIVE.session],
    ["replay --session ", LIVE.session],
    ["history --limit 3 ", LIVE.session],
    ["decide ", LIVE.device],
    ["decide phone-17 a", ["adele"]],
    ["sessions --user b", ["bruno"]],
    ["wipe ", LIVE.user],
    ["erase adele --device t", ["tablet-2"]],
    ["tail --device ", LIVE.device],
    ["policy show ", LIVE.policy],
    ["tail --policy ", LIVE.policy],
    ["webhooks resume ", LIVE.endpoint],
    ["effects list --endpoint ", LIVE.endpoint],
  ])("%j: what there is now", async (typed, expected) => {
    expect((await offered(typed)) as readonly string[]).toEqual(expected);
  });

  test.each(["emit ", "policy import a.json ", "what-if --policy ", "archive run --to ", "verify --sign "])(
    "%j: a path, which the shell completes",
    async (typed) => {
      expect(await offered(typed)).toBe("files");
    },
  );

  test("a number or a text: nothing", async () => {
    expect(await offered("stats --interval ")).toEqual([]);
    expect(await offered("tail --limit ")).toEqual([]);
  });
});

test("each script asks the hidden command, by the very words", () => {
  for (const script of Object.values(COMPLETION_SCRIPTS)) expect(script).toContain("completion words -- ");
});
