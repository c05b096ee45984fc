/**
 * What may come next on a command line: read from the program itself, so that no list of commands or options is kept beside it. What an
 * option or an argument takes is told by its choices, or by the name in its placeholder: `<session>`, `<user>`, `<file>` …
 */
import type { Argument, Command, Option } from "commander";

/** What exists in the deployment, by the placeholder that stands for it. */
export const LIVE_KINDS = ["session", "user", "device", "policy", "endpoint"] as const;
export type LiveKind = (typeof LIVE_KINDS)[number];

/** Placeholders for which the shell knows best. */
const FILES: readonly string[] = ["file", "dir", "key", "heads"];

export interface Candidate {
  readonly value: string;
  /** For shells that show it; `""`: none. */
  readonly description: string;
}

export type Suggestion =
  { readonly kind: "words"; readonly candidates: readonly Candidate[] } | { readonly kind: "files" };

/** Names that begin with the text; it may leave some out. */
export type LiveNames = (kind: LiveKind, beginning: string) => Promise<readonly Candidate[]>;

/**
 * @param words what was typed after the program's name; the last one is being typed, and may be empty
 * @throws whatever `live` rejects with
 */
export async function suggest(program: Command, words: readonly string[], live: LiveNames): Promise<Suggestion> {
  const typed = words.at(-1) ?? "";
  const place = placeAfter(program, words.slice(0, -1));
  const { command, option } = place;
  const isNextOption = option?.variadic === true && typed.startsWith("-");
  if (option !== undefined && !isNextOption) return values(option, takesOf(option), typed === "=" ? "" : typed, live);
  const inline = /^(--[a-z-]+)=(.*)$/.exec(typed);
  if (inline !== null && !place.onlyArguments) {
    const [, flag = "", beginning = ""] = inline;
    const named = command.options.find(({ long }) => long === flag);
    if (named === undefined) return only([]);
    const found = await values(named, takesOf(named), beginning, live);
    if (found.kind === "files") return found;
    return only(found.candidates.map((one) => ({ ...one, value: `${flag}=${one.value}` })));
  }
  if (typed.startsWith("-") && !place.onlyArguments) return only(beginning(optionsOf(place), typed));
  const below = visibleCommands(command);
  if (below.length > 0) {
    if (place.count > 0) return only([]);
    return only(
      beginning(
        below.map((one) => ({ value: one.name(), description: one.summary() || one.description() })),
        typed,
      ),
    );
  }
  const last = command.registeredArguments.at(-1);
  const argument = command.registeredArguments[place.count] ?? (last?.variadic === true ? last : undefined);
  if (argument !== undefined) return values(argument, argument.name(), typed, live);
  return only(typed === "" && !place.onlyArguments ? optionsOf(place) : []);
}

/** Where on the command line something is typed. */
interface Place {
  readonly command: Command;
  /** Whose value is typed; `undefined`: none's. */
  readonly option: Option | undefined;
  /** Arguments before it. */
  readonly count: number;
  readonly given: ReadonlySet<Option>;
  /** Behind `--`. */
  readonly onlyArguments: boolean;
}

function placeAfter(program: Command, words: readonly string[]): Place {
  let command = program;
  let option: Option | undefined;
  let count = 0;
  let onlyArguments = false;
  const given = new Set<Option>();
  for (const word of words) {
    // Some shells make a word of it.
    if (word === "=" && option !== undefined) continue;
    if (option !== undefined && !word.startsWith("-")) {
      if (!option.variadic) option = undefined;
      continue;
    }
    option = undefined;
    if (onlyArguments || !word.startsWith("-") || word === "-") {
      const below =
        count === 0 && !onlyArguments ? visibleCommands(command).find((one) => one.name() === word) : undefined;
      if (below === undefined) count++;
      else {
        command = below;
        given.clear();
      }
    } else if (word === "--") onlyArguments = true;
    else {
      const [flag = ""] = word.split("=", 1);
      const named = command.options.find(({ long, short }) => flag === long || flag === short);
      if (named === undefined) continue;
      given.add(named);
      if ((named.required || named.optional) && flag === word) option = named;
    }
  }
  return { command, option, count, given, onlyArguments };
}

/** Those that help lists. */
const visibleCommands = (command: Command): readonly Command[] =>
  command.commands.length === 0 ? [] : command.createHelp().visibleCommands(command);

const optionsOf = ({ command, given }: Place): readonly Candidate[] =>
  command
    .createHelp()
    .visibleOptions(command)
    .filter((option) => option.variadic || !given.has(option))
    .map(({ long, short, description }) => ({ value: long ?? short ?? "", description }));

/** The name in an option's placeholder. */
const takesOf = ({ flags }: Option): string => /[<[]([^>\].]+)/.exec(flags)?.[1] ?? "";

async function values(of: Option | Argument, takes: string, typed: string, live: LiveNames): Promise<Suggestion> {
  if (of.argChoices !== undefined) {
    return only(
      beginning(
        of.argChoices.map((value) => ({ value, description: "" })),
        typed,
      ),
    );
  }
  const kind = LIVE_KINDS.find((one) => one === takes);
  if (kind !== undefined) return only(beginning(await live(kind, typed), typed));
  return FILES.includes(takes) ? { kind: "files" } : only([]);
}

const beginning = (candidates: readonly Candidate[], typed: string): readonly Candidate[] =>
  candidates.filter(({ value }) => value.startsWith(typed));

const only = (candidates: readonly Candidate[]): Suggestion => ({ kind: "words", candidates });
