/** Why a backup was not made, or not restored. */
import { GatehouseError } from "../errors.js";

/** The file can't be written, or not be read. */
export class BackupFileError extends GatehouseError {
  readonly code = "backup.file";
  readonly retryable = false;
}

/** The file is no backup, or not as it was written. */
export class BackupDamagedError extends GatehouseError {
  readonly code = "backup.damaged";
  readonly retryable = false;

  /** @param line from 1; of the text that the file holds compressed */
  constructor(file: string, line: number, what: string) {
    super(`${file}, line ${line}: ${what}`, {
      fix: "Nothing of it can be trusted. Take another copy of this backup, or an earlier one.",
    });
  }
}

/** There is something under the prefix already. */
export class RestoreTargetError extends GatehouseError {
  readonly code = "restore.not_empty";
  readonly retryable = false;
}

/** The server does not take what another one wrote, or what was restored is not what was backed up. */
export class RestoreFailedError extends GatehouseError {
  readonly code = "restore.failed";
  readonly retryable = false;
}
