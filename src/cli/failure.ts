/** A command that fails says what is wrong, by which code to look it up, and what to do about it. */
import { CommanderError } from "commander";
import { ZodError, z } from "zod";
import {
  ArchiveBusyError,
  ArchiveFileError,
  ArchiveForeignError,
  ArchiveNotReachedError,
} from "../archive/archive-errors.js";
import { BackupFileError, RestoreTargetError } from "../backup/backup-errors.js";
import { ConfigError } from "../config.js";
import { PolicyKindError, PolicyUnknownError, VersionUnknownError } from "../control/catalogue-errors.js";
import { WipePendingError } from "../erase/erase-errors.js";
import { GatehouseError } from "../errors.js";
import { ListenError } from "../listen.js";
import { ApiKeyUnknownError } from "../keys/api-keys.js";
import { SendingStoppedError } from "../ingest/sender.js";
import { NotQuarantinedError } from "../quarantine/quarantine-errors.js";
import { MachineInvalidError } from "../replay/load-machine.js";
import { UnsafeRedisError } from "../redis/settings.js";
import { RedisStartError } from "../redis/private-server.js";
import { RedisMissingError, RedisTooOldError } from "../redis/server-binary.js";
import { StoreUnavailableError } from "../errors.js";
import { EffectUnknownError, WebhookTargetError, WebhookUnknownError } from "../webhooks/webhook-errors.js";
import { EXIT, type ExitCode } from "./exit-code.js";
import { RedisNotRunningError } from "./redis-access.js";
import { note, paintErr, printJson } from "./terminal.js";

/** The command line, or a file that it names, can't be used. */
export class UsageError extends GatehouseError {
  readonly code = "cli.usage";
  readonly retryable = false;
}

/** What was asked for is not there. */
export class NotFoundError extends GatehouseError {
  readonly code: string = "session.unknown";
  readonly retryable = false;
}

/** Nothing is known of the user, and no session of theirs was ever there. */
export class UserNotFoundError extends NotFoundError {
  override readonly code = "user.unknown";
}

/** @returns the exit code that says what kind of failure it was */
export function reportFailure(error: unknown, json: boolean): ExitCode {
  // Commander has said what is wrong already; help and version are no failures.
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return EXIT.ok;
    if (json) printJson({ error: { code: "cli.usage", message: error.message } });
    return EXIT.usage;
  }
  const { code, message, fix } = describe(error);
  if (json) printJson({ error: { code, message, ...(fix !== undefined && { fix }) } });
  note(`${paintErr(["bold", "red"], "error")} ${paintErr("dim", code)}  ${message}`);
  if (fix !== undefined) for (const line of fix.split("\n")) note(`  ${line}`);
  return exitCodeOf(error);
}

function describe(error: unknown): { code: string; message: string; fix: string | undefined } {
  if (error instanceof GatehouseError) return { code: error.code, message: error.message, fix: error.fix };
  if (error instanceof ZodError) {
    return { code: "settings.invalid", message: z.prettifyError(error), fix: "Correct the fields named above." };
  }
  if (error instanceof Error) {
    const { code, fix } = error as { code?: unknown; fix?: unknown };
    return {
      code: typeof code === "string" ? code : "internal",
      message: error.message,
      fix: typeof fix === "string" ? fix : undefined,
    };
  }
  return { code: "internal", message: String(error), fix: undefined };
}

const USAGE = [
  ArchiveFileError,
  ArchiveForeignError,
  UnsafeRedisError,
  BackupFileError,
  ConfigError,
  ListenError,
  MachineInvalidError,
  PolicyKindError,
  UsageError,
  WebhookTargetError,
] as const;
const REFUSED = [ArchiveBusyError, ArchiveNotReachedError, RestoreTargetError, WipePendingError, ZodError] as const;
const NOT_FOUND = [
  ApiKeyUnknownError,
  NotFoundError,
  NotQuarantinedError,
  PolicyUnknownError,
  VersionUnknownError,
  WebhookUnknownError,
  EffectUnknownError,
] as const;

const UNAVAILABLE = [
  RedisNotRunningError,
  RedisMissingError,
  RedisTooOldError,
  RedisStartError,
  StoreUnavailableError,
  SendingStoppedError,
] as const;

function exitCodeOf(error: unknown): ExitCode {
  if (USAGE.some((usage) => error instanceof usage)) return EXIT.usage;
  if (NOT_FOUND.some((notFound) => error instanceof notFound)) return EXIT.notFound;
  if (REFUSED.some((refused) => error instanceof refused)) return EXIT.refused;
  return UNAVAILABLE.some((unavailable) => error instanceof unavailable) ? EXIT.unavailable : EXIT.failure;
}
