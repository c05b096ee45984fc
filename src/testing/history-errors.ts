/** Why a recorded history can't be made into a specification. */
import type { JournalRecord } from "../../machines/outcome.js";
import { GatehouseError } from "../errors.js";

/** Records are missing, so it can't be played from its beginning. */
export class HistoryCutError extends GatehouseError {
  readonly code = "history.cut";
  readonly retryable = false;

  constructor(cut: "trimmed" | "erased" | "limit", missing?: number) {
    super(
      cut === "erased"
        ? `${missing === undefined ? "records" : `${missing} records`} of this session were erased`
        : cut === "limit"
          ? "the history does not go back to the session's first record"
          : "the journal no longer holds this session's first records",
      {
        fix:
          cut === "limit"
            ? "Read the whole history, without a limit."
            : "A specification begins at the first sign-in, and what is gone can't be brought back: take a session that began later, or write the beginning by hand (docs/testing.md).",
      },
    );
  }
}

/** The session was set aside: from there on its events were recorded, and not applied. */
export class HistoryQuarantinedError extends GatehouseError {
  readonly code = "history.quarantined";
  readonly retryable = false;

  constructor(seq: number) {
    super(`record ${seq}: the session was quarantined, so what is recorded from there on was not applied`, {
      fix: "Take a session that was not, or write by hand what was before (docs/testing.md).",
    });
  }
}

/** Refuses what can't be a specification, before any rules are looked for. @throws HistoryCutError, HistoryQuarantinedError */
export function requirePlayable({
  records,
  cut,
  erased = 0,
}: {
  readonly records: readonly JournalRecord[];
  readonly cut?: "trimmed" | "erased" | "limit";
  readonly erased?: number;
}): void {
  if (cut !== undefined) throw new HistoryCutError(cut, erased === 0 ? undefined : erased);
  if (erased > 0) throw new HistoryCutError("erased", erased);
  const aside = records.find(({ outcome, event }) => outcome === "quarantined" || event.type.startsWith("quarantine."));
  if (aside !== undefined) throw new HistoryQuarantinedError(aside.seq);
}

/** Played again, it comes to something else. */
export class HistoryDiffersError extends GatehouseError {
  readonly code = "history.differs";
  readonly retryable = false;

  constructor(where: string, recorded: string, played: string) {
    super(`${where}: recorded was ${recorded}, but played again it is ${played}`, {
      fix: "Another release recorded it. Take a history that this release recorded.",
    });
  }
}
