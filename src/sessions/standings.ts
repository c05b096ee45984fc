/**
 * What keeps sessions out, for whoever reads journals in order: a record tells what changed with it, so what it leaves as it was stands in an
 * earlier one. That is looked up once for each session, and learnt from every record thereafter.
 */
import type { JournalRecord } from "../../machines/outcome.js";
import type { SessionId } from "../../machines/session/session.js";
import { isTombstone } from "../store/journal-chain.js";
import type { JournalReader } from "./history.js";
import type { Standing } from "./transition.js";

/** Sessions of a partition of which it is remembered; of others it is looked up again. */
const KEPT = 1_000;
/** How far back a session's own records are looked through. */
const LOOKED_BACK = 64;

/** `null`: there is none. Absent: it is not known. */
export type Known = { readonly [Fact in keyof Standing]?: Standing[Fact] | null };

/** Of one partition. */
export class Standings {
  private readonly known = new Map<SessionId, Known>();

  constructor(
    private readonly journal: JournalReader,
    private readonly partition: number,
  ) {}

  /** Takes the records one after the other. @returns what is known after this one */
  learn({ session, changed, previous }: JournalRecord): Known {
    const before = previous === undefined ? { cause: null, signOutReason: null } : this.known.get(session);
    const after = { ...before, ...pick(changed) };
    this.keep(session, after);
    return after;
  }

  /**
   * @param known after the record, as it was learnt
   * @throws StoreUnavailableError, and what reading an archive throws
   */
  async after(record: JournalRecord, known: Known): Promise<Standing> {
    const told = known.cause === undefined ? await this.lookUp(record, known) : known;
    const { cause, signOutReason } = told;
    return { ...(cause && { cause }), ...(signOutReason && { signOutReason }) };
  }

  /** Records were passed over, or will come again. */
  forget(): void {
    this.known.clear();
  }

  private async lookUp({ session, previous }: JournalRecord, known: Known): Promise<Known> {
    let told = known;
    let seq = previous;
    for (let n = 0; told.cause === undefined && seq !== undefined && n < LOOKED_BACK; n++) {
      const [entry] = await this.journal.records(this.partition, [seq]);
      if (entry === null || entry === undefined || isTombstone(entry)) break;
      const earlier = JSON.parse(entry.body) as JournalRecord;
      told = { ...pick(earlier.changed), ...told };
      seq = earlier.previous;
    }
    const found: Known = { cause: null, signOutReason: null, ...told };
    // What later records changed has been learnt meanwhile, and counts more.
    this.keep(session, { ...found, ...this.known.get(session) });
    return found;
  }

  private keep(session: SessionId, known: Known): void {
    this.known.delete(session);
    this.known.set(session, known);
    if (this.known.size > KEPT) this.known.delete(this.known.keys().next().value as SessionId);
  }
}

function pick(changed: JournalRecord["changed"] = {}): Known {
  return {
    ...("cause" in changed && { cause: changed["cause"] as Known["cause"] }),
    ...("signOutReason" in changed && { signOutReason: changed["signOutReason"] as Known["signOutReason"] }),
  } as Known;
}
