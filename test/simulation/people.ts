/**
 * Those who use what is simulated: devices that tell one thing after the other, each again until it is answered, and ask for access; and
 * an administrator. Each answer about access is held against what was accepted by then.
 */
import type { SessionEvent } from "../../machines/events/catalogue.js";
import type { RulesOf } from "../../machines/fold-batch.js";
import type { Session } from "../../machines/session/session.js";
import { isUserEvent } from "../../machines/users/user-record.js";
import type { InboxEntry } from "../../src/store/partition-store.js";
import { partitionOf } from "../../src/store/session-key.js";
import { type ChaosEvent, Oracle } from "../chaos/oracle.js";
import { dataOf, nextEvent } from "../chaos/world.js";
import { Random } from "../../src/demo/random.js";
import type { Fleet, Truth } from "./fleet.js";
import { rightDecision } from "./model.js";
import type { Process } from "./network.js";
import type { Action, Script } from "./script.js";
import { START_MS, type Server } from "./server.js";
import type { VirtualTime } from "./virtual-time.js";
import type { Broken } from "./violations.js";
import { PARTITIONS, SESSIONS, TENANT, type Who, drawEvents, rulesBy } from "./world.js";

export const SOURCE = "app://simulation";

/** A device gives up waiting for an answer after so long, and tells it again. */
const PATIENCE_MS = 4_000;
const AGAIN_AFTER_MS = 150;

type Tell = Extract<Action, { do: "tell" }>;

export interface PeopleOptions {
  readonly script: Script;
  readonly time: VirtualTime;
  readonly fleet: Fleet;
  readonly server: Server;
  readonly rulesOf: RulesOf;
  readonly broken: Broken;
}

export class People {
  /** Ids of the events that each device was told were accepted, in the order in which it told them. */
  readonly accepted = new Map<string, string[]>();
  /** The oracle's words for the events of an `oracle` life, by id. */
  readonly chaosEvents = new Map<string, ChaosEvent>();
  /** The events that were drawn for the script's actions. */
  readonly #drawn = new Map<Action, readonly SessionEvent[]>();
  asked = 0;
  /** Answered `deny` although what was accepted gives another answer: the doubt that faults make. */
  doubts = 0;
  #busy = 0;
  #ids = 0;

  constructor(private readonly options: PeopleOptions) {}

  get isDone(): boolean {
    return this.#busy === 0;
  }

  /** The script's actions with the events that were drawn for them: to be run again whatever else is left out. */
  get played(): readonly Action[] {
    return this.options.script.actions.map((action) => {
      const events = this.#drawn.get(action);
      return action.do === "tell" && events !== undefined ? { ...action, events } : action;
    });
  }

  start(): void {
    const queues = new Map<string, Action[]>();
    for (const action of this.options.script.actions) {
      if (action.do === "wait") continue;
      const who = "session" in action ? this.#who(action.session).device : "administrator";
      queues.set(who, [...(queues.get(who) ?? []), action]);
    }
    for (const queue of queues.values()) void this.#live(queue);
  }

  /** What the oracle says of a session that these entries were accepted for. */
  oracleOf(entries: readonly InboxEntry[]): Oracle {
    const oracle = new Oracle();
    for (const event of this.#chaosEventsOf(entries)) oracle.take(event);
    return oracle;
  }

  async #live(queue: readonly Action[]): Promise<void> {
    const { time } = this.options;
    this.#busy++;
    for (const action of queue) {
      if (time.now < action.at) await time.sleep(action.at - time.now);
      if (action.do === "tell") await this.#tell(action);
      else if (action.do === "ask") await this.#ask(action);
      else if (action.do === "publish") await this.#publish(action);
    }
    this.#busy--;
  }

  async #tell(action: Tell): Promise<void> {
    const { time, fleet, broken } = this.options;
    const who = this.#who(action.session);
    const [events, chaos] = this.#events(action, who);
    this.#drawn.set(action, events);
    const at = new Date(START_MS + Math.floor(time.now) - (action.lateMs ?? 0)).toISOString();
    const told = events.map(({ type, ...data }, n) => {
      const id = `e${++this.#ids}`;
      const event = chaos[n];
      if (event !== undefined) this.chaosEvents.set(id, event);
      return { specversion: "1.0", id, source: SOURCE, type, subject: `${who.device}/${who.user}`, time: at, data };
    });
    for (let tries = 0; ; tries++) {
      const report = await this.#within(action.api + tries, (api) => fleet.emit(api, told));
      if (report !== undefined && report.results.every(({ status }) => status !== "unknown")) {
        for (const [n, { id }] of told.entries()) {
          const result = report.results[n];
          if (result?.status === "refused")
            broken("P1", `${told[n]?.type} was refused: ${JSON.stringify(result.refusal)}`);
          else if (result?.status === "conflict") broken("P1", `${told[n]?.type} ${id} was taken for another event`);
          else this.#note(who.device, id, events[n] as SessionEvent);
        }
        return;
      }
      await time.sleep(AGAIN_AFTER_MS);
    }
  }

  #note(device: string, id: string, event: SessionEvent): void {
    // What concerns a user is told to sessions of other devices, too, and has no place of its own among a device's events.
    if (isUserEvent(event)) return;
    const ids = event.type === "account.switched" ? [`${id}#from`, `${id}#to`] : [id];
    this.accepted.set(device, [...(this.accepted.get(device) ?? []), ...ids]);
  }

  #chaosEventsOf(entries: readonly InboxEntry[]): ChaosEvent[] {
    return entries.flatMap(({ body }) => this.chaosEvents.get((JSON.parse(body) as { readonly i: string }).i) ?? []);
  }

  #events({ events, draws }: Tell, who: Who): [readonly SessionEvent[], readonly ChaosEvent[]] {
    const { script, server } = this.options;
    const model = server.model(partitionOf(TENANT, who.device, PARTITIONS));
    if (script.life === "wide") {
      if (events !== undefined) return [events, []];
      const session = model.sessions.get(who.id);
      return [drawEvents(draws, session, this.#rules(who, session), who), []];
    }
    if (events !== undefined) return [events, events.map(chaosEventOf)];
    const before = this.#chaosEventsOf(model.entriesOf(who.id));
    const oracle = new Oracle();
    for (const event of before) oracle.take(event);
    let wipe = before.findLast((event) => event.type === "wipe.requested")?.requestId;
    const chaos = draws.map((draw) => {
      const random = new Random(draw, "behaviour");
      const event = nextEvent(
        oracle.state,
        () => random.uint32() / 2 ** 32,
        () => `wipe-${draw}`,
        wipe,
      );
      oracle.take(event);
      if (event.type === "wipe.requested") wipe = event.requestId;
      return event;
    });
    return [chaos.map((event) => ({ type: event.type, ...dataOf(event) }) as SessionEvent), chaos];
  }

  #rules(who: Who, session: Session | undefined) {
    const { fleet } = this.options;
    return rulesBy(
      fleet.catalogues.contents.at(-1),
      session ?? ({ id: who.id, facts: { platform: who.platform } } as Session),
    );
  }

  async #ask({ session, api }: Extract<Action, { do: "ask" }>): Promise<void> {
    const { fleet, broken, rulesOf, script } = this.options;
    const who = this.#who(session);
    const truth: Truth = {};
    let isInDoubt = false;
    const decision = await this.#within(api, (process) => fleet.ask(process, who, truth, () => (isInDoubt = true)));
    if (decision === undefined) return;
    this.asked++;
    const { known, record, recordWasRead } = truth;
    const right = known && rightDecision(who.id, known, record, rulesOf);
    const isSeen = known !== undefined && recordWasRead === true;
    if (decision.decision === "allow" && (!isSeen || right?.decision !== "allow")) {
      broken(
        "P7",
        `${who.id} is let in, where it should be: ${right?.decision ?? "deny"} ${right?.reasons.join(" ") ?? ""}`,
      );
    } else if (isInDoubt || !isSeen) this.doubts++;
    else if (isSeen && right !== undefined) {
      const [is, should] = [decision, right].map(
        (one) => `${one.decision} ${one.reasons.join(" ")} until ${one.validUntil} revision ${one.revision}`,
      );
      if (is !== should) broken("P6", `${who.id} is answered: ${is}, and not: ${should}`);
    }
    if (script.life === "oracle" && known !== undefined && decision.decision === "allow") {
      const { state, hasAccess } = this.oracleOf(known.entries);
      if (!hasAccess) broken("P7", `${who.id} is let in, and the oracle has it in ${state}`);
    }
  }

  async #publish({ content, api }: Extract<Action, { do: "publish" }>): Promise<void> {
    // Who was not answered does not know whether it is published, and leaves it at that.
    await this.#within(api, (process) => this.options.fleet.publish(process, content));
  }

  /** @returns `undefined`: there was no answer in time, or the store could not be reached */
  async #within<Answer>(api: number, work: (process: Process) => Promise<Answer>): Promise<Answer | undefined> {
    const { time, fleet } = this.options;
    const process = fleet.apis[api % fleet.apis.length] as Process;
    if (!process.isUp) return undefined;
    const { life } = process;
    const answer = new Promise<Answer | undefined>((resolve) => {
      process.do(life, () => {
        work(process).then(resolve, () => resolve(undefined));
      });
      time.after(PATIENCE_MS, () => resolve(undefined));
    });
    return answer;
  }

  #who(session: number): Who {
    return SESSIONS[session] as Who;
  }
}

/** Of an event that a played script holds. */
function chaosEventOf(event: SessionEvent): ChaosEvent {
  switch (event.type) {
    case "posture.reported":
      return { type: event.type, systemIsOld: event.osVersion === "16.7" };
    case "compliance.evaluated":
      return { type: event.type, compliant: event.verdict === "compliant" };
    default:
      return event as unknown as ChaosEvent;
  }
}
