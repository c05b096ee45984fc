/** How records and notes of due changes are stored: text that both stores share, and that tells nothing to the scripts but its version. */
import type { UserRecord } from "../../machines/users/user-record.js";
import type { DueChange, ToldEvent, UserId, UserSession } from "./user-store.js";

/** Names the user in the store. Neither part has a slash. */
export const userField = ({ tenant, user }: UserId): string => `${tenant}/${user}`;

export const sessionField = ({ device, app }: UserSession): string => `${device}/${app}`;

export function readSessionField(field: string): UserSession {
  const [device = "", app = ""] = field.split("/");
  return { device, app };
}

export const recordText = (record: UserRecord | undefined): string =>
  record === undefined ? "" : JSON.stringify(record);

export const readRecord = (text: string | null | undefined): UserRecord | undefined =>
  text ? (JSON.parse(text) as UserRecord) : undefined;

interface Note {
  readonly time: number;
  readonly told?: ToldEvent;
}

/** The version in front, where a script finds it. */
export function noteText(version: number, note: Note): string {
  return `${version} ${JSON.stringify(note)}`;
}

export function readNote(field: string, text: string): DueChange {
  const [tenant = "", user = ""] = field.split("/");
  const space = text.indexOf(" ");
  return { tenant, user, version: Number(text.slice(0, space)), ...(JSON.parse(text.slice(space + 1)) as Note) };
}
