/** A file of events, folded as if it were everything that ever happened, by the events' own clock. */
import type { Policies } from "../../machines/advance.js";
import { advance } from "../../machines/advance.js";
import { receive } from "../../machines/receive.js";
import type { Session, SessionId } from "../../machines/session/session.js";
import type { StatePath } from "../../machines/session/context.js";
import { acceptEvent } from "../ingest/accept.js";
import type { Refusal } from "../ingest/refusal.js";

export interface FileReplayTotals {
  readonly events: number;
  /** Of them, about a user and so about no single session: they are left out. */
  readonly aboutUsers: number;
  readonly sessions: number;
}

export class FileReplay {
  readonly sessions = new Map<SessionId, Session>();
  #events = 0;
  #aboutUsers = 0;
  /** Like a partition's clock it never goes back. */
  #now = 0;

  constructor(
    private readonly tenant: string,
    private readonly policies: Policies,
  ) {}

  get totals(): FileReplayTotals {
    return { events: this.#events, aboutUsers: this.#aboutUsers, sessions: this.sessions.size };
  }

  /** @returns why the event can't be taken, if it can't */
  take(input: unknown): Refusal | undefined {
    const accepted = acceptEvent(input, this.tenant);
    if ("refusal" in accepted) return accepted.refusal;
    this.#events++;
    if ("userEvent" in accepted) {
      this.#aboutUsers++;
      return undefined;
    }
    for (const { session: id, event, source, id: eventId, time } of accepted.events) {
      this.#now = Math.max(this.#now, time);
      const at = this.#now;
      const origin = { source, id: eventId, time, entry: `${at}-0` };
      const session = receive(this.sessions.get(id), id, { event, at, origin }, this.policies, ignore);
      if (session !== undefined) this.sessions.set(id, session);
    }
    return undefined;
  }

  /** Where each session ends when the last event has happened. */
  ends(): ReadonlyMap<SessionId, StatePath> {
    return new Map(
      [...this.sessions].map(([id, session]) => [id, advance(session, this.#now, this.policies, ignore).state]),
    );
  }
}

const ignore = (): number => 0;
