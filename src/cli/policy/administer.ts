/** What the policy commands begin and end with. */
import type { CatalogueContent } from "../../control/catalogue-document.js";
import type { ContentDiff } from "../../control/diff-content.js";
import type { Draft } from "../../control/draft.js";
import { editDraft as changeDraft } from "../../control/edit-draft.js";
import { readConfig } from "../../config.js";
import type { OpenDeployment } from "../../deployment/open-deployment.js";
import { openRunning, openToRead } from "../redis-access.js";
import { note } from "../terminal.js";

interface Administered {
  readonly deployment: OpenDeployment;
  readonly tenant: string;
}

/** Runs a command that changes something. */
export async function administer<Result>(work: (administered: Administered) => Promise<Result>): Promise<Result> {
  return withDeployment(openRunning, work);
}

/** Runs a command that only looks; what the last demonstration left will do, too. */
export async function lookAt<Result>(work: (administered: Administered) => Promise<Result>): Promise<Result> {
  return withDeployment(openToRead, work);
}

async function withDeployment<Result>(
  open: typeof openRunning,
  work: (administered: Administered) => Promise<Result>,
): Promise<Result> {
  const config = readConfig();
  const deployment = await open(config);
  try {
    return await work({ deployment, tenant: config.tenant });
  } finally {
    await deployment.close();
  }
}

/**
 * Changes the draft.
 * @param change says what it becomes; pure
 * @throws DraftConflictError if somebody else changed it meanwhile; whatever `change` throws
 */
export async function editDraft<Edit extends { readonly content: CatalogueContent }>(
  change: (content: CatalogueContent) => Edit,
): Promise<Edit & { readonly diff: ContentDiff }> {
  return administer(async ({ deployment: { catalogues }, tenant }) => {
    const edit = await changeDraft(catalogues, tenant, change);
    noteOutdated(edit.draft);
    return edit;
  });
}

/** Says so if somebody published since the draft was begun. */
export function noteOutdated({ isOpen, base, current }: Draft): void {
  if (!isOpen || base === current) return;
  note(
    `The draft was made from version ${base}, and version ${current} is in force by now: see gatehouse policy diff.`,
  );
}

export const NOT_IN_FORCE =
  "Not in force yet: `gatehouse policy diff` shows the draft, `gatehouse policy publish` puts it into force.";
