/** How far something long is: a bar where somebody sees it, a line now and then elsewhere. */
import { SingleBar } from "cli-progress";
import { EXIT } from "./exit-code.js";
import { count, note } from "./terminal.js";

/** Between two lines, where there is no bar. */
const SAY_EVERY_MS = 5_000;

export interface ProgressBar {
  /** So many are done. */
  readonly show: (done: number) => void;
  readonly stop: () => void;
}

/** @param what is counted, in the plural */
export function progressBar(total: number, what: string): ProgressBar {
  const startedAt = performance.now();
  const rate = (done: number): string => {
    const perSecond = (done / Math.max(1, performance.now() - startedAt)) * 1_000;
    return perSecond < 10 ? perSecond.toFixed(1) : count(Math.round(perSecond));
  };
  if (!process.stderr.isTTY) {
    let saidAt = startedAt;
    return {
      show: (done) => {
        const now = performance.now();
        if (now - saidAt < SAY_EVERY_MS) return;
        saidAt = now;
        note(`${count(done)} of ${count(total)} ${what}, ${rate(done)}/s`);
      },
      stop: () => undefined,
    };
  }
  const bar = new SingleBar({
    stream: process.stderr,
    format: `{bar} {percentage} %  {done} of ${count(total)} ${what}  {rate}/s  {eta_formatted} left`,
    barCompleteChar: "█",
    barIncompleteChar: "░",
    barsize: 30,
    hideCursor: true,
    clearOnComplete: true,
    emptyOnZero: true,
  });
  bar.start(total, 0, { done: "0", rate: "0" });
  // Where nobody else waits for Ctrl-C it ends the command at once, and the cursor would stay hidden.
  const left = (): void => {
    if (process.listenerCount("SIGINT") > 1) return;
    bar.stop();
    process.exit(EXIT.interrupted);
  };
  process.on("SIGINT", left);
  return {
    show: (done) => bar.update(Math.min(done, total), { done: count(done), rate: rate(done) }),
    stop: () => {
      process.off("SIGINT", left);
      bar.stop();
    },
  };
}
