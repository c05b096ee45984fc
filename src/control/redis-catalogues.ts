/**
 * Catalogues in Redis: one hash a tenant, with a field a version, which one is current, and the draft of the next. Beside them, for all
 * tenants together, the versions that some partition may not have been told of.
 */
import type { RedisConnection } from "../redis/connection.js";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import { catalogueKey, unannouncedKey } from "../store/keys.js";
import { Script } from "../store/redis/script.js";
import { toUnavailable } from "../store/redis/unavailable.js";
import { type CatalogueContent, type CatalogueDocument, EMPTY_CONTENT, readCatalogue } from "./catalogue-document.js";
import { CatalogueMissingError, CatalogueOutdatedError, DraftConflictError } from "./catalogue-errors.js";
import type { CatalogueSource } from "./catalogue-source.js";
import type { Draft } from "./draft.js";

const PUBLISH = new Script("catalogue-publish", { isConfirmed: true });
const SAVE_DRAFT = new Script("draft-save", { isConfirmed: true });

/** Documents asked for at a time: one may be large. */
const DOCUMENTS_A_CALL = 20;

type StoredDraft = CatalogueContent & { readonly base: number };

/** A version that was or will be stored, and of which some partition may not have been told. */
export interface Unannounced {
  readonly tenant: string;
  readonly version: number;
  /** The moment of the change where the clock is the events' own, epoch ms. */
  readonly time: number;
}

/** Every method may reject with `StoreUnavailableError`. */
export class RedisCatalogues implements CatalogueSource {
  constructor(
    private readonly redis: RedisConnection,
    private readonly prefix: string,
  ) {}

  async current(tenant: string): Promise<number> {
    return Number((await this.read("current", this.redis.hget(this.key(tenant), "current"))) ?? 0);
  }

  async catalogue(tenant: string, version: number): Promise<Catalogue> {
    return readCatalogue(await this.document(tenant, version));
  }

  /** @throws CatalogueMissingError */
  async document(tenant: string, version: number): Promise<CatalogueDocument> {
    const stored = await this.read("document", this.redis.hget(this.key(tenant), String(version)));
    if (stored === null) throw new CatalogueMissingError(tenant, version);
    return JSON.parse(stored) as CatalogueDocument;
  }

  /** In the order of the versions; those that are not stored are absent. */
  async documents(tenant: string, versions: readonly number[]): Promise<CatalogueDocument[]> {
    const found: CatalogueDocument[] = [];
    for (let from = 0; from < versions.length; from += DOCUMENTS_A_CALL) {
      const fields = versions.slice(from, from + DOCUMENTS_A_CALL).map(String);
      for (const stored of await this.read("documents", this.redis.hmget(this.key(tenant), ...fields))) {
        if (stored !== null) found.push(JSON.parse(stored) as CatalogueDocument);
      }
    }
    return found;
  }

  /** What is in force; before anything is published, the empty catalogue. */
  async inForce(tenant: string, current: number): Promise<CatalogueContent> {
    return current === 0 ? EMPTY_CONTENT : contentOf(await this.document(tenant, current));
  }

  async draft(tenant: string): Promise<Draft> {
    const [current, revision, stored] = await this.read(
      "draft",
      this.redis.hmget(this.key(tenant), "current", "revision", "draft"),
    );
    const known = { revision: Number(revision ?? 0), current: Number(current ?? 0) };
    if (typeof stored !== "string") {
      const content = await this.inForce(tenant, known.current);
      return { ...known, base: known.current, isOpen: false, content };
    }
    const { base, ...content } = JSON.parse(stored) as StoredDraft;
    return { ...known, base, isOpen: true, content };
  }

  /**
   * Puts content in the place of the draft that was read.
   * @param content `null`: the draft is what is in force again
   * @throws DraftConflictError if draft or version in force was changed meanwhile
   */
  async saveDraft(tenant: string, { revision, base }: Draft, content: CatalogueContent | null): Promise<void> {
    const text = content === null ? "" : JSON.stringify({ base, ...contentOf(content) } satisfies StoredDraft);
    const reply = await this.write("saveDraft", SAVE_DRAFT.run(this.redis, [this.key(tenant)], [revision, text]));
    if (reply !== 1) throw new DraftConflictError(tenant);
  }

  /**
   * Stores a version and makes it current, unless another one is its predecessor.
   * @param draft that the version was made from, and that is done with then; without it a draft stays as it is
   * @throws CatalogueOutdatedError, DraftConflictError
   */
  async publish(tenant: string, document: CatalogueDocument, draft?: Draft): Promise<void> {
    const base = document.version - 1;
    const argv = [base, document.version, JSON.stringify(document), draft?.revision ?? ""];
    const [code, current] = (await this.write("publish", PUBLISH.run(this.redis, [this.key(tenant)], argv))) as [
      number,
      string?,
    ];
    if (code === 0) throw new CatalogueOutdatedError(base, Number(current));
    if (code === 2) throw new DraftConflictError(tenant);
  }

  /** Notes that a version is about to be stored, so that somebody tells the partitions whatever becomes of the publisher. */
  async noteUnannounced({ tenant, version, time }: Unannounced): Promise<void> {
    await this.write("noteUnannounced", this.redis.hset(unannouncedKey(this.prefix), `${tenant}/${version}`, time));
  }

  async unannounced(): Promise<Unannounced[]> {
    const noted = await this.read("unannounced", this.redis.hgetall(unannouncedKey(this.prefix)));
    return Object.entries(noted).map(([field, time]) => {
      const [tenant = "", version] = field.split("/");
      return { tenant, version: Number(version), time: Number(time) };
    });
  }

  /** Every partition was told of the version. */
  async noteAnnounced({ tenant, version }: Omit<Unannounced, "time">): Promise<void> {
    await this.write("noteAnnounced", this.redis.hdel(unannouncedKey(this.prefix), `${tenant}/${version}`));
  }

  private key(tenant: string): string {
    return catalogueKey(this.prefix, tenant);
  }

  private async read<Reply>(call: string, reply: Promise<Reply>): Promise<Reply> {
    return this.ask(call, reply, false);
  }

  private async write<Reply>(call: string, reply: Promise<Reply>): Promise<Reply> {
    return this.ask(call, reply, true);
  }

  private async ask<Reply>(call: string, reply: Promise<Reply>, write: boolean): Promise<Reply> {
    try {
      return await reply;
    } catch (error) {
      throw toUnavailable(error, `catalogue ${call}`, write);
    }
  }
}

const contentOf = ({ policies, conditionalAccess, settings }: CatalogueContent): CatalogueContent => ({
  policies,
  conditionalAccess,
  settings,
});
