/** Why an archive can't be written, read or believed. */
import { GatehouseError } from "../errors.js";

/** The directory, or a file in it, can't be written or read. */
export class ArchiveFileError extends GatehouseError {
  readonly code = "archive.file";
  readonly retryable = false;
}

/** The directory is no archive, or one of another deployment. */
export class ArchiveForeignError extends GatehouseError {
  readonly code = "archive.foreign";
  readonly retryable = false;
}

/** Another process writes to it. */
export class ArchiveBusyError extends GatehouseError {
  readonly code = "archive.busy";
  readonly retryable = true;
}

/** What is under way in Redis does not let the archive go on just now. */
export class ArchiveMovedError extends GatehouseError {
  readonly code = "archive.moved";
  readonly retryable = true;
}

/** Somebody is to be erased, and the archive that names them is not at hand. */
export class ArchiveNotReachedError extends GatehouseError {
  readonly code = "archive.not_reached";
  readonly retryable = false;
}

/** Where in an archive something is. */
export interface ArchivePlace {
  readonly file: string;
  /** Of a segment, from 0. */
  readonly block?: number;
  /** Number of a record: the first one that can't be trusted. */
  readonly seq?: number;
}

/** A file is not as it was written. */
export class ArchiveDamagedError extends GatehouseError {
  readonly code = "archive.damaged";
  readonly retryable = false;
  readonly place: ArchivePlace;

  constructor(place: ArchivePlace, what: string) {
    const { file, block, seq } = place;
    const where = [
      file,
      ...(block === undefined ? [] : [`block ${block}`]),
      ...(seq === undefined ? [] : [`record ${seq}`]),
    ];
    super(`${where.join(", ")}: ${what}`, {
      fix: [
        "Put a copy of this file from your backups in its place.",
        "Until then what other files hold can still be read, and what Redis still holds is not needed from here.",
      ].join("\n"),
    });
    this.place = place;
  }
}
