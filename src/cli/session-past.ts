/** What was recorded of a session, from wherever it is: the deployment, the archive where that has no more, or the archive alone. */
import type { SessionId } from "../../machines/session/session.js";
import { readerOf } from "../replay/journal-source.js";
import { type History, readHistory } from "../sessions/history.js";
import { look } from "../sessions/look.js";
import { NotFoundError } from "./failure.js";
import type { OpenJournal } from "./journal-run.js";
import { shortId } from "./options.js";
import { readable } from "./session.js";
import { note } from "./terminal.js";

export interface Past extends History {
  readonly partition: number;
  /** Accepted events that no worker has processed yet. */
  readonly waiting: number;
  /** Up to when it tells, epoch ms. */
  readonly now: number;
}

/**
 * @param limit records at most, the newest ones; default: all
 * @throws NotFoundError, StoreUnavailableError, ArchiveFileError, ArchiveDamagedError
 */
export async function pastOf({ source, deployment }: OpenJournal, id: SessionId, limit?: number): Promise<Past> {
  const { archive } = source;
  let gone: NotFoundError | undefined;
  if (deployment !== undefined) {
    try {
      const { partition, waiting, lastRecord, now } = readable(id, await look(deployment, id));
      return { partition, waiting, now, ...(await readHistory(readerOf(source), partition, lastRecord, { limit })) };
    } catch (error) {
      if (archive === undefined || !(error instanceof NotFoundError)) throw error;
      gone = error;
    }
  }
  const archived = (await archive?.history(id, undefined, limit)) ?? { records: [] };
  if (archived.records.length === 0) throw gone ?? new NotFoundError(`nothing is archived of ${shortId(id)}`);
  if (gone !== undefined) note(`(${gone.message}: this is what is archived)`);
  const now = archived.records.at(-1)?.at ?? 0;
  return { partition: archive?.partitionOf(id) ?? 0, waiting: 0, now, ...archived };
}

/** @throws NotFoundError if there is no record of it yet */
export function requireRecords(id: SessionId, { records, cut, erased }: History): void {
  if (records.length > 0 || cut !== undefined || erased !== undefined) return;
  throw new NotFoundError(`no worker has processed anything of ${id} yet`, {
    fix: "See that one runs (`gatehouse health`), then ask again.",
  });
}
