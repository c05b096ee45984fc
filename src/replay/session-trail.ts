/**
 * A session's inputs, folded one after the other, with the session as it was after each. Whoever asks what became of it with something left out
 * or put in goes on from there, instead of from the beginning; and where the session is again as it was, the rest is known.
 */
import { type Policies, advance } from "../../machines/advance.js";
import type { Occurrence, StepRecord } from "../../machines/step-record.js";
import { isSame } from "../../machines/is-same.js";
import { receive } from "../../machines/receive.js";
import { stateName } from "../../machines/session/context.js";
import type { Session, SessionId } from "../../machines/session/session.js";

export interface Input extends Occurrence {
  /** Number of its record. */
  readonly seq: number;
}

/** After so many inputs. */
interface Footstep {
  readonly session: Session | undefined;
  /** The last record so far by which it changed its state. */
  readonly moved: StepRecord | undefined;
}

/** Where a session ended, and how it came there. */
export interface Arrival extends Footstep {
  readonly session: Session | undefined;
}

export interface TrailOptions {
  readonly id: SessionId;
  readonly policies: Policies;
  /** Epoch ms. */
  readonly until: number;
}

export const isMove = ({ from, to }: StepRecord): boolean =>
  from !== undefined && to !== undefined && stateName(from) !== stateName(to);

export class SessionTrail {
  /** `steps[n]`: after `n` inputs. */
  #steps: readonly Footstep[];
  #inputs: readonly Input[];
  readonly #options: TrailOptions;

  constructor(inputs: readonly Input[], options: TrailOptions) {
    this.#options = options;
    this.#inputs = inputs;
    const steps: Footstep[] = [{ session: undefined, moved: undefined }];
    let { session, moved } = steps[0] as Footstep;
    for (const input of inputs) {
      session = receive(session, options.id, input, options.policies, (record) => {
        if (isMove(record)) moved = record;
        return 0;
      });
      steps.push({ session, moved });
    }
    this.#steps = steps;
  }

  get inputs(): readonly Input[] {
    return this.#inputs;
  }

  get policies(): Policies {
    return this.#options.policies;
  }

  /** The same inputs under other policies. */
  under(policies: Policies): SessionTrail {
    return new SessionTrail(this.#inputs, { ...this.#options, policies });
  }

  get arrival(): Arrival {
    return this.#arrive(this.#steps.at(-1) as Footstep);
  }

  /** What followed from the inputs, record by record. */
  records(): StepRecord[] {
    const { id, policies, until } = this.#options;
    const records: StepRecord[] = [];
    const emit = (record: StepRecord): number => records.push(record);
    let session: Session | undefined;
    for (const input of this.#inputs) session = receive(session, id, input, policies, emit);
    if (session !== undefined) advance(session, until, policies, emit);
    return records;
  }

  /** The session just before a moment (epoch ms) at which so many inputs had come. */
  before(inputs: number, at: number): Session | undefined {
    const { session } = this.#steps[inputs] as Footstep;
    return session && advance(session, at - 1, this.#options.policies, () => 0);
  }

  /** Where the session would have ended if after so many inputs these had come instead, or under other policies from there on. */
  instead(inputs: number, rest: readonly Input[], policies: Policies): Session | undefined {
    const { id, until } = this.#options;
    let { session } = this.#steps[inputs] as Footstep;
    for (const input of rest) session = receive(session, id, input, policies, () => 0);
    return session && advance(session, until, policies, () => 0);
  }

  /**
   * Leaves `size` inputs out from the `from`th on, for good, if the session still arrives.
   * @param isFine whether a record may be there: the first that may not ends the attempt
   * @param isThere whether it arrived as wanted
   */
  leaveOut(
    { from, size }: { readonly from: number; readonly size: number },
    isFine: (record: StepRecord) => boolean,
    isThere: (arrival: Arrival) => boolean,
  ): boolean {
    const { id, policies } = this.#options;
    const steps = this.#steps;
    const arrivedBy = (steps.at(-1) as Footstep).moved;
    let { session, moved } = steps[from] as Footstep;
    let isOver = false;
    const emit = (record: StepRecord): number => {
      if (isMove(record)) moved = record;
      if (!isFine(record)) isOver = true;
      return 0;
    };
    const anew: Footstep[] = [];
    for (let n = from + size; n < this.#inputs.length; n++) {
      session = receive(session, id, this.#inputs[n] as Input, policies, emit);
      if (isOver) return false;
      anew.push({ session, moved });
      const known = steps[n + 1] as Footstep;
      // If it moved since then, that is told by the steps that follow; if not, both must have come here alike.
      if ((known.moved !== arrivedBy || moved === arrivedBy) && isSameSession(session, known.session)) {
        this.#commit(from, size, [...anew, ...steps.slice(n + 2)]);
        return true;
      }
    }
    const arrival = this.#arrive({ session, moved }, emit);
    if (isOver || !isThere(arrival)) return false;
    this.#commit(from, size, anew);
    return true;
  }

  #commit(from: number, size: number, after: readonly Footstep[]): void {
    this.#inputs = this.#inputs.toSpliced(from, size);
    this.#steps = [...this.#steps.slice(0, from + 1), ...after];
  }

  #arrive({ session, moved }: Footstep, emit: (record: StepRecord) => number = () => 0): Arrival {
    let last = moved;
    const { policies, until } = this.#options;
    const arrived =
      session &&
      advance(session, until, policies, (record) => {
        if (isMove(record)) last = record;
        return emit(record);
      });
    return { session: arrived, moved: last };
  }
}

/** Whether two sessions would go the same way: everything but how many records and steps they have behind them. */
function isSameSession(one: Session | undefined, other: Session | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return (
    one.state === other.state &&
    one.asOf === other.asOf &&
    one.rulesHash === other.rulesHash &&
    one.restrictedAt === other.restrictedAt &&
    isSame(one.quarantine, other.quarantine) &&
    isSame(one.timers, other.timers) &&
    isSame(one.facts, other.facts)
  );
}
