/**
 * What the deployment will make of a session, known to the generator at once: so the simulated apps can answer what they will be
 * asked. It folds as a worker does, one session at a time and without a journal.
 */
import { type Policies, advance, versionInForce } from "../../machines/advance.js";
import type { Effect } from "../../machines/effects/catalogue.js";
import type { Occurrence, StepRecord } from "../../machines/step-record.js";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import { Resolver } from "../../machines/policy/resolver.js";
import type { PinRules } from "../../machines/policy/rules.js";
import { receive } from "../../machines/receive.js";
import { type StateName, stateName } from "../../machines/session/context.js";
import { type Session, type SessionId, earliestTimer, resolveFacts } from "../../machines/session/session.js";
import { DAY_START_MS, NOON_MS } from "./day.js";

export type DayPolicies = Policies;

/** The morning's catalogue is version 1, in force from the start of the day; the noon's is version 2. */
export function dayPolicies(morning: Catalogue, noon: Catalogue): DayPolicies {
  const resolvers = [morning, noon].map((catalogue) => new Resolver(catalogue));
  return {
    base: 0,
    broadcasts: [
      { version: 1, at: DAY_START_MS },
      { version: 2, at: NOON_MS },
    ],
    rules: (version, session) => {
      const resolver = resolvers[version - 1];
      if (resolver === undefined) throw new RangeError("no policy is in force before the working day begins");
      return resolver.rules(resolveFacts(session));
    },
  };
}

export class Mirror {
  private session: Session | undefined;
  private effects: Effect[] = [];
  private records = 0;

  constructor(
    private readonly id: SessionId,
    private readonly policies: DayPolicies,
  ) {}

  /** `undefined`: nobody has signed in yet. */
  get state(): StateName | undefined {
    return this.session && stateName(this.session.state);
  }

  /** Epoch ms; `null`: none is armed. */
  get nextDeadline(): number | null {
    return this.session === undefined ? null : earliestTimer(this.session);
  }

  /** The rules for a PIN as the app knows them; `null`: none is asked for. */
  pinRules(at: number): PinRules | null {
    return this.session === undefined ? null : this.policies.rules(versionInForce(this.policies, at), this.session).pin;
  }

  /** What was asked of the app and the person since the last call. */
  takeEffects(): readonly Effect[] {
    const { effects } = this;
    if (effects.length > 0) this.effects = [];
    return effects;
  }

  /** @param to epoch ms */
  advance(to: number): void {
    if (this.session !== undefined) this.session = advance(this.session, to, this.policies, this.emit);
  }

  /** Times never go back from one call to the next. */
  accept(occurrence: Occurrence): void {
    this.session = receive(this.session, this.id, occurrence, this.policies, this.emit);
  }

  private readonly emit = (record: StepRecord): number => {
    if (record.effects.length > 0) this.effects.push(...record.effects);
    return ++this.records;
  };
}
