/** Opens what journals are folded again from; each thread does so for itself. */
import { ArchivedCatalogues } from "../archive/archive-catalogues.js";
import { JournalArchive } from "../archive/journal-archive.js";
import { type DeploymentTarget, openDeployment } from "../deployment/open-deployment.js";
import type { ReplaySource } from "./journal-source.js";

/** At least one of both. */
export interface SourceTarget {
  readonly deployment?: Pick<DeploymentTarget, "redis" | "prefix"> | undefined;
  /** Directory of an archive. */
  readonly archive?: string | undefined;
}

/** @throws StoreUnavailableError, DeploymentConflictError, ArchiveFileError, ArchiveForeignError */
export async function openSource({
  deployment: target,
  archive: directory,
}: SourceTarget): Promise<{ readonly source: ReplaySource; readonly close: () => Promise<void> }> {
  const archive = directory === undefined ? undefined : await JournalArchive.open(directory);
  const deployment = target && (await openDeployment(target));
  return {
    source: {
      store: deployment?.store,
      archive,
      catalogues: deployment?.catalogues ?? new ArchivedCatalogues(directory ?? ""),
    },
    close: async () => deployment?.close(),
  };
}
