/** Every command, as one program. Each is a file beside this one. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { EXIT_CODES_HELP } from "./exit-code.js";

type AddCommand = (program: Command) => void;

/** In the order of the help. Loaded when needed: most of the time that a command takes to start is that of loading what it needs. */
const COMMANDS: Readonly<Record<string, () => Promise<AddCommand>>> = {
  demo: async () => (await import("./demo.js")).demoCommand,
  up: async () => (await import("./up.js")).upCommand,
  serve: async () => (await import("./serve.js")).serveCommand,
  work: async () => (await import("./work.js")).workCommand,
  keys: async () => (await import("./keys.js")).keysCommand,
  policy: async () => (await import("./policy.js")).policyCommand,
  emit: async () => (await import("./emit.js")).emitCommand,
  webhooks: async () => (await import("./webhooks.js")).webhooksCommand,
  effects: async () => (await import("./effects.js")).effectsCommand,
  users: async () => (await import("./users.js")).usersCommand,
  registrations: async () => (await import("./registrations.js")).registrationsCommand,
  wipe: async () => (await import("./wipe.js")).wipeCommand,
  signout: async () => (await import("./signout.js")).signoutCommand,
  erase: async () => (await import("./erase.js")).eraseCommand,
  erasures: async () => (await import("./erasures.js")).erasuresCommand,
  quarantine: async () => (await import("./quarantine.js")).quarantineCommand,
  audit: async () => (await import("./audit.js")).auditCommand,
  sessions: async () => (await import("./sessions.js")).sessionsCommand,
  session: async () => (await import("./session.js")).sessionCommand,
  history: async () => (await import("./history.js")).historyCommand,
  why: async () => (await import("./why.js")).whyCommand,
  "export-spec": async () => (await import("./export-spec.js")).exportSpecCommand,
  tail: async () => (await import("./tail.js")).tailCommand,
  decide: async () => (await import("./decide.js")).decideCommand,
  replay: async () => (await import("./replay.js")).replayCommand,
  "what-if": async () => (await import("./what-if.js")).whatIfCommand,
  verify: async () => (await import("./verify.js")).verifyCommand,
  migrate: async () => (await import("./migrate.js")).migrateCommand,
  stats: async () => (await import("./stats.js")).statsCommand,
  health: async () => (await import("./health.js")).healthCommand,
  doctor: async () => (await import("./doctor.js")).doctorCommand,
  reconcile: async () => (await import("./reconcile.js")).reconcileCommand,
  archive: async () => (await import("./archive.js")).archiveCommand,
  backup: async () => (await import("./backup.js")).backupCommand,
  restore: async () => (await import("./restore.js")).restoreCommand,
  completion: async () => (await import("./completion.js")).completionCommand,
};

/**
 * Rejects where it would end the process: with a CommanderError, or what the command itself rejects with.
 * @param first word of the command line: if it names a command, the program has that one alone, unless that completes the others.
 * Default: it has all.
 */
export async function createProgram(first?: string): Promise<Command> {
  const program = new Command("gatehouse")
    .description("Decides who may open corporate data on which device, and says why.")
    .version(version(), "--version", "print the version")
    // Commands have a --version of their own, of a policy.
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError("(--help says more)")
    .addHelpText("after", EXIT_CODES_HELP);
  const isAlone = first !== undefined && first !== "completion" && Object.hasOwn(COMMANDS, first);
  const named = isAlone ? COMMANDS[first] : undefined;
  const loads = named === undefined ? Object.values(COMMANDS) : [named];
  for (const add of await Promise.all(loads.map(async (load) => load()))) add(program);
  return program;
}

/** By the package's own name: from the sources and from a build the way to it differs. */
function version(): string {
  const file = new URL(import.meta.resolve("gatehouse/package.json"));
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
