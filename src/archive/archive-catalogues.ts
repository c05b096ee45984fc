/**
 * Published policies beside the journals that were folded under them: without Redis a journal can only be folded again with both. A version never
 * changes, so what is there is never written again.
 *
 *   catalogues/contoso/000000000007.json.gz
 */
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import { type CatalogueDocument, readCatalogue } from "../control/catalogue-document.js";
import { CatalogueMissingError } from "../control/catalogue-errors.js";
import type { CatalogueSource } from "../control/catalogue-source.js";
import { BROADCAST, type PartitionStore } from "../store/partition-store.js";
import { readState } from "../store/partition-view.js";
import { ArchiveDamagedError } from "./archive-errors.js";
import { unreadable } from "./archive-layout.js";
import { writeNew } from "./new-file.js";

const gzipBytes = promisify(gzip);
const gunzipBytes = promisify(gunzip);

const DIRECTORY = "catalogues";
const VERSION = /^(\d{12,})\.json\.gz$/;

const tenantDirectory = (directory: string, tenant: string): string => join(directory, DIRECTORY, tenant);
const fileOf = (directory: string, tenant: string, version: number): string =>
  join(tenantDirectory(directory, tenant), `${String(version).padStart(12, "0")}.json.gz`);

export interface PublishedCatalogues {
  current(tenant: string): Promise<number>;
  documents(tenant: string, versions: readonly number[]): Promise<CatalogueDocument[]>;
}

/**
 * Writes the versions that are not there yet, of every tenant that published any. For whoever holds the archive's lock.
 * @returns how many
 * @throws ArchiveFileError, StoreUnavailableError
 */
export async function archiveCatalogues(
  directory: string,
  { store, catalogues }: { readonly store: PartitionStore; readonly catalogues: PublishedCatalogues },
): Promise<number> {
  // Every partition is told of every tenant's versions.
  const { policies } = readState((await store.peek(0, BROADCAST)).state);
  let written = 0;
  for (const tenant of Object.keys(policies)) {
    const there = new Set(await versionsOf(directory, tenant));
    const current = await catalogues.current(tenant);
    const missing = Array.from({ length: current }, (_, n) => n + 1).filter((version) => !there.has(version));
    for (const document of await catalogues.documents(tenant, missing)) {
      await writeNew({
        file: fileOf(directory, tenant, document.version),
        content: [await gzipBytes(JSON.stringify(document))],
        check: async (file) => void (await readDocument(file)),
      });
      written++;
    }
  }
  return written;
}

/** Catalogues as an archive has them. Every method throws ArchiveFileError and ArchiveDamagedError, too. */
export class ArchivedCatalogues implements CatalogueSource, PublishedCatalogues {
  constructor(private readonly directory: string) {}

  async current(tenant: string): Promise<number> {
    return Math.max(0, ...(await versionsOf(this.directory, tenant)));
  }

  /** @throws CatalogueMissingError */
  async catalogue(tenant: string, version: number): Promise<Catalogue> {
    const [document] = await this.documents(tenant, [version]);
    if (document === undefined) throw new CatalogueMissingError(tenant, version);
    return readCatalogue(document);
  }

  async documents(tenant: string, versions: readonly number[]): Promise<CatalogueDocument[]> {
    const there = new Set(await versionsOf(this.directory, tenant));
    const found = versions.filter((version) => there.has(version));
    return Promise.all(found.map(async (version) => readDocument(fileOf(this.directory, tenant, version))));
  }
}

/** @throws ArchiveFileError */
async function versionsOf(directory: string, tenant: string): Promise<number[]> {
  const home = tenantDirectory(directory, tenant);
  const names = await readdir(home).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw unreadable(home, error);
  });
  return names.flatMap((name) => VERSION.exec(name)?.[1] ?? []).map(Number);
}

/** @throws ArchiveFileError, ArchiveDamagedError */
async function readDocument(file: string): Promise<CatalogueDocument> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  try {
    return JSON.parse((await gunzipBytes(bytes)).toString("utf8")) as CatalogueDocument;
  } catch (error) {
    throw new ArchiveDamagedError({ file }, `it is torn or altered (${(error as Error).message})`);
  }
}
