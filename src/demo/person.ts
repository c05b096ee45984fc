/** Who holds a device: habits, and how this person meets what the app asks. Storylines change these as the day goes on. */
import type { EnrollmentResult } from "../../machines/events/enrollment.js";
import type { Posture } from "../../machines/policy/posture.js";
import type { Character, StorylineName } from "./cast.js";
import { HOUR_MS, MINUTE_MS, at } from "./day.js";
import { postureOf } from "./device.js";
import type { DayPolicies } from "./mirror.js";
import { Phone } from "./phone.js";
import { Random } from "./random.js";
import type { Wire } from "./wire.js";

/** What comes of a remediation attempt: the person puts it right, can't, or nobody answers. */
export type RemediationManner = "complies" | "fails" | "silent";

/** A part of a day. Yields when it wants to go on, epoch ms. */
export type Script = Generator<number, void, void>;

const OUTDATED: ReadonlySet<StorylineName> = new Set<StorylineName>(["updatesInTime", "cannotUpdate", "neverAnswers"]);

export class Person {
  readonly random: Random;
  readonly phone: Phone;
  readonly leavesAt: number;
  posture: Posture;

  /** Below the operating system that is asked for at noon. */
  isOutdated: boolean;

  /** What the next enrollments come to; when they run out, success. */
  readonly enrollments: EnrollmentResult[] = [];
  remediation: RemediationManner = "complies";
  hasForgottenPin = false;
  failsSignIn = false;
  readonly usesBiometrics: boolean;
  /** Digits more than the rules ask for. */
  readonly extraPinLength: number;
  /** The last attempt that was not answered. */
  unanswered: string | undefined;

  constructor(seed: number, character: Character, policies: DayPolicies, wire: Wire) {
    this.random = new Random(seed, "behaviour", character.index);
    const platform = this.random.chance(0.55) ? "ios" : "android";
    this.isOutdated = OUTDATED.has(character.storyline);
    this.phone = new Phone(character, platform, policies, wire);
    this.posture = postureOf(platform, this.isOutdated ? "outdated" : "current", this.random);
    this.leavesAt = this.random.between(at(16, 15), at(18, 55));
    this.usesBiometrics = this.random.chance(0.7);
    this.extraPinLength = this.random.chance(0.1) ? 2 : 0;
  }

  /** A moment between `least` and `most` ms from now, epoch ms. */
  in(least: number, most: number): number {
    return this.phone.now + this.random.between(least, most);
  }

  inMinutes(least: number, most: number): number {
    return this.in(least * MINUTE_MS, most * MINUTE_MS);
  }

  /** A moment between two hours of the day, such as 9.5 for half past nine; now, if it has passed. */
  between(earliest: number, latest: number): number {
    const moment = at(0) + this.random.between(earliest * HOUR_MS, latest * HOUR_MS);
    return Math.max(this.phone.now, moment);
  }
}

/** When the first sign-in of a device is, epoch ms: most come around eight. */
export function arrivalOf(seed: number, { index }: Character): number {
  const random = new Random(seed, "arrival", index);
  return at(7) + random.between(0, 75 * MINUTE_MS) + random.between(0, 75 * MINUTE_MS);
}
