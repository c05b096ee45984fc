/** Ctrl-C ends a run early; a second one, SIGTERM or a terminal that is closed ends it at once. */
import { EXIT } from "../../src/cli/exit-code.js";
import { note } from "../../src/cli/terminal.js";

export interface StoppedBySignals {
  /** What happened until now is reported in full. */
  readonly stop: AbortSignal;
  /** What was seen until now is reported as it is. */
  readonly abandon: AbortSignal;
  /** The exit code of a run that found nothing wrong. */
  readonly code: () => number;
}

export function stoppedBySignals(): StoppedBySignals {
  const stopping = new AbortController();
  const abandoning = new AbortController();
  process.on("SIGINT", () => {
    if (stopping.signal.aborted) abandoning.abort();
    else note("Stopping: what happened until now is looked at. Once more: ends at once.");
    stopping.abort();
  });
  for (const signal of ["SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => {
      stopping.abort();
      abandoning.abort();
    });
  }
  return {
    stop: stopping.signal,
    abandon: abandoning.signal,
    code: () => (stopping.signal.aborted ? EXIT.interrupted : EXIT.ok),
  };
}
