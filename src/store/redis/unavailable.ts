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

/** ioredis's words for a command that it never wrote to a socket, or that each node it came to sent on to another one. */
const NOT_CARRIED_OUT = ["Stream isn't writeable", "Cluster isn't ready", "Too many Cluster redirections"];

/** A node of a cluster says it to a client that takes it for the only one. */
const MISTAKEN = new Set(["MOVED", "ASK"]);

/**
 * `write`: the call could have changed something. Errors that the script or the server raised because of what was
 * sent are returned as they came: they are bugs, and trying again would not help.
 */
export function toUnavailable(error: unknown, call: string, write: boolean): unknown {
  if (!(error instanceof Error)) return error;
  if (error instanceof StoreUnavailableError) return error;
  if (error.name === "ReplyError") {
    const reply = error.message.split(" ", 1)[0] ?? "";
    if (MISTAKEN.has(reply)) {
      return new StoreUnavailableError(`${call}: Redis is one node of a cluster: ${error.message}`, {
        cause: error,
        outcomeUnknown: false,
        fix: "Name some of its nodes in REDIS_CLUSTER instead of REDIS_URL: redis://h1:6379,redis://h2:6379.",
      });
    }
    if (!REFUSALS.has(reply)) return error;
    return new StoreUnavailableError(`${call}: Redis refused: ${error.message}`, {
      cause: error,
      outcomeUnknown: false,
    });
  }
  const outcomeUnknown = write && !NOT_CARRIED_OUT.some((words) => error.message.startsWith(words));
  return new StoreUnavailableError(`${call}: no answer from Redis: ${error.message}`, { cause: error, outcomeUnknown });
}
