/** Tells failures of the database from faults of ours, and what is known of a call that failed. */
import { StoreUnavailableError } from "../../errors.js";

/** Replies by which a server says that it cannot serve now. It says so before it carries anything out. */
const REFUSALS = new Set([
  "BUSY",
  "CLUSTERDOWN",
  "LOADING",
  "MASTERDOWN",
  "MISCONF",
  "NOAUTH",
  "NOPERM",
  "NOREPLICAS",
  "OOM",
  "READONLY",
  "TRYAGAIN",
  "UNBLOCKED",
  "WRONGPASS",
]);

/** ioredis's words for a command that it never wrote to the socket. */
const UNSENT = "Stream isn't writeable";

/**
 * `write`: the call could have changed something. Errors that the script or the server raised because of what was
 * sent are returned as they came: they are bugs, and trying again would not help.
 */
export function toUnavailable(error: unknown, call: string, write: boolean): unknown {
  if (!(error instanceof Error)) return error;
  if (error.name === "ReplyError") {
    const reply = error.message.split(" ", 1)[0] ?? "";
    if (!REFUSALS.has(reply)) return error;
    return new StoreUnavailableError(`${call}: Redis refused: ${error.message}`, {
      cause: error,
      outcomeUnknown: false,
    });
  }
  const outcomeUnknown = write && !error.message.startsWith(UNSENT);
  return new StoreUnavailableError(`${call}: no answer from Redis: ${error.message}`, { cause: error, outcomeUnknown });
}
