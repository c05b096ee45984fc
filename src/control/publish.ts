/**
 * Publishing: the next catalogue version is stored, then told to every partition. When it returns, every decision obeys the version;
 * the walk through idle sessions follows in the workers. Of publishes side by side each makes a version of its own or none.
 */
import { type AnnounceTarget, announce, resumeAnnouncements } from "./announce.js";
import { type CatalogueContent, type CatalogueDocument, readCatalogue } from "./catalogue-document.js";
import { CatalogueOutdatedError, NothingToPublishError, VersionUnknownError } from "./catalogue-errors.js";
import { diffContent, isEmptyDiff } from "./diff-content.js";
import type { Draft } from "./draft.js";
import type { RedisCatalogues } from "./redis-catalogues.js";

/** Where versions are stored, and who is told of them. */
export interface PublishTarget extends AnnounceTarget {
  readonly catalogues: AnnounceTarget["catalogues"] & Pick<RedisCatalogues, "noteUnannounced" | "publish">;
}

export interface PublishOptions {
  /** The moment of the change, epoch ms: only where the clock is the events' own. */
  readonly time?: number;
  /** The publisher's own words, kept with the version. */
  readonly note?: string | undefined;
}

/**
 * Publishes a whole catalogue as the current version's successor. A draft stays as it is.
 * @returns the version now in force
 * @throws PolicyError or ZodError before anything is stored; CatalogueOutdatedError if somebody else published meanwhile
 */
export async function publish(
  target: PublishTarget,
  tenant: string,
  content: CatalogueContent,
  options: PublishOptions = {},
): Promise<number> {
  return store(target, tenant, (await target.catalogues.current(tenant)) + 1, content, options);
}

/**
 * The draft, if it may be published now.
 * @param onto the version in force, if the draft may replace it although it was made from an older one
 * @throws CatalogueOutdatedError, NothingToPublishError
 */
export async function draftToPublish(catalogues: RedisCatalogues, tenant: string, onto?: number): Promise<Draft> {
  const draft = await catalogues.draft(tenant);
  const { base, current, content } = draft;
  if ((onto ?? base) !== current) throw new CatalogueOutdatedError(onto ?? base, current);
  if (isEmptyDiff(diffContent(await catalogues.inForce(tenant, current), content))) {
    throw new NothingToPublishError(current);
  }
  return draft;
}

/**
 * Publishes a draft that {@link draftToPublish} gave; then there is none.
 * @returns the version now in force
 * @throws PolicyError or ZodError before anything is stored; CatalogueOutdatedError or DraftConflictError if somebody else was faster
 */
export async function publishDraft(
  target: PublishTarget,
  tenant: string,
  draft: Draft,
  options: PublishOptions = {},
): Promise<number> {
  return store(target, tenant, draft.current + 1, draft.content, options, draft);
}

/**
 * Publishes the content of an earlier version as the current one's successor. A draft stays as it is.
 * @returns the version now in force
 * @throws VersionUnknownError, NothingToPublishError, CatalogueOutdatedError
 */
export async function rollback(
  target: PublishTarget & { readonly catalogues: RedisCatalogues },
  tenant: string,
  to: number,
  { note = `rollback to version ${to}`, ...options }: PublishOptions = {},
): Promise<number> {
  const { catalogues } = target;
  const current = await catalogues.current(tenant);
  if (to < 1 || to > current) throw new VersionUnknownError(to, current);
  const { policies, conditionalAccess, settings } = await catalogues.document(tenant, to);
  const content = { policies, conditionalAccess, settings };
  if (isEmptyDiff(diffContent(await catalogues.inForce(tenant, current), content))) {
    throw new NothingToPublishError(current);
  }
  return store(target, tenant, current + 1, content, { ...options, note });
}

async function store(
  target: PublishTarget,
  tenant: string,
  version: number,
  { policies, conditionalAccess, settings }: CatalogueContent,
  { time = 0, note }: PublishOptions,
  draft?: Draft,
): Promise<number> {
  const document: CatalogueDocument = {
    version,
    policies,
    conditionalAccess,
    settings,
    publishedAt: new Date().toISOString(),
    ...(note !== undefined && { note }),
  };
  readCatalogue(document);
  await resumeAnnouncements(target);
  const unannounced = { tenant, version, time };
  // Whoever is too late leaves the note: the version may be another publisher's, who may die before telling anybody.
  await target.catalogues.noteUnannounced(unannounced);
  await target.catalogues.publish(tenant, document, draft);
  await announce(target, unannounced);
  return version;
}
