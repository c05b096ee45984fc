/** Why an erasure was not made, or not to its end. */
import { GatehouseError } from "../errors.js";

/** A wipe of the person's was asked for, and no device has said yet that it was done. */
export class WipePendingError extends GatehouseError {
  readonly code = "erase.wipe_pending";
  readonly retryable = true;

  constructor(count: number) {
    super(`${count === 1 ? "a wipe is" : `${count} wipes are`} pending: erased now, nobody would know of it any more`, {
      fix: [
        "Wait until the device reports wipe.completed or wipe.failed, or cancel it with wipe.cancelled.",
        "Or give --even-if-wipe-pending: the device may then keep its data.",
      ].join("\n"),
    });
  }
}

/** New data about the person kept coming while they were erased. */
export class ErasureUnfinishedError extends GatehouseError {
  readonly code = "erase.unfinished";
  readonly retryable = true;

  constructor(what: string) {
    super(`not everything could be erased: ${what}`, {
      fix: "See that the person's apps and the directory send nothing more about them and that a worker runs, then erase again: it goes on where this ended.",
    });
  }
}
