/** A chart that somebody wrote, from the module it is in: to ask what it would have done, and whether sessions would land in it. */
import { access } from "node:fs/promises";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { type ChartRunner, chartOf, restingStates } from "../../machines/session/chart-runner.js";
import { sessionChart } from "../../machines/session/chart.js";
import { type MachineVersion, type Migration, THIS_MACHINE } from "../../machines/session/machine-versions.js";
import { vocabulary } from "../../machines/session/vocabulary.js";
import { GatehouseError } from "../errors.js";

/** The module is no chart that sessions can be folded with. */
export class MachineInvalidError extends GatehouseError {
  readonly code = "machine.invalid";
  readonly retryable = false;
}

export interface LoadedMachine {
  readonly chart: ChartRunner;
  /** As the version after this release's. */
  readonly machine: MachineVersion;
}

const asItIs: Migration = (session) => session;

type MakeMachine = (own: { readonly sessionChart: unknown; readonly vocabulary: unknown }) => unknown;

/**
 * @param file a module whose default export is the machine, or a function that is given this release's and returns one; it may export
 *   `migrate`, too, from this release's sessions to its own
 * @throws MachineInvalidError
 */
export async function loadMachine(file: string): Promise<LoadedMachine> {
  const path = resolve(file);
  const invalid = (message: string, fix: string, cause?: unknown) =>
    new MachineInvalidError(`${file}: ${message}`, { fix, ...(cause !== undefined && { cause }) });
  await access(path).catch((error: unknown) => {
    throw invalid("there is no such file", "Name a module whose default export is an XState machine.", error);
  });
  let module: { readonly default?: unknown; readonly migrate?: unknown };
  try {
    module = (await import(pathToFileURL(path).href)) as typeof module;
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw invalid(`it can't be loaded: ${words}`, "Run it by itself first: node FILE.", error);
  }
  const { default: value, migrate = asItIs } = module;
  if (typeof migrate !== "function") throw invalid("its `migrate` is no function", "Export a function, or nothing.");
  let chart: ChartRunner;
  try {
    chart = chartOf(typeof value === "function" ? (value as MakeMachine)({ sessionChart, vocabulary }) : value);
  } catch (error) {
    throw invalid(
      `its default export is no chart: ${(error as Error).message}`,
      "Begin with `export default ({ sessionChart }) => sessionChart` and change that (docs/chart-versions.md).",
      error,
    );
  }
  const { version, timers, migrations } = THIS_MACHINE;
  return {
    chart,
    machine: {
      version: version + 1,
      states: restingStates(chart),
      timers,
      migrations: new Map([...migrations, [version, migrate as Migration]]),
    },
  };
}
