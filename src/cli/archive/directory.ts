/** Which directory the archive is in. */
import { type Config, readConfig } from "../../config.js";
import { UsageError } from "../failure.js";

export const TO_OPTION = ["--to <dir>", "the archive's directory; default: GATEHOUSE_ARCHIVE_DIR"] as const;

/** @throws UsageError, ConfigError */
export function archiveDirectory(named: string | undefined, config: Config = readConfig()): string {
  const directory = named ?? config.archiveDirectory;
  if (directory !== undefined) return directory;
  throw new UsageError("no directory is named for the archive", {
    fix: "Give --to DIR, or set GATEHOUSE_ARCHIVE_DIR for this and every other command.",
  });
}
