/**
 * What the deployment will make of a session, known to the generator at once: so the simulated apps can answer what they will be
 * asked. It folds as a worker does, one session at a time and without a journal.
 */
import { type Policies, advance, applied, lift, versionInForce } from "../../machines/advance.js";
import type { Effect } from "../../machines/effects/catalogue.js";
import { type Occurrence, type StepRecord, newSession, step } from "../../machines/fold.js";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import { resolve } from "../../machines/policy/resolve.js";
import type { PinRules, Platform, Rules } from "../../machines/policy/rules.js";
import { type StateName, stateName } from "../../machines/session/context.js";
import { type Session, type SessionId, earliestTimer } from "../../machines/session/session.js";
import { DAY_START_MS, NOON_MS } from "./day.js";

export interface DayPolicies extends Policies {
  readonly rulesFor: (version: number, platform: Platform) => Rules;
}

/** The morning's catalogue is version 1, in force from the start of the day; the noon's is version 2. */
export function dayPolicies(morning: Catalogue, noon: Catalogue): DayPolicies {
  const rules = [morning, noon].map((catalogue) => ({
    ios: resolve(catalogue, { platform: "ios" }),
    android: resolve(catalogue, { platform: "android" }),
  }));
  const rulesFor: DayPolicies["rulesFor"] = (version, platform) => {
    const ofVersion = rules[version - 1];
    if (ofVersion === undefined) throw new RangeError("no policy is in force before the working day begins");
    return ofVersion[platform];
  };
  return {
    base: 0,
    broadcasts: [
      { version: 1, at: DAY_START_MS },
      { version: 2, at: NOON_MS },
    ],
    rulesFor,
    rules: (version, { facts }) => rulesFor(version, facts.platform),
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
  pinRules(at: number, platform: Platform): PinRules | null {
    return this.policies.rulesFor(versionInForce(this.policies, at), platform).pin;
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
    const { event, at } = occurrence;
    const version = versionInForce(this.policies, at);
    if (this.session === undefined) {
      if (event.type !== "account.signedIn") return;
      this.session = newSession(this.id, event.platform, this.policies.rulesFor(version, event.platform), at);
    } else {
      this.advance(at);
    }
    const session = applied(step(this.session, occurrence, this.policies.rules(version, this.session)), this.emit);
    this.session = session.quarantine === undefined ? lift(session, version, at, this.policies, this.emit) : session;
  }

  private readonly emit = (record: StepRecord): number => {
    if (record.effects.length > 0) this.effects.push(...record.effects);
    return ++this.records;
  };
}
