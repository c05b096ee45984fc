/**
 * What administrators did, for whoever has to account for it: who, when, what, why, how much it touched and how it ended. Written before
 * an act begins and when it ends, so that none happens without a trace; never changed afterwards, and bounded. A person whom an act is
 * about is not named: a hash tells them apart, so the log need not be touched when they are erased.
 */
import { createHmac, randomBytes } from "node:crypto";
import { type RedisConnection, withReplica } from "../redis/connection.js";
import { z } from "zod";
import { canonicalId } from "../../machines/users/canonical-id.js";
import { GatehouseError } from "../errors.js";
import type { ActName } from "./acts.js";
import { type AuditKeys, auditKeys } from "../store/keys.js";
import { toUnavailable } from "../store/redis/unavailable.js";

/** Entries of one tenant that are remembered, about: two for each act. */
const KEPT = 50_000;

/** Entries read at a time. */
const PAGE = 500;
/** Entries looked at for one page: what nearly nothing matches must not hold up whoever else asks. */
const MAX_LOOKED_AT = 1_000;

const MAX_TEXT = 256;
const SUBJECT_CHARS = 22;

const Value = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.string())]);
type Value = z.infer<typeof Value>;
export type About = Readonly<Record<string, string | number | boolean | null | readonly string[] | undefined>>;
export type Touched = Readonly<Record<string, number>>;

export const OUTCOMES = ["done", "failed", "begun"] as const;

const Entry = z.strictObject({
  act: z.string(),
  by: z.string(),
  via: z.enum(["command line", "API"]),
  key: z.string().optional(),
  reason: z.string().optional(),
  user: z.string().optional(),
  device: z.string().optional(),
  about: z.record(z.string(), Value),
  outcome: z.enum(OUTCOMES),
  code: z.string().optional(),
  touched: z.record(z.string(), z.number()).optional(),
  tookMs: z.number().optional(),
  began: z.string().optional(),
});
type Entry = z.infer<typeof Entry>;

/** One act. `begun`: it has not ended, or whoever did it died before they could say how. */
export interface AuditedAct extends Omit<Entry, "began"> {
  readonly id: string;
  /** When it began, by the server's clock, epoch ms. */
  readonly at: number;
}

/** Who acts. */
export interface Actor {
  /** A user of the machine, or whoever has the API key. */
  readonly by: string;
  readonly via: Entry["via"];
  /** Id of the API key. */
  readonly key?: string;
  readonly reason?: string | undefined;
}

export interface Act {
  readonly act: ActName;
  /** What was asked for, without secrets and without anybody's name. */
  readonly about?: About;
  /** The person, and the device of theirs, that it is about: kept as hashes. */
  readonly person?: { readonly user?: string | undefined; readonly device?: string | undefined } | undefined;
}

/** Lets an act say how much it touched, and what else became known of it. */
export interface Acting {
  readonly touch: (figures: Touched) => void;
  readonly know: (about: About) => void;
}

export interface AuditFilter {
  /** An act, or the beginning of one up to a dot: `policy`. One that there is not is nobody's. */
  readonly act?: string | undefined;
  readonly by?: string | undefined;
  /** Epoch ms. */
  readonly since?: number | undefined;
  readonly user?: string | undefined;
  readonly device?: string | undefined;
}

export interface AuditPage {
  /** Newest first. */
  readonly acts: readonly AuditedAct[];
  /** Where the next page begins, which may be there although this one is short; `null`: this is the last. */
  readonly next: string | null;
}

export class AuditLog {
  readonly #keys: AuditKeys;
  #salt: Promise<string> | undefined;

  constructor(
    private readonly redis: RedisConnection,
    prefix: string,
    tenant: string,
  ) {
    this.#keys = auditKeys(prefix, tenant);
  }

  /**
   * Does something, and records it.
   * @throws StoreUnavailableError before anything is done, if it can't be recorded; whatever `work` throws
   */
  async record<Result>(actor: Actor, act: Act, work: (acting: Acting) => Promise<Result>): Promise<Result> {
    const begun = await this.#entryOf(actor, act);
    const id = await this.#begin(begun);
    const startedAt = performance.now();
    let touched: Touched | undefined;
    let { about } = begun;
    const acting: Acting = {
      touch: (figures) => (touched = { ...touched, ...figures }),
      know: (more) => (about = { ...about, ...shortened(more) }),
    };
    const end = async (how: Pick<Entry, "outcome" | "code">): Promise<void> =>
      this.#end(id, {
        ...begun,
        about,
        ...how,
        ...(touched && { touched }),
        tookMs: Math.round(performance.now() - startedAt),
        began: id,
      });
    try {
      const result = await work(acting);
      await end({ outcome: "done" });
      return result;
    } catch (error) {
      // How it failed is what the caller has to know; without an end the log says that none is known.
      await end({ outcome: "failed", code: codeOf(error) }).catch(() => undefined);
      throw error;
    }
  }

  /**
   * @param cursor of an earlier page's `next`
   * @throws StoreUnavailableError
   */
  async read(filter: AuditFilter, limit: number, cursor: string | null = null): Promise<AuditPage> {
    // Redis refuses to be asked for what comes before the first id that there can be.
    if (cursor !== null && /^0+-0+$/.test(cursor)) return { acts: [], next: null };
    const subject = await this.#subjectOf(filter);
    const open = new Set(await answer(this.redis.hkeys(this.#keys.open), false));
    const ended = new Set<string>();
    const acts: AuditedAct[] = [];
    let from = cursor === null ? "+" : `(${cursor}`;
    for (let lookedAt = PAGE; ; lookedAt += PAGE) {
      const rows = await answer(this.redis.xrevrange(this.#keys.log, from, "-", "COUNT", PAGE), false);
      for (const [id, fields] of rows) {
        from = `(${id}`;
        const { began, ...entry } = Entry.parse(JSON.parse(fields[1] as string));
        // Of an act that ended the later entry tells everything.
        if (began === undefined && (!open.has(id) || ended.has(id))) continue;
        if (began !== undefined) ended.add(began);
        const act = { id: began ?? id, at: Number.parseInt(began ?? id, 10), ...entry };
        if (filter.since !== undefined && Number.parseInt(id, 10) < filter.since) return { acts, next: null };
        if (!matches(act, filter, subject)) continue;
        acts.push(act);
        if (acts.length === limit) return { acts, next: id };
      }
      if (rows.length < PAGE) return { acts, next: null };
      if (lookedAt >= MAX_LOOKED_AT) return { acts, next: from.slice(1) };
    }
  }

  async #begin(entry: Entry): Promise<string> {
    const { open } = this.#keys;
    const id = await this.#append(entry);
    if (id === null) throw new Error("the audit log gave no id");
    await answer(this.redis.hset(open, id, "1"), true);
    return id;
  }

  async #end(id: string, entry: Entry): Promise<void> {
    const { open } = this.#keys;
    await this.#append(entry);
    await answer(this.redis.hdel(open, id), true);
  }

  async #append(entry: Entry): Promise<string | null> {
    const { log } = this.#keys;
    const text = JSON.stringify(entry);
    return answer(
      withReplica(this.redis, log, (redis) => redis.xadd(log, "MAXLEN", "~", KEPT, "*", "e", text)),
      true,
    );
  }

  async #entryOf({ by, via, key, reason }: Actor, { act, about = {}, person }: Act): Promise<Entry> {
    const names = [person?.user, person?.device].filter((name) => name !== undefined);
    const nameless = (text: string): string =>
      names.reduce((left, name) => left.replaceAll(new RegExp(escaped(name), "gi"), "[…]"), text);
    return {
      act,
      by: by.slice(0, MAX_TEXT),
      via,
      ...(key !== undefined && { key }),
      ...(reason !== undefined && { reason: nameless(reason).slice(0, MAX_TEXT) }),
      ...(person && (await this.#subjectOf(person))),
      about: shortened(about),
      outcome: "begun",
    };
  }

  async #subjectOf({ user, device }: NonNullable<Act["person"]>): Promise<Pick<Entry, "user" | "device">> {
    if (user === undefined && device === undefined) return {};
    const salt = await this.#ownSalt();
    const hashOf = (kind: string, name: string): string =>
      createHmac("sha256", salt)
        .update(`${kind}/${canonicalId(name)}`)
        .digest("base64url")
        .slice(0, SUBJECT_CHARS);
    return {
      ...(user !== undefined && { user: hashOf("user", user) }),
      ...(device !== undefined && { device: hashOf("device", device) }),
    };
  }

  /** Random, and kept beside the log: names can't be guessed from a copy of the log alone. */
  async #ownSalt(): Promise<string> {
    this.#salt ??= (async () => {
      await answer(this.redis.set(this.#keys.salt, randomBytes(32).toString("base64url"), "NX"), true);
      return (await answer(this.redis.get(this.#keys.salt), false)) ?? "";
    })();
    return this.#salt;
  }
}

function matches(entry: AuditedAct, { act, by, since }: AuditFilter, subject: Pick<Entry, "user" | "device">): boolean {
  return (
    (act === undefined || entry.act === act || entry.act.startsWith(`${act}.`)) &&
    (by === undefined || entry.by === by || entry.key === by) &&
    (since === undefined || entry.at >= since) &&
    (subject.user === undefined || entry.user === subject.user) &&
    (subject.device === undefined || entry.device === subject.device)
  );
}

function shortened(about: About): Entry["about"] {
  return Object.fromEntries(
    Object.entries(about).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, typeof value === "string" ? value.slice(0, MAX_TEXT) : (value as Value)]],
    ),
  );
}

function codeOf(error: unknown): string {
  if (error instanceof GatehouseError) return error.code;
  return error instanceof z.ZodError ? "settings.invalid" : "internal";
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

async function answer<Reply>(reply: Promise<Reply>, write: boolean): Promise<Reply> {
  try {
    return await reply;
  } catch (error) {
    throw toUnavailable(error, "audit log", write);
  }
}
