/**
 * An administrator ends a person's sessions: signs them out, has their data wiped, or calls a wipe off. Each session is looked at as it
 * stands and sent the ordinary event, under an id that follows from what it was found to be: run again, those that obeyed are passed by,
 * and those that were sent it already are not sent another.
 */
import { createHash } from "node:crypto";
import { step } from "../../machines/fold.js";
import type { SessionEvent } from "../../machines/events/catalogue.js";
import type { SessionId } from "../../machines/session/session.js";
import { sessionIdParts } from "../../machines/session/session.js";
import { StoreUnavailableError } from "../errors.js";
import { type IngestResult, type IngestTarget, ingest } from "../ingest/ingest.js";
import { type LookTarget, look } from "../sessions/look.js";
import type { UserId, UserSession } from "../users/user-store.js";

/** Index entries read, and events sent, at a time. */
const PAGE = 500;

/** Sessions looked at side by side. */
const SIDE_BY_SIDE = 16;

const SOURCE = "gatehouse:administrator";

export type Ending =
  | { readonly what: "signOut"; readonly note?: string | undefined }
  | { readonly what: "wipe"; readonly scope: "app" | "user" }
  | { readonly what: "cancelWipe" };

export interface EndScope extends UserId {
  readonly device?: string | undefined;
  readonly app?: string | undefined;
}

export interface EndTarget extends LookTarget, IngestTarget {}

export interface SessionEnding {
  readonly session: SessionId;
  /** Where it rests; absent: its snapshot can't be read. */
  readonly state?: string;
  /** Why it is sent nothing. */
  readonly passedBy?: "signed out" | "wipe pending" | "no wipe" | "no session";
  /** The event is recorded, and obeyed when the quarantine is lifted or dropped. */
  readonly isSetAside: boolean;
  /** Where the event leads, and what is to be carried out. */
  readonly to?: string;
  readonly effects: readonly string[];
  /** As it is sent; absent if it is passed by. */
  readonly event?: Readonly<Record<string, unknown>>;
}

/**
 * What would be done to each of the person's sessions. Changes nothing.
 * @throws StoreUnavailableError, CatalogueMissingError, MachineVersionError
 */
export async function previewEnding(target: EndTarget, scope: EndScope, ending: Ending): Promise<SessionEnding[]> {
  const ids = await sessionsOf(target, scope);
  const previews: SessionEnding[] = [];
  for (let from = 0; from < ids.length; from += SIDE_BY_SIDE) {
    const some = ids.slice(from, from + SIDE_BY_SIDE);
    previews.push(...(await Promise.all(some.map(async (id) => previewOne(target, id, ending)))));
  }
  return previews;
}

export interface SentEnding {
  readonly session: SessionId;
  /** `before`: it was sent already, by an earlier run. */
  readonly status: "sent" | "before" | "refused";
}

/**
 * Sends what the preview says.
 * @param onSent told how many were sent so far
 * @throws StoreUnavailableError if it is not known whether all were taken; run again, it goes on
 */
export async function endSessions(
  target: EndTarget,
  tenant: string,
  previews: readonly SessionEnding[],
  onSent: (sent: readonly SentEnding[]) => void = () => undefined,
): Promise<SentEnding[]> {
  const wanted = previews.filter(({ event }) => event !== undefined);
  const sent: SentEnding[] = [];
  for (let from = 0; from < wanted.length; from += PAGE) {
    const some = wanted.slice(from, from + PAGE);
    const { results } = await ingest(
      target,
      tenant,
      some.map(({ event }) => event),
      { emitters: ["admin"] },
    );
    const doubt = results.find((result) => result.status === "unknown");
    some.forEach(({ session }, n) => {
      const status = statusOf(results[n]);
      if (status !== undefined) sent.push({ session, status });
    });
    onSent(sent);
    if (doubt !== undefined) {
      throw new StoreUnavailableError(
        `of ${wanted.length} sessions ${sent.length} were sent it; run it again to go on`,
        {
          cause: doubt.error,
          outcomeUnknown: true,
        },
      );
    }
  }
  return sent;
}

function statusOf(result: IngestResult | undefined): SentEnding["status"] | undefined {
  switch (result?.status) {
    case "accepted":
      return "sent";
    // The same id with another time is the same decision, made a moment later.
    case "duplicate":
    case "conflict":
      return "before";
    case "refused":
      return "refused";
    default:
      return undefined;
  }
}

async function previewOne(target: EndTarget, id: SessionId, ending: Ending): Promise<SessionEnding> {
  const { session, rules, now } = await look(target, id);
  const nothing = { session: id, isSetAside: false, effects: [] };
  if (session === undefined) return { ...nothing, passedBy: "no session" };
  if ("unreadable" in session || rules === undefined) {
    if (ending.what === "cancelWipe") return { ...nothing, passedBy: "no wipe" };
    return { ...nothing, isSetAside: true, event: cloudEvent(id, eventFor(id, 0, ending), ending, 0, now) };
  }
  const { state, revision, facts, quarantine } = session;
  const { wipe } = facts;
  const stands = { ...nothing, state };
  if (ending.what === "signOut" && state === "signedOut") return { ...stands, passedBy: "signed out" };
  const isPending = wipe?.status === "pending" && wipe.why === "requested";
  if (ending.what === "wipe" && isPending && (wipe.scope === ending.scope || wipe.scope === "user"))
    return { ...stands, passedBy: "wipe pending" };
  const canBeCancelled =
    wipe !== undefined && wipe.status !== "cancelled" && (wipe.scope === "user" || wipe.status !== "completed");
  if (ending.what === "cancelWipe" && !canBeCancelled) return { ...stands, passedBy: "no wipe" };

  const event = eventFor(id, revision, ending, wipe?.requestId);
  const sent = cloudEvent(id, event, ending, revision, now);
  if (quarantine !== undefined) return { ...stands, isSetAside: true, event: sent };
  const { record } = step(session, { event, at: now }, rules);
  return {
    ...stands,
    to: record.to ?? state,
    effects: [...new Set(record.effects.map(({ type }) => type))],
    event: sent,
  };
}

function eventFor(id: SessionId, revision: number, ending: Ending, wipeId?: string): SessionEvent {
  switch (ending.what) {
    case "signOut":
      return { type: "session.signOutForced", ...(ending.note !== undefined && { note: ending.note }) };
    case "wipe":
      return { type: "wipe.requested", requestId: `adm-${digest(id, revision, ending)}`, scope: ending.scope };
    case "cancelWipe":
      return { type: "wipe.cancelled", requestId: wipeId ?? "" };
  }
}

function cloudEvent(id: SessionId, { type, ...data }: SessionEvent, ending: Ending, revision: number, now: number) {
  const { device, user, app } = sessionIdParts(id);
  return {
    specversion: "1.0",
    id: `${ending.what}-${digest(id, revision, ending)}`,
    source: SOURCE,
    type,
    subject: `${device}/${user}/${app}`,
    time: new Date(now).toISOString(),
    data,
  };
}

/** The same for a session that did not change since it was looked at. */
function digest(id: SessionId, revision: number, ending: Ending): string {
  const scope = ending.what === "wipe" ? ending.scope : "";
  return createHash("sha256").update(`${ending.what} ${scope} ${revision} ${id}`).digest("hex").slice(0, 20);
}

async function sessionsOf({ users }: EndTarget, { tenant, user, device, app }: EndScope): Promise<SessionId[]> {
  const ids = new Set<SessionId>();
  let from: string | null = null;
  do {
    const page: { sessions: UserSession[]; next: string | null } = await users.sessionsOf({ tenant, user }, from, PAGE);
    for (const one of page.sessions) {
      if ((device === undefined || one.device === device) && (app === undefined || one.app === app))
        ids.add(`${tenant}/${one.device}/${user}/${one.app}`);
    }
    from = page.next;
  } while (from !== null);
  return [...ids].sort();
}
