/** What `npm run simulate` takes. */
import { readFileSync } from "node:fs";
import { Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { count } from "../../src/cli/terminal.js";
import type { Script } from "./script.js";

/** A planted bug has to be found within so many seeds. */
export const PLANTED_SEEDS = 1_000;

export interface Options {
  readonly seeds: number;
  readonly from: number;
  readonly seed?: number;
  readonly script?: Script;
  readonly planted?: true;
  readonly trace?: true;
  readonly json?: true;
}

const whole = (what: string, least: number) => (text: string) => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw new InvalidArgumentError(`${what} is a whole number, ${least} or more.`);
  return value;
};

const ScriptFile = z.object({
  seed: z.int().min(0),
  life: z.enum(["oracle", "wide"]),
  actions: z.array(z.looseObject({ at: z.number().min(0), do: z.enum(["tell", "ask", "publish", "wait"]) })),
  faults: z.array(z.looseObject({ kind: z.string() })),
});

function readScript(file: string): Script {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new InvalidArgumentError(`It can't be read: ${(error as Error).message}`);
  }
  try {
    return ScriptFile.parse(JSON.parse(text)) as unknown as Script;
  } catch (error) {
    const why = error instanceof z.ZodError ? z.prettifyError(error) : (error as Error).message;
    throw new InvalidArgumentError(`It is no script that a simulation wrote: ${why}`);
  }
}

/** Rejects with a CommanderError where the words can't be used, and where help was all that was asked for. */
export function simulateProgram(run: (options: Options) => Promise<void>): Command {
  return new Command("simulate")
    .description("Plays many lives of a deployment, with everything going wrong, and says whether every promise held.")
    .option("--seeds <n>", "how many", whole("A number of seeds", 1), 100)
    .option("--from <n>", "the first of them", whole("A seed", 0), 1)
    .option("--seed <n>", "this one alone", whole("A seed", 0))
    .option("--script <file>", "a script that a failure left, instead of a seed", readScript)
    .option("--planted", `also whether each planted bug is found, within ${count(PLANTED_SEEDS)} seeds`)
    .option("--trace", "with --seed or --script: everything that happened, on stderr")
    .option("--json", "one JSON object on stdout")
    .addHelpText(
      "after",
      "\nExample:\n  npm run simulate -- --seeds 1000\n  npm run simulate -- --seed 7 --trace\n\nThe same seed is the same run, on every machine. Exit code 1 if a promise was broken or a planted bug was not found; the first\nseed that failed is then shrunk to a small script, which is printed and can be run again with --script.",
    )
    .exitOverride()
    .action(run);
}
