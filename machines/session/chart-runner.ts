/** A chart as the fold runs it: XState's machine, and its snapshots of sessions that rest. */
import { AFTER_TIMERS } from "./after-timers.js";
import { sessionChart } from "./chart.js";
import { STATE_NAMES, type StatePath } from "./context.js";

type SessionMachine = typeof sessionChart;
type MachineSnapshot = ReturnType<SessionMachine["resolveState"]>;

/** A machine that sessions can't be folded with. */
export class ChartError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ChartError";
  }
}

export class ChartRunner {
  readonly #resting = new Map<StatePath, MachineSnapshot>();

  constructor(readonly machine: SessionMachine) {}

  /** XState's snapshot of a session that rests in a state, ready to be given a context. */
  resting(state: StatePath): MachineSnapshot {
    let snapshot = this.#resting.get(state);
    if (snapshot === undefined) {
      const [parent = state, child] = state.split(".");
      snapshot = this.machine.resolveState({
        value: child === undefined ? parent : { [parent]: child },
        context: {},
      } as never);
      this.#resting.set(state, snapshot);
    }
    return snapshot;
  }
}

/** This release's. */
export const SESSION_CHART = new ChartRunner(sessionChart);

interface Node {
  readonly key: string;
  readonly path: readonly string[];
  readonly states: Readonly<Record<string, Node>>;
  readonly ownEvents: readonly string[];
}

/**
 * Another chart, to be asked what it would have done: one written in this one's vocabulary, with the seven states, whose deadlines have names here.
 * @param value what a module calls a machine
 * @throws ChartError that says what is missing
 */
export function chartOf(value: unknown): ChartRunner {
  const root = rootOf(value);
  if (root === undefined) throw new ChartError("it is no XState machine");
  const missing = STATE_NAMES.filter((name) => root.states[name] === undefined);
  if (missing.length > 0) throw new ChartError(`it has no state ${missing.join(", ")}`);
  const known = new Set<string>(AFTER_TIMERS.map(({ xstateId }) => xstateId));
  for (const event of eventsOf(root)) {
    if (event.startsWith("xstate.after.") && !known.has(event))
      throw new ChartError(`its deadline ${event} has no name in after-timers.ts`);
  }
  return new ChartRunner(value as SessionMachine);
}

/** By its shape: a module may bring another copy of XState along. */
function rootOf(value: unknown): Node | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { root, transition, resolveState } = value as Readonly<Record<string, unknown>>;
  const isMachine = typeof root === "object" && typeof transition === "function" && typeof resolveState === "function";
  return isMachine ? (root as Node) : undefined;
}

function* eventsOf(node: Node): Generator<string> {
  yield* node.ownEvents;
  for (const name in node.states) yield* eventsOf(node.states[name] as Node);
}

/** The states that sessions rest in, as paths: those without children that are not passed through at once. */
export function restingStates(chart: ChartRunner): ReadonlySet<string> {
  const paths = new Set<string>();
  const visit = (node: Node): void => {
    const children = Object.values(node.states);
    if (children.length === 0) paths.add(node.path.join("."));
    for (const child of children) visit(child);
  };
  visit(chart.machine.root as unknown as Node);
  paths.delete("settling");
  return paths;
}
