/** Ctrl-C and SIGTERM: what was started is stopped before the command ends. A second one ends it at once. */
import { EXIT } from "./exit-code.js";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** A terminal tells everything that runs in it, and npm tells its command once more: so soon after the first it is the same Ctrl-C. */
const SAME_MS = 1_000;

/** Calls `first` at the first signal. @returns what takes that back, as long as there was none */
function listen(first: () => void): () => void {
  let since: number | undefined;
  const heard = (): void => {
    if (since === undefined) {
      since = performance.now();
      first();
    } else if (performance.now() - since > SAME_MS) process.exit(EXIT.interrupted);
  };
  for (const signal of SIGNALS) process.on(signal, heard);
  return () => {
    if (since === undefined) for (const signal of SIGNALS) process.off(signal, heard);
  };
}

/** Resolves at the first signal. */
export async function interrupted(): Promise<void> {
  await new Promise<void>((resolve) => {
    listen(resolve);
  });
}

/** For work that ends by itself between two steps: the signal aborts at the first of them. @returns with what takes that back */
export function interruption(): { readonly signal: AbortSignal; readonly release: () => void } {
  const stopping = new AbortController();
  return { signal: stopping.signal, release: listen(() => stopping.abort()) };
}

/** Calls `cleanup` and ends the process at a signal. @returns what takes that back */
export function onInterrupt(cleanup: () => Promise<void>): () => void {
  return listen(() => {
    void cleanup().finally(() => process.exit(EXIT.interrupted));
  });
}
