/**
 * A command to its end. The first run of each command in a test file is a process of its own, as people run it; those that follow share a
 * process that has loaded the program, because most of what a command takes is to start.
 */
import { Cli, type CliOptions, type Finished, environmentOf } from "./cli.js";
import { WarmProcess } from "./warm-process.js";

const known = new Set<string>();
let warm: WarmProcess | undefined;

/** `policy import` of `policy import FILE --json`, and `decide` of `decide phone-17 adele`. */
const commandOf = (args: readonly string[]): string => {
  const end = args.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
  return args.slice(0, Math.min(2, end === -1 ? args.length : end)).join(" ");
};

/** What a process can't be given later: a terminal, and what Node reads of its environment when it starts. */
const isOwn = ({ terminal = false, environment = {} }: CliOptions): boolean =>
  terminal || Object.keys(environment).some((name) => name.startsWith("NODE_"));

export async function runCli(args: readonly string[], options: CliOptions): Promise<Finished> {
  const command = commandOf(args);
  if (known.has(command) && !isOwn(options)) {
    warm ??= new WarmProcess();
    return warm.run({ args, environment: environmentOf(options), input: options.input ?? "" });
  }
  known.add(command);
  return new Cli(args, { input: "", ...options }).finished();
}
