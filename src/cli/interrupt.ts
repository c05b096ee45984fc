/** Ctrl-C and SIGTERM: what was started is stopped before the command ends. A second one ends it at once. */
import { EXIT } from "./exit-code.js";

const SIGNALS = ["SIGINT", "SIGTERM"] as const;

/** Resolves at the first signal. */
export async function interrupted(): Promise<void> {
  await new Promise<void>((resolve) => {
    for (const signal of SIGNALS) process.once(signal, () => resolve());
  });
}

/** Calls `cleanup` and ends the process at a signal. @returns what takes that back */
export function onInterrupt(cleanup: () => Promise<void>): () => void {
  const stop = (): void => {
    release();
    void cleanup().finally(() => process.exit(EXIT.interrupted));
  };
  const release = (): void => {
    for (const signal of SIGNALS) process.off(signal, stop);
  };
  for (const signal of SIGNALS) process.on(signal, stop);
  return release;
}
