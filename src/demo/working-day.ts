/**
 * A working day of a fleet, made up from a seed: people who react to what their apps show them, and the service, the
 * administrators and the threat defence around them. Pure: it reads no clock, and the same arguments give the same items, byte
 * for byte.
 */
import type { Catalogue } from "../../machines/policy/catalogue.js";
import { BadLines } from "./bad-lines.js";
import { type Character, cast } from "./cast.js";
import { DAY_END_MS, NOON_MS } from "./day.js";
import { type DayPolicies, dayPolicies } from "./mirror.js";
import { Person, type Script, arrivalOf } from "./person.js";
import { Schedule } from "./schedule.js";
import { STORYLINES } from "./storylines/storylines.js";
import { type Actor, type DemoItem, Wire } from "./wire.js";

export type { DemoEvent, DemoItem } from "./wire.js";

export interface WorkingDayOptions {
  /** A whole number, 0 or greater. */
  readonly seed: number;
  /** Devices in the fleet, from 1. Memory grows with them, never with the events. */
  readonly devices?: number;
  /** The catalogues in force from the start of the day and from noon on. */
  readonly policies: { readonly morning: Catalogue; readonly noon: Catalogue };
}

/**
 * About fifty events a device, in the order in which they are sent: an event's time is that moment, except for one that is sent
 * again and for one that was held up on its way. Exactly one item says when the noon's policies are published.
 */
export function* workingDay({ seed, devices = 2_000, policies }: WorkingDayOptions): Generator<DemoItem> {
  const schedule = new Schedule<Actor>();
  const wire = new Wire(seed, schedule);
  const rules = dayPolicies(policies.morning, policies.noon);
  for (const character of cast(seed, devices)) {
    schedule.add(arrivalOf(seed, character), new Performance(seed, character, rules, wire));
  }
  const badLines = new BadLines(devices, wire);
  schedule.add(badLines.nextAt, badLines);

  let published = false;
  for (let next = schedule.next(); next !== undefined && next.at < DAY_END_MS; next = schedule.next()) {
    if (!published && next.at >= NOON_MS) {
      published = true;
      yield { kind: "publish", at: NOON_MS };
    }
    const again = next.item.act(next.at);
    if (again !== null) schedule.add(again, next.item);
    for (const item of wire.takeItems()) yield item;
  }
}

/** A character living its storyline. */
class Performance implements Actor {
  private person: Person | undefined;
  private script: Script | undefined;

  constructor(
    private readonly seed: number,
    private readonly character: Character,
    private readonly policies: DayPolicies,
    private readonly wire: Wire,
  ) {}

  act(now: number): number | null {
    this.person ??= new Person(this.seed, this.character, this.policies, this.wire);
    this.script ??= STORYLINES[this.character.storyline](this.person);
    this.person.phone.now = now;
    const { done, value } = this.script.next();
    return done === true ? null : value;
  }
}
