/** Makes a script that fails as short as it can be: what is left out does not matter to the promise that breaks. */
import { shrinking } from "../../src/replay/shrink.js";
import type { Bug } from "./fleet.js";
import type { Action, Fault, Script } from "./script.js";
import { type RunResult, simulate } from "./simulate.js";

/** Runs at most: a script of a thousand lines needs a few hundred. */
const MOST_RUNS = 600;

export interface Shrunk {
  readonly script: Script;
  readonly result: RunResult;
  readonly runs: number;
}

type Item = { readonly action: Action } | { readonly fault: Fault };

/**
 * @param script one that breaks a promise
 * @param onRun told after every run how long the shortest script is by now
 * @returns `undefined`: the script breaks nothing
 */
export async function shrinkScript(
  script: Script,
  bug: Bug = {},
  onRun: (runs: number, length: number) => void = () => {},
): Promise<Shrunk | undefined> {
  const first = await simulate(script, { bug });
  const promise = first.violations[0]?.promise;
  if (promise === undefined) return undefined;
  const of = (items: readonly Item[]): Script => ({
    ...script,
    actions: items.flatMap((item) => ("action" in item ? [item.action] : [])),
    faults: items.flatMap((item) => ("fault" in item ? [item.fault] : [])),
  });
  // With the events that were drawn: what somebody says must not depend on what was left out.
  let items: readonly Item[] = [
    ...script.faults.map((fault) => ({ fault })),
    ...first.played.map((action) => ({ action })),
  ];
  let result = first;
  let runs = 1;
  const search = shrinking(items);
  for (let next = search.next(); next.done !== true && runs < MOST_RUNS;) {
    const { some } = next.value;
    const again = await simulate(of(some), { bug });
    const holds = again.violations.some((violation) => violation.promise === promise);
    if (holds) {
      items = some;
      result = again;
    }
    onRun(++runs, items.length);
    next = search.next(holds);
  }
  return { script: of(items), result, runs };
}
