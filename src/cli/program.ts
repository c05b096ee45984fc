/** Every command, as one program. Each is a file beside this one. */
import { readFileSync } from "node:fs";
import { Command } from "commander";
import { archiveCommand } from "./archive.js";
import { auditCommand } from "./audit.js";
import { backupCommand } from "./backup.js";
import { completionCommand } from "./completion.js";
import { decideCommand } from "./decide.js";
import { demoCommand } from "./demo.js";
import { doctorCommand } from "./doctor.js";
import { effectsCommand } from "./effects.js";
import { emitCommand } from "./emit.js";
import { eraseCommand } from "./erase.js";
import { erasuresCommand } from "./erasures.js";
import { EXIT_CODES_HELP } from "./exit-code.js";
import { exportSpecCommand } from "./export-spec.js";
import { healthCommand } from "./health.js";
import { historyCommand } from "./history.js";
import { keysCommand } from "./keys.js";
import { migrateCommand } from "./migrate.js";
import { policyCommand } from "./policy.js";
import { quarantineCommand } from "./quarantine.js";
import { reconcileCommand } from "./reconcile.js";
import { registrationsCommand } from "./registrations.js";
import { replayCommand } from "./replay.js";
import { restoreCommand } from "./restore.js";
import { serveCommand } from "./serve.js";
import { sessionCommand } from "./session.js";
import { sessionsCommand } from "./sessions.js";
import { signoutCommand } from "./signout.js";
import { statsCommand } from "./stats.js";
import { tailCommand } from "./tail.js";
import { upCommand } from "./up.js";
import { usersCommand } from "./users.js";
import { verifyCommand } from "./verify.js";
import { webhooksCommand } from "./webhooks.js";
import { whatIfCommand } from "./what-if.js";
import { whyCommand } from "./why.js";
import { wipeCommand } from "./wipe.js";
import { workCommand } from "./work.js";

const COMMANDS = [
  demoCommand,
  upCommand,
  serveCommand,
  workCommand,
  keysCommand,
  policyCommand,
  emitCommand,
  webhooksCommand,
  effectsCommand,
  usersCommand,
  registrationsCommand,
  wipeCommand,
  signoutCommand,
  eraseCommand,
  erasuresCommand,
  quarantineCommand,
  auditCommand,
  sessionsCommand,
  sessionCommand,
  historyCommand,
  whyCommand,
  exportSpecCommand,
  tailCommand,
  decideCommand,
  replayCommand,
  whatIfCommand,
  verifyCommand,
  migrateCommand,
  statsCommand,
  healthCommand,
  doctorCommand,
  reconcileCommand,
  archiveCommand,
  backupCommand,
  restoreCommand,
  completionCommand,
];

/** Rejects where it would end the process: with a CommanderError, or what the command itself rejects with. */
export function createProgram(): Command {
  const program = new Command("gatehouse")
    .description("Decides who may open corporate data on which device, and says why.")
    .version(version(), "--version", "print the version")
    .exitOverride()
    .showHelpAfterError("(--help says more)")
    .addHelpText("after", EXIT_CODES_HELP);
  for (const add of COMMANDS) add(program);
  return program;
}

/** By the package's own name: from the sources and from a build the way to it differs. */
function version(): string {
  const file = new URL(import.meta.resolve("gatehouse/package.json"));
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}
