/** What the policy commands begin and end with. */
import type { CatalogueContent } from "../../control/catalogue-document.js";
import type { ContentDiff } from "../../control/diff-content.js";
import type { Draft } from "../../control/draft.js";
import { editDraft as changeDraft } from "../../control/edit-draft.js";
import { readConfig } from "../../config.js";
import type { OpenDeployment } from "../../deployment/open-deployment.js";
import type { Act, Acting } from "../../audit/audit-log.js";
import { type ActOptions, record } from "../act.js";
import { openRunning, openToRead } from "../redis-access.js";
import { note } from "../terminal.js";

interface Administered {
  readonly deployment: OpenDeployment;
  readonly prefix: string;
  readonly tenant: string;
}

/** Runs a command that may change something. */
export async function administer<Result>(work: (administered: Administered) => Promise<Result>): Promise<Result> {
  return withDeployment(openRunning, work);
}

/** The part of a command that changes something: it is recorded. */
export async function change<Result>(
  { deployment: { redis }, prefix, tenant }: Administered,
  options: ActOptions,
  act: Act,
  work: (acting: Acting) => Promise<Result>,
): Promise<Result> {
  return record({ redis, prefix, tenant }, options, act, work);
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
    return await work({ deployment, prefix: config.prefix, tenant: config.tenant });
  } finally {
    await deployment.close();
  }
}

/**
 * Changes the draft, and records it.
 * @param edit says what it becomes; pure
 * @throws DraftConflictError if somebody else changed it meanwhile; whatever `edit` throws
 */
export async function editDraft<Edit extends { readonly content: CatalogueContent }>(
  options: ActOptions,
  act: Act,
  edit: (content: CatalogueContent) => Edit,
): Promise<Edit & { readonly diff: ContentDiff }> {
  return administer(async (administered) =>
    change(administered, options, act, async ({ touch }) => {
      const edited = await changeDraft(administered.deployment.catalogues, administered.tenant, edit);
      touch({ policies: edited.diff.policies.length, settings: edited.diff.settings.length });
      noteOutdated(edited.draft);
      return edited;
    }),
  );
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
