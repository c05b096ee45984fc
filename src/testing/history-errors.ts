/** Why a recorded history can't be made into a specification. */
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

/** Played again, it comes to something else. */
export class HistoryDiffersError extends GatehouseError {
  readonly code = "history.differs";
  readonly retryable = false;

  constructor(where: string, recorded: string, played: string) {
    super(`${where}: recorded was ${recorded}, but played again it is ${played}`, {
      fix: "Another release recorded it, or the session was quarantined. Take a history that this release recorded.",
    });
  }
}
