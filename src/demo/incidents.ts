/** Ten people of the day who call the help desk because they can't get in: for whoever wants to find out why. */
import type { StepRecord } from "../../machines/step-record.js";
import { stateName } from "../../machines/session/context.js";
import type { SessionId } from "../../machines/session/session.js";
import { type StorylineName, cast, sessionIdOf } from "./cast.js";

export interface Incident {
  readonly session: SessionId;
  readonly complaint: string;
}

/** Whose session of the device, and what they say. The storyline is what is to be found out. */
const COMPLAINTS: readonly (readonly [storyline: StorylineName, user: 0 | 1, complaint: string])[] = [
  ["cannotUpdate", 0, "Since lunch I am signed out, and I changed nothing."],
  ["neverAnswers", 0, "I came back from a meeting and was signed out."],
  ["jailbreaks", 0, "It says my phone is not allowed any more."],
  ["losesPhone", 0, "My app is empty, everything is gone."],
  ["outOfReach", 0, "On the train it stopped letting me in."],
  ["switchesAccounts", 1, "I can't get into my second account."],
  ["isDisabled", 0, "I am locked out on my first day back."],
  ["isForcedOut", 0, "Somebody threw me out of the app."],
  ["handsOver", 0, "My colleague has my phone, and I am signed out."],
  ["forgetsPin", 0, "It wants my password, and then a new PIN."],
];

/** Always the same for a seed. Those of whom the fleet has none are left out. */
export function incidents(seed: number, devices: number): Incident[] {
  const firsts = new Map<StorylineName, Incident>();
  for (const { storyline, device, users } of cast(seed, devices)) {
    const found = COMPLAINTS.find(([name]) => name === storyline);
    if (found === undefined || firsts.has(storyline)) continue;
    const [, user, complaint] = found;
    firsts.set(storyline, { session: sessionIdOf(device, users[user]), complaint });
    if (firsts.size === COMPLAINTS.length) break;
  }
  return COMPLAINTS.flatMap(([name]) => firsts.get(name) ?? []);
}

const NO_ACCESS: ReadonlySet<string> = new Set(["noncompliant", "remediating", "signedOut"]);
const isKeptOut = ({ to = "active", event }: StepRecord): boolean =>
  NO_ACCESS.has(stateName(to)) || (to === "pinSetup" && event.type === "pin.rejected");

/** People call a while later, if they still can't get in. */
const PATIENCE_MS = 5 * 60_000;
const SHORTEST_MS = 30_000;

/**
 * When the person calls: a while after access was taken away, epoch ms; `undefined`: it never was.
 * @param records all of one session, oldest first
 */
export function callAt(records: readonly StepRecord[]): number | undefined {
  const moves = records.filter(
    ({ from, to }) => from !== undefined && to !== undefined && stateName(from) !== stateName(to),
  );
  for (const [n, move] of moves.entries()) {
    const { at } = move;
    const next = moves.slice(n + 1).find((later) => !isKeptOut(later));
    const lastsMs = (next?.at ?? Infinity) - at;
    if (!isKeptOut(move) || lastsMs < SHORTEST_MS) continue;
    return at + Math.min(PATIENCE_MS, Math.floor(lastsMs / 2));
  }
  return undefined;
}

/** The calls of the day, in their order. @param history of a session, oldest first */
export async function helpDesk(
  all: readonly Incident[],
  history: (session: SessionId) => Promise<readonly StepRecord[]>,
): Promise<readonly (Incident & { readonly at: number })[]> {
  const calls: (Incident & { readonly at: number })[] = [];
  for (const incident of all) {
    const at = callAt(await history(incident.session));
    if (at !== undefined) calls.push({ ...incident, at });
  }
  return calls.sort((a, b) => a.at - b.at);
}
