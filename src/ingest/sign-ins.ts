/**
 * The sign-ins of one call of ingest, and what their sessions must know of their users. A session is put into its user's index before the
 * sign-in is appended, and the record is looked at once more after: so whatever changes meanwhile, the session is told by one or the other.
 */
import type { UserRecord } from "../../machines/users/user-record.js";
import { StoreUnavailableError } from "../errors.js";
import type { Append } from "../store/partition-store.js";
import { type SessionAppend, appendByDevice, recordAppend } from "../users/fan-out.js";
import { MAX_USERS } from "../users/user-store.js";
import type { AcceptedEvent } from "./accept.js";
import type { IngestTarget, Unknown } from "./ingest.js";
import { sessionIdParts } from "../../machines/session/session.js";

export const isSignIn = ({ event }: AcceptedEvent): boolean => event.type === "account.signedIn";

export class SignIns {
  private readonly expected: AcceptedEvent[] = [];
  private joining: Promise<void> | undefined;
  private readonly records = new Map<AcceptedEvent, UserRecord | undefined>();
  private readonly stored: AcceptedEvent[] = [];

  constructor(
    private readonly target: IngestTarget,
    private readonly tenant: string,
  ) {}

  /** Before the first `joined`. */
  expect(signIn: AcceptedEvent): void {
    this.expected.push(signIn);
  }

  /**
   * Resolves when every expected session stands in its user's index: one round trip for all of them.
   * @throws StoreUnavailableError: then no sign-in may be appended
   */
  joined(): Promise<void> {
    this.joining ??= this.join();
    return this.joining;
  }

  /** What is to be appended right after the sign-in; `undefined`: nothing was known of the user, or it is no sign-in. */
  recordAppend(event: AcceptedEvent): Append | undefined {
    const record = this.records.get(event);
    return record && this.append(event, record);
  }

  /** It stands in the inbox. Of one that is in doubt nothing more may be told: what comes before its sign-in would be forgotten at it. */
  isStored(event: AcceptedEvent): void {
    this.stored.push(event);
  }

  /**
   * Tells those that are stored, and whose users changed since they joined, until nothing changed since they were last told: a change may
   * reach a session before the record that it builds on.
   * @returns why that could not be done
   */
  async catchUp(): Promise<Unknown | undefined> {
    try {
      for (let left: readonly AcceptedEvent[] = this.stored; left.length > 0;) left = await this.tellNewer(left);
      return undefined;
    } catch (cause) {
      if (!(cause instanceof StoreUnavailableError)) throw cause;
      const message = "the sign-in was stored, but whether its session knows all of its user can't be told";
      return { status: "unknown", error: new StoreUnavailableError(message, { cause, outcomeUnknown: true }) };
    }
  }

  /** @returns those that were told something */
  private async tellNewer(events: readonly AcceptedEvent[]): Promise<AcceptedEvent[]> {
    const told: AcceptedEvent[] = [];
    const late: SessionAppend[] = [];
    for (const some of slices(events)) {
      const records = await this.target.users.readMany(this.tenant, some.map(userOf));
      for (const [n, event] of some.entries()) {
        const record = records[n];
        if (record === undefined || record.version === this.records.get(event)?.version) continue;
        this.records.set(event, record);
        told.push(event);
        late.push({ device: event.device, append: this.append(event, record) });
      }
    }
    if (late.length > 0) await appendByDevice(this.target, this.tenant, late);
    return told;
  }

  private async join(): Promise<void> {
    for (const some of slices(this.expected)) {
      const sessions = some.map(({ session }) => sessionIdParts(session));
      let records: (UserRecord | undefined)[];
      try {
        records = await this.target.users.join(this.tenant, sessions);
      } catch (cause) {
        if (!(cause instanceof StoreUnavailableError)) throw cause;
        // The index may have the sessions by now, which does no harm; the events were not sent.
        const message = "not sent, because the session could not be put among those of its user";
        throw new StoreUnavailableError(message, { cause, outcomeUnknown: false });
      }
      some.forEach((event, n) => this.records.set(event, records[n]));
    }
  }

  private append(event: AcceptedEvent, record: UserRecord): Append {
    const { session, source, id, time } = event;
    return recordAppend(this.tenant, session, record, time, `signedIn ${source.length}:${source}${id}`);
  }
}

const userOf = ({ session }: AcceptedEvent): string => sessionIdParts(session).user;

function* slices(all: readonly AcceptedEvent[]): Generator<readonly AcceptedEvent[]> {
  for (let from = 0; from < all.length; from += MAX_USERS) yield all.slice(from, from + MAX_USERS);
}
