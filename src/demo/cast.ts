/**
 * Who takes part: one character a device, with a storyline for the day. Every hundred devices hold the same mix, so a storyline
 * is as frequent in a small fleet as in a large one.
 */
import { DEFAULT_APP } from "../ingest/cloud-event.js";
import { TENANT } from "./day.js";
import { Random } from "./random.js";

/** Storylines, and how many of every hundred devices live them. */
export const SHARES = {
  /** Signs in, chooses a PIN, works, gets used to the stricter rules at noon. */
  ordinary: 47,
  /** Below the operating system asked for at noon, and updates in time. */
  updatesInTime: 7,
  /** The same with a device that can't be updated. */
  cannotUpdate: 4,
  /** The same with nobody there to answer. */
  neverAnswers: 3,
  jailbreaks: 3,
  /** The service finds malware on the device; it is removed. */
  catchesMalware: 2,
  forgetsPin: 5,
  losesPhone: 2,
  /** Without a connection for longer than the offline grace. */
  outOfReach: 5,
  /** Adds a second account and later switches to it while it is out of compliance. */
  switchesAccounts: 4,
  /** Signs out at the end of the shift; a colleague signs in on the same device. */
  handsOver: 3,
  unlicensed: 2,
  losesLicense: 2,
  isDisabled: 1,
  changesPassword: 2,
  isForcedOut: 1,
  isDeniedByConditionalAccess: 3,
  /** Android without Company Portal; on iOS, an enrollment that needs a second try. */
  startsWithTrouble: 4,
} as const;
export type StorylineName = keyof typeof SHARES;

export interface Character {
  /** Position in the fleet, from 0. */
  readonly index: number;
  readonly storyline: StorylineName;
  readonly device: string;
  /** The person, and whoever else uses the device. */
  readonly users: readonly [string, string];
}

const NAMES = Object.keys(SHARES) as StorylineName[];
const DECK: readonly StorylineName[] = NAMES.flatMap((name) => Array.from({ length: SHARES[name] }, () => name));

/** The characters of a fleet, in order; the same seed always gives the same ones, whatever the size of the fleet. */
export function* cast(seed: number, devices: number): Generator<Character> {
  let deck: StorylineName[] = [];
  for (let index = 0; index < devices; index++) {
    const place = index % DECK.length;
    if (place === 0) deck = new Random(seed, "deck", index / DECK.length).shuffle([...DECK]);
    const ids = new Random(seed, "ids", index);
    const device = ids.guid();
    yield { index, storyline: deck[place] as StorylineName, device, users: [ids.guid(), ids.guid()] };
  }
}

/** `tenant/device/user/app`. */
export const sessionIdOf = (device: string, user: string): string => `${TENANT}/${device}/${user}/${DEFAULT_APP}`;
