/** Changes a tenant's draft: what it said, a pure change, and what it says now, unless somebody else was faster. */
import type { CatalogueContent } from "./catalogue-document.js";
import { type ContentDiff, diffContent, isEmptyDiff } from "./diff-content.js";
import type { Draft } from "./draft.js";
import type { RedisCatalogues } from "./redis-catalogues.js";

/**
 * @param change says what the content becomes; pure
 * @throws DraftConflictError if somebody else changed it meanwhile; whatever `change` throws
 */
export async function editDraft<Edit extends { readonly content: CatalogueContent }>(
  catalogues: RedisCatalogues,
  tenant: string,
  change: (content: CatalogueContent) => Edit,
): Promise<Edit & { readonly diff: ContentDiff; readonly draft: Draft }> {
  const draft = await catalogues.draft(tenant);
  const edit = change(draft.content);
  const diff = diffContent(draft.content, edit.content);
  if (!isEmptyDiff(diff)) await catalogues.saveDraft(tenant, draft, edit.content);
  return { ...edit, diff, draft };
}
