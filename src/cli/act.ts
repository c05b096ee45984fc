/** What every command that changes something has in common: it says who does it and why, and is recorded. */
import { userInfo } from "node:os";
import { type Command, InvalidArgumentError } from "commander";
import type { RedisConnection } from "../redis/connection.js";
import { type Act, type Acting, AuditLog } from "../audit/audit-log.js";

/** As commander gives them. */
export interface ActOptions {
  readonly by?: string;
  readonly reason?: string;
}

const MAX_REASON = 256;

/** Adds `--by` and `--reason`. */
export function asAct(command: Command): Command {
  return command
    .option("--by <name>", "who does it, for the audit log; default: the user of this machine", shortText)
    .option("--reason <text>", "why, for the audit log", shortText);
}

/** Does something and records it, for the tenant. */
export async function record<Result>(
  { redis, prefix, tenant }: { readonly redis: RedisConnection; readonly prefix: string; readonly tenant: string },
  { by, reason }: ActOptions,
  act: Act,
  work: (acting: Acting) => Promise<Result>,
): Promise<Result> {
  const actor = { by: by ?? machineUser(), via: "command line", reason } as const;
  return new AuditLog(redis, prefix, tenant).record(actor, act, work);
}

/** Whoever is at the terminal. */
export function machineUser(): string {
  try {
    return userInfo().username;
  } catch {
    // A container may run as a user without a name.
    return `user ${process.getuid?.() ?? "unknown"}`;
  }
}

function shortText(text: string): string {
  const short = text.trim();
  if (short.length < 1 || short.length > MAX_REASON) throw new InvalidArgumentError(`Give 1–${MAX_REASON} characters.`);
  return short;
}
