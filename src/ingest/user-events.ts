/**
 * The events about users of one call of ingest: each changes its user's record, one after the other, and is then told to the user's
 * sessions. With the record it is accepted: who could not be told now is told later, and decisions ask the record anyway.
 */
import { changeUser } from "../../machines/users/user-record.js";
import { StoreUnavailableError } from "../errors.js";
import { fingerprint } from "../store/session-key.js";
import { tellLate, tellSessions } from "../users/fan-out.js";
import type { AcceptedUserEvent } from "./accept.js";
import type { IngestResult, IngestTarget, Unknown } from "./ingest.js";

interface Turn {
  /** Ends with what came before it of the same user; with an answer if that is in doubt. */
  readonly before: Promise<Unknown | undefined>;
  readonly end: (doubt: Unknown | undefined) => void;
}

export class UserEvents {
  private readonly turns = new Map<AcceptedUserEvent, Turn>();
  private readonly last = new Map<string, Promise<Unknown | undefined>>();

  constructor(
    private readonly target: IngestTarget,
    private readonly tenant: string,
  ) {}

  /** In the order in which they were sent, before any is taken. */
  expect(event: AcceptedUserEvent): void {
    const before = this.last.get(event.user) ?? Promise.resolve(undefined);
    let end: Turn["end"] = () => undefined;
    this.last.set(event.user, new Promise((resolve) => (end = resolve)));
    this.turns.set(event, { before, end });
  }

  /**
   * Takes an event that was expected, after those that were sent before it of the same user.
   * @param unsent why it must not be sent
   */
  async take(event: AcceptedUserEvent, unsent?: Unknown): Promise<IngestResult> {
    const { before, end } = this.turns.get(event) as Turn;
    let doubt: Unknown | undefined;
    try {
      doubt = unsent ?? (await before);
      if (doubt !== undefined) return doubt;
      const answer = await this.change(event);
      if (answer.status === "unknown") doubt = notSentAfter(answer.error);
      return answer;
    } finally {
      end(doubt);
    }
  }

  private async change({ user, event, source, id, time }: AcceptedUserEvent): Promise<IngestResult> {
    const { tenant, target } = this;
    const told = { source, id, event };
    try {
      const changed = await target.users.change({
        tenant,
        user,
        next: (record, at) => changeUser(record, event, time, at),
        told,
        time,
        fingerprint: fingerprint(tenant, source, id, JSON.stringify([user, time, event])),
      });
      if (changed.status === "duplicate" || changed.status === "conflict") return { status: changed.status };
      await this.tell(
        changed.status === "unchanged"
          ? () => tellLate(target, { tenant, user }, { ...told, time })
          : () => (changed.due === null ? Promise.resolve(0) : tellSessions(target, changed.due)),
      );
      return { status: "accepted" };
    } catch (error) {
      if (!(error instanceof StoreUnavailableError)) throw error;
      return { status: "unknown", error };
    }
  }

  private async tell(tellAll: () => Promise<unknown>): Promise<void> {
    try {
      await tellAll();
    } catch (error) {
      // The note stands in the user store, and the sweep goes on with it.
      if (!(error instanceof StoreUnavailableError)) throw error;
    }
  }
}

function notSentAfter(cause: StoreUnavailableError): Unknown {
  const message = "not sent, because an earlier event about the same user failed";
  return { status: "unknown", error: new StoreUnavailableError(message, { cause, outcomeUnknown: false }) };
}
