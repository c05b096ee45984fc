/** Catalogues in Redis: one hash a tenant, a field a version, and which one is current. */
import type { Redis } from "ioredis";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import { StoreUnavailableError } from "../errors.js";
import { type CatalogueDocument, readCatalogue } from "./catalogue-document.js";
import { CatalogueMissingError, CatalogueOutdatedError } from "./catalogue-errors.js";
import type { CatalogueSource } from "./catalogue-source.js";

const CURRENT = "current";

export class RedisCatalogues implements CatalogueSource {
  constructor(
    private readonly redis: Redis,
    private readonly prefix: string,
  ) {}

  private key(tenant: string): string {
    return `${this.prefix}:{catalogue:${tenant}}`;
  }

  async current(tenant: string): Promise<number> {
    return Number((await this.ask(this.redis.hget(this.key(tenant), CURRENT))) ?? 0);
  }

  async catalogue(tenant: string, version: number): Promise<Catalogue> {
    const stored = await this.ask(this.redis.hget(this.key(tenant), String(version)));
    if (stored === null) throw new CatalogueMissingError(tenant, version);
    return readCatalogue(JSON.parse(stored) as CatalogueDocument);
  }

  /**
   * Stores the next version and makes it current.
   * @throws CatalogueOutdatedError if it is not the current version's successor
   */
  async store(tenant: string, document: CatalogueDocument): Promise<void> {
    const { version } = document;
    // The version's own field decides between two publishers: only one can create it.
    const created = await this.ask(this.redis.hsetnx(this.key(tenant), String(version), JSON.stringify(document)));
    const current = await this.current(tenant);
    if (created !== 1 || version !== current + 1) throw new CatalogueOutdatedError(version, current);
    await this.ask(this.redis.hset(this.key(tenant), CURRENT, String(version)));
  }

  private async ask<Reply>(reply: Promise<Reply>): Promise<Reply> {
    try {
      return await reply;
    } catch (cause) {
      throw new StoreUnavailableError("Redis did not answer for the catalogue", { cause, outcomeUnknown: true });
    }
  }
}
