/** Which versions of Redis (and of Valkey, which goes on from 7.2) run Gatehouse's scripts: theirs have flags, and name an entry's time alone. */
export const OLDEST_REDIS = "7.0";

/** @param version as the server or its program tells it, `7.0.15`; anything else is not new enough */
export function isNewEnough(version: string): boolean {
  return /^\d/.test(version) && version.localeCompare(OLDEST_REDIS, "en", { numeric: true }) >= 0;
}
