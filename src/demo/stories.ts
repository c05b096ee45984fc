/** A session's records as a story for a reader: what happened and when, why, and what the person saw. */
import type { Decision } from "../../machines/decision.js";
import type { Effect } from "../../machines/effects/catalogue.js";
import { messageText } from "../../machines/effects/messages.js";
import type { EventType } from "../../machines/events/catalogue.js";
import type { StepRecord } from "../../machines/step-record.js";
import type { StatePath } from "../../machines/session/context.js";
import type { Session, SessionId } from "../../machines/session/session.js";
import { type StorylineName, cast, sessionIdOf } from "./cast.js";
import { STATE_WORDS, eventWords } from "../sessions/plain-words.js";

/**
 * One line a turn of the story, each beginning with its time (UTC); the comings and goings between two turns are counted in one line.
 * What the person saw follows in lines of its own, indented.
 * @param records all of one session, oldest first
 */
export function tellStory(records: readonly StepRecord[], final: Session, decision: Decision): string[] {
  const lines: string[] = [];
  let routine: StepRecord[] = [];
  const tellRoutine = () => {
    lines.push(...routineLine(routine));
    routine = [];
  };
  for (const record of records) {
    if (isRoutine(record)) {
      routine.push(record);
      continue;
    }
    tellRoutine();
    lines.push(`${clock(record.at)}  ${turn(record)}`, ...shown(record.effects));
  }
  tellRoutine();
  lines.push(
    `${clock(decision.asOf)}  In the end: ${STATE_WORDS[final.state]}; the decision is ${decision.decision} (${decision.reasons.join(", ")}).`,
    sees(decision.message.text),
  );
  return lines;
}

export interface StoryPick {
  readonly session: SessionId;
  readonly title: string;
}

/** Storylines worth telling, the best first, and whose session of the device to tell. */
const WORTH_TELLING: readonly (readonly [storyline: StorylineName, title: string, user: 0 | 1])[] = [
  ["cannotUpdate", "A device too old for the noon's rules", 0],
  ["switchesAccounts", "A second account, out of compliance, and a switch to it", 1],
  ["losesPhone", "A lost phone", 0],
  ["forgetsPin", "A forgotten PIN", 0],
  ["outOfReach", "Hours without a connection", 0],
  ["jailbreaks", "A jailbroken device", 0],
  ["updatesInTime", "An update in time", 0],
  ["ordinary", "An ordinary day", 0],
];

/** Three sessions of the day with a good story, of different storylines; fewer if the fleet has no more. Always the same for a seed. */
export function pickStories(seed: number, devices: number): StoryPick[] {
  const firsts = new Map<StorylineName, StoryPick>();
  for (const { storyline, device, users } of cast(seed, devices)) {
    const worth = WORTH_TELLING.find(([name]) => name === storyline);
    if (worth === undefined || firsts.has(storyline)) continue;
    const [, title, user] = worth;
    firsts.set(storyline, { session: sessionIdOf(device, users[user]), title });
    if (firsts.size === WORTH_TELLING.length) break;
  }
  return WORTH_TELLING.flatMap(([name]) => firsts.get(name) ?? []).slice(0, 3);
}

/** What happens so often that it is only counted. */
const ROUTINE: ReadonlySet<EventType> = new Set<EventType>([
  "access.recheckDue",
  "app.backgrounded",
  "app.foregrounded",
  "app.launched",
  "biometric.timedOut",
  "biometrics.changed",
  "checkin.succeeded",
  "connectivity.lost",
  "connectivity.restored",
  "device.rebooted",
  "pin.rejected",
  "pin.verified",
  "posture.reported",
]);

function isRoutine({ event, outcome, from, to }: StepRecord): boolean {
  if (outcome === "stale" || outcome === "quarantined" || !ROUTINE.has(event.type)) return false;
  return from === to || (isOpenOrLocked(from) && isOpenOrLocked(to));
}

const isOpenOrLocked = (state: StatePath | undefined): boolean => state === "active" || state === "locked";

function routineLine(records: readonly StepRecord[]): string[] {
  const count = (one: string, many: string, ...types: readonly EventType[]): string[] => {
    const times = records.filter(({ event, outcome }) => outcome === "applied" && types.includes(event.type)).length;
    return times === 0 ? [] : [`${times} ${times === 1 ? one : many}`];
  };
  const counted = [
    ...count("visit to the app", "visits to the app", "app.foregrounded", "app.launched"),
    ...count("unlock", "unlocks", "pin.verified"),
    ...count("wrong PIN", "wrong PINs", "pin.rejected"),
    ...count("check-in", "check-ins", "checkin.succeeded"),
    ...count("report of the device", "reports of the device", "posture.reported"),
  ];
  const [first, last] = [records[0], records.at(-1)];
  if (first === undefined || last === undefined || counted.length === 0) return [];
  const until = first === last ? "" : `, until ${clock(last.at)}`;
  return [`${clock(first.at)}  ${counted.join(", ")}${until}.`];
}

function turn({ event, outcome, reason, from, to, changed, effects }: StepRecord): string {
  const happened = capitalised(eventWords(event));
  if (outcome === "stale") return `${happened}, but the news comes late and is not applied: it is ${reason}.`;
  if (outcome !== "applied") return `${happened}; that changes nothing (${reason}).`;
  if (to === undefined || from === to) return `${happened}.`;
  const cause = typeof changed?.["cause"] === "string" ? [`cause: ${changed["cause"]}`] : [];
  const why = [...cause, ...effects.flatMap(reasons)];
  return `${happened} → ${STATE_WORDS[to]}${why.length === 0 ? "" : ` (${why.join("; ")})`}.`;
}

/** What an effect says of the reason for a change. */
function reasons({ type, data }: Effect): string[] {
  switch (type) {
    case "notify": {
      const { expected, actual } = data.data;
      return data.key.startsWith("blocked.") && expected !== undefined ? [`expected ${expected}, is ${actual}`] : [];
    }
    case "signOut":
      return [`reason: ${data.reason}`];
    case "wipe":
      return [`data removed: ${data.why}`];
    default:
      return [];
  }
}

/** What the person is shown, each text once. */
function shown(effects: readonly Effect[]): string[] {
  const texts = effects.flatMap((effect): string[] => {
    if (effect.type === "notify") return [messageText(effect.data.key, effect.data.data)];
    if (effect.type === "signOut") return [messageText(effect.data.messageKey)];
    if (effect.type === "promptCredentials") return [messageText("credentialsEnter")];
    return [];
  });
  return [...new Set(texts)].map(sees);
}

const sees = (text: string): string => `          The person sees: “${text}”`;

const clock = (at: number): string => new Date(at).toISOString().slice(11, 19);

const capitalised = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
