/** Policies: a draft that is changed, and numbered versions that are not. */
import { z } from "@hono/zod-openapi";
import { explain } from "../../../machines/policy/explain.js";
import { canonicalId } from "../../../machines/users/canonical-id.js";
import { canonicalGroups } from "../../../machines/users/user-record.js";
import { TenantSettings } from "../../../machines/policy/settings.js";
import { assignPolicy } from "../../control/assign.js";
import { readCatalogue } from "../../control/catalogue-document.js";
import { VersionUnknownError } from "../../control/catalogue-errors.js";
import { diffContent } from "../../control/diff-content.js";
import { dryRun } from "../../control/dry-run.js";
import { editDraft } from "../../control/edit-draft.js";
import { applyImport, readImport } from "../../control/import-documents.js";
import { draftToPublish, publishDraft, rollback } from "../../control/publish.js";
import { type StoredPolicy, findPolicy, storedPolicies, withPolicies } from "../../control/stored-policies.js";
import { walkProgress } from "../../control/walk-progress.js";
import { DEFAULT_APP, isUserSubject } from "../../ingest/cloud-event.js";
import { type Api, json } from "../api.js";
import { MAX_DOCUMENT_BYTES, readBytes } from "../body.js";
import { HttpProblem } from "../problem.js";

const TAG = "Policies";
const MAX_VERSIONS = 100;

const Loose = (name: string, shape: z.ZodRawShape) => z.looseObject(shape).openapi(name);
const Id = z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/, "letters, digits, `.`, `_` and `-`, up to 128");
const Note = z.string().trim().min(1).max(512);
const Named = z.object({ policy: z.string().min(1).max(256).openapi({ description: "An id, or a whole name" }) });

const row = (stored: StoredPolicy) => ({
  id: stored.policy.id,
  name: stored.policy.name,
  kind: stored.kind,
  ...(stored.kind === "appProtection" ? { platform: stored.policy.platform } : { state: stored.policy.state }),
});

export function policyRoutes(api: Api): void {
  const { deployment } = api.dependencies;
  const { catalogues, store, users } = deployment;

  api.route(
    {
      method: "get",
      path: "/v1/policies",
      scope: "admin",
      tag: TAG,
      summary: "List the draft's policies",
      responses: {
        200: json(
          Loose("Policies", {
            inForce: z.int(),
            policies: z.array(z.looseObject({ id: z.string(), name: z.string() })),
          }),
          "The draft, and how each policy differs from what is in force",
        ),
      },
    },
    async ({ context, key: { tenant } }) => {
      const draft = await catalogues.draft(tenant);
      const diff = diffContent(await catalogues.inForce(tenant, draft.current), draft.content);
      const changes = new Map(diff.policies.map(({ kind, id, change }) => [`${kind}/${id}`, change]));
      return context.json({
        inForce: draft.current,
        draft: draft.isOpen ? { base: draft.base, settingsChanged: diff.settings.length > 0 } : null,
        policies: storedPolicies(draft.content).map((stored) => ({
          ...row(stored),
          change: changes.get(`${stored.kind}/${stored.policy.id}`) ?? null,
        })),
        removed: diff.policies.filter(({ change }) => change === "removed").map(({ id, name }) => ({ id, name })),
      });
    },
  );

  api.route(
    {
      method: "post",
      path: "/v1/policies/import",
      scope: "admin",
      tag: TAG,
      summary: "Import documents that were exported from Graph into the draft",
      audit: { act: "policy.import" },
      description:
        "One document, a list, or a page of Graph ({value: […]}): app protection, conditional access. All of it is imported, or nothing. " +
        "Values that can't be understood, but do no harm, are replaced and reported.",
      content: { "application/json": { schema: z.unknown().openapi({ type: "object" }) } },
      responses: {
        200: json(
          Loose("Imported", {
            imported: z.array(z.looseObject({ id: z.string() })),
            findings: z.array(z.looseObject({})),
          }),
          "What was imported, and what was replaced in it",
        ),
      },
      problems: [409],
    },
    async ({ context, key: { tenant }, acting }) => {
      const bytes = await readBytes(context, MAX_DOCUMENT_BYTES);
      const reading = readImport([{ name: "body", bytes }]);
      if (reading.problems.length > 0) {
        throw new HttpProblem(
          "import.refused",
          `Nothing was imported: ${reading.problems.length} ${reading.problems.length === 1 ? "problem" : "problems"}.`,
          {
            fix: "Correct what is listed.",
            members: { errors: reading.problems.map(({ path, code, message, fix }) => ({ path, code, message, fix })) },
          },
        );
      }
      if (reading.policies.length === 0) {
        throw new HttpProblem("request.invalid", "The body holds no policy.", {
          fix: "Send documents that were exported from Graph; assignments are said with POST /v1/policies/{policy}/assign.",
        });
      }
      const { imported } = await editDraft(catalogues, tenant, (content) => applyImport(content, reading, undefined));
      acting.know({ policies: imported.map(({ id }) => id) });
      acting.touch({ policies: imported.length });
      const own = <Item extends { readonly file: string }>({ file: _, ...item }: Item) => item;
      return context.json({
        imported: imported.map(own),
        findings: reading.findings.map(own),
        passedOver: reading.passedOver.map(own),
      });
    },
  );

  api.route(
    {
      method: "get",
      path: "/v1/policies/{policy}",
      scope: "admin",
      tag: TAG,
      summary: "Show a policy's document",
      params: Named,
      responses: { 200: json(Loose("PolicyDocument", { id: z.string() }), "The document as it came") },
      problems: [404],
    },
    async ({ context, key: { tenant }, params }) => {
      const { content } = await catalogues.draft(tenant);
      return context.json(findPolicy(storedPolicies(content), params.policy).document);
    },
  );

  api.route(
    {
      method: "delete",
      path: "/v1/policies/{policy}",
      scope: "admin",
      tag: TAG,
      summary: "Take a policy out of the draft",
      audit: { act: "policy.remove", about: ({ params: { policy } }) => ({ policy }) },
      params: Named,
      responses: { 200: json(z.object({ removed: z.string(), name: z.string() }).openapi("RemovedPolicy"), "Removed") },
      problems: [404, 409],
    },
    async ({ context, key: { tenant }, params }) => {
      const { stored } = await editDraft(catalogues, tenant, (content) => {
        const policies = storedPolicies(content);
        const stored = findPolicy(policies, params.policy);
        const others = policies.filter((one) => one !== stored);
        return { stored, content: withPolicies(content, others) };
      });
      return context.json({ removed: stored.policy.id, name: stored.policy.name });
    },
  );

  api.route(
    {
      method: "post",
      path: "/v1/policies/{policy}/assign",
      scope: "admin",
      tag: TAG,
      summary: "Say whom a policy of the draft is for",
      audit: {
        act: "policy.assign",
        about: ({ params: { policy }, body: { groups, exclude, everyone, add } }) => ({
          policy,
          groups,
          exclude,
          everyone,
          add,
        }),
      },
      params: Named,
      body: z
        .strictObject({
          groups: z.array(Id).max(1_000).default([]),
          exclude: z.array(Id).max(1_000).default([]),
          everyone: z.boolean().default(false).openapi({ description: "Every licensed user" }),
          add: z.boolean().default(false).openapi({ description: "Beside the assignments that it has" }),
        })
        .openapi("Assignment", { description: "All of it left out: nobody" }),
      responses: { 200: json(Loose("Assigned", { id: z.string() }), "Whom it is for now") },
      problems: [404, 409],
    },
    async ({ context, key: { tenant }, params, body: { groups, exclude, everyone, add } }) => {
      const { stored } = await editDraft(catalogues, tenant, (content) => {
        const policies = storedPolicies(content);
        const known = findPolicy(policies, params.policy);
        const stored = assignPolicy(known, { everyone, groups, excluded: exclude }, add);
        const all = policies.map((one) => (one === known ? stored : one));
        return { stored, content: withPolicies(content, all) };
      });
      const { id, name, targeting } = stored.policy;
      return context.json({ id, name, targeting });
    },
  );

  api.route(
    {
      method: "put",
      path: "/v1/policy-settings",
      scope: "admin",
      tag: TAG,
      summary: "Set the tenant's own settings, in the draft",
      audit: { act: "policy.settings" },
      body: z.looseObject({}).openapi("TenantSettings", { description: "docs/policies.md lists them" }),
      responses: { 200: json(Loose("ChangedSettings", { changed: z.array(z.looseObject({})) }), "What changed") },
      problems: [409],
    },
    async ({ context, key: { tenant }, body, acting }) => {
      TenantSettings.parse(body);
      const { diff } = await editDraft(catalogues, tenant, (content) => ({ content: { ...content, settings: body } }));
      acting.touch({ settings: diff.settings.length });
      return context.json({ changed: diff.settings });
    },
  );

  api.route(
    {
      method: "get",
      path: "/v1/policy-versions",
      scope: "admin",
      tag: TAG,
      summary: "List what was published, the newest first",
      query: z.strictObject({ limit: z.coerce.number().int().min(1).max(MAX_VERSIONS).default(20) }),
      responses: {
        200: json(Loose("PolicyVersions", { current: z.int(), versions: z.array(z.looseObject({})) }), "The versions"),
      },
    },
    async ({ context, key: { tenant }, query: { limit } }) => {
      const current = await catalogues.current(tenant);
      const asked = Array.from({ length: Math.min(limit, current) }, (_, n) => current - n);
      const versions = (await catalogues.documents(tenant, asked)).map(
        ({ version, publishedAt, note, ...content }) => ({
          version,
          publishedAt: publishedAt ?? null,
          note: note ?? null,
          policies: content.policies.length,
          conditionalAccess: content.conditionalAccess.length,
        }),
      );
      return context.json({ current, versions });
    },
  );

  api.route(
    {
      method: "get",
      path: "/v1/policy-diff",
      scope: "admin",
      tag: TAG,
      summary: "Compare versions, or what is in force with the draft",
      query: z.strictObject({
        from: z.coerce.number().int().min(0).optional().openapi({ description: "Default: the one in force" }),
        to: z.coerce.number().int().min(1).optional().openapi({ description: "Default: the draft" }),
      }),
      responses: { 200: json(Loose("PolicyDiff", { policies: z.array(z.looseObject({})) }), "What differs") },
      problems: [404],
    },
    async ({ context, key: { tenant }, query: { from, to } }) => {
      const draft = await catalogues.draft(tenant);
      const contentOf = async (version: number) => {
        if (version > draft.current) throw new VersionUnknownError(version, draft.current);
        return catalogues.inForce(tenant, version);
      };
      const before = from ?? draft.current;
      const diff = diffContent(await contentOf(before), to === undefined ? draft.content : await contentOf(to));
      return context.json({ from: before, to: to ?? "draft", ...diff });
    },
  );

  api.route(
    {
      method: "get",
      path: "/v1/policy-explanation",
      scope: "admin",
      tag: TAG,
      summary: "Say which rules a user gets, and from which policy",
      query: z.strictObject({
        user: z.string().refine(isUserSubject, "letters, digits, `.`, `_` and `-`, up to 128"),
        platform: z.enum(["ios", "android"]),
        app: Id.default(DEFAULT_APP),
        groups: z
          .string()
          .max(4_096)
          .optional()
          .openapi({ description: "With commas between; default: those that are known" }),
        draft: z.enum(["true", "false"]).default("false").openapi({ description: "By the draft" }),
      }),
      responses: {
        200: json(Loose("Explanation", { rules: z.looseObject({}) }), "The rules, and where each comes from"),
      },
    },
    async ({ context, key: { tenant }, query: { platform, app, ...query } }) => {
      const user = canonicalId(query.user);
      const record = await users.read({ tenant, user });
      const { content, current } = await catalogues.draft(tenant);
      const isDraft = query.draft === "true";
      const document = isDraft ? content : await catalogues.inForce(tenant, current);
      const groups =
        query.groups === undefined ? record?.groups : canonicalGroups(query.groups.split(",").filter(Boolean));
      const facts = { user, platform, app, mdmEnrolled: undefined, licensed: record?.licensed, groups };
      const version = isDraft ? current + 1 : current;
      return context.json({
        catalogue: isDraft ? "draft" : current,
        facts,
        account: record?.account ?? null,
        ...explain(readCatalogue({ ...document, version }), facts),
      });
    },
  );

  api.route(
    {
      method: "post",
      path: "/v1/policy-dry-run",
      scope: "admin",
      tag: TAG,
      summary: "Say what publishing the draft would do, and change nothing",
      description: "Every session of the tenant is folded as it stands: over many sessions this takes a while.",
      responses: {
        200: json(
          Loose("DryRun", { version: z.int(), stateChanges: z.int() }),
          "How many sessions would change, and examples",
        ),
      },
      problems: [409],
    },
    async ({ context, key: { tenant } }) => {
      const { content, current } = await draftToPublish(catalogues, tenant);
      const version = current + 1;
      return context.json({ version, ...(await dryRun(deployment, tenant, readCatalogue({ ...content, version }))) });
    },
  );

  const Published = z.object({ version: z.int() }).openapi("Published");
  api.route(
    {
      method: "post",
      path: "/v1/policy-publish",
      scope: "admin",
      tag: TAG,
      summary: "Publish the draft as the next version",
      audit: { act: "policy.publish", about: ({ body: { onto, note } }) => ({ onto, note }) },
      description: "Every decision from then on obeys it.",
      body: z
        .strictObject({
          onto: z
            .int()
            .min(1)
            .optional()
            .openapi({ description: "Publish although this version came after the draft was begun" }),
          note: Note.optional(),
        })
        .openapi("Publish"),
      responses: { 200: json(Published, "The version now in force") },
      problems: [409],
    },
    async ({ context, key: { tenant }, body: { onto, note }, acting }) => {
      const draft = await draftToPublish(catalogues, tenant, onto);
      const version = await publishDraft(deployment, tenant, draft, { note });
      acting.know({ version });
      acting.touch({ policies: draft.content.policies.length + draft.content.conditionalAccess.length });
      return context.json({ version });
    },
  );

  api.route(
    {
      method: "post",
      path: "/v1/policy-rollback",
      scope: "admin",
      tag: TAG,
      summary: "Publish an earlier version's content again",
      audit: { act: "policy.rollback", about: ({ body: { version: to, note } }) => ({ to, note }) },
      body: z.strictObject({ version: z.int().min(1), note: Note.optional() }).openapi("Rollback"),
      responses: { 200: json(Published, "The version now in force") },
      problems: [404, 409],
    },
    async ({ context, key: { tenant }, body: { version, note }, acting }) => {
      const published = await rollback(deployment, tenant, version, note === undefined ? {} : { note });
      acting.know({ version: published });
      return context.json({ version: published });
    },
  );

  api.route(
    {
      method: "post",
      path: "/v1/policy-discard",
      scope: "admin",
      tag: TAG,
      summary: "Throw the draft's changes away",
      audit: { act: "policy.discard" },
      responses: { 200: json(z.object({ discarded: z.boolean() }).openapi("Discarded"), "Whether there were any") },
      problems: [409],
    },
    async ({ context, key: { tenant } }) => {
      const draft = await catalogues.draft(tenant);
      if (draft.isOpen) await catalogues.saveDraft(tenant, draft, null);
      return context.json({ discarded: draft.isOpen });
    },
  );

  api.route(
    {
      method: "get",
      path: "/v1/policy-walk",
      scope: "admin",
      tag: TAG,
      summary: "How far the version in force has come through idle sessions",
      responses: { 200: json(Loose("Walk", { version: z.int(), isOver: z.boolean() }), "Over the whole deployment") },
    },
    async ({ context, key: { tenant } }) => {
      const version = await catalogues.current(tenant);
      const { partitionsWalking } = await walkProgress(store, { tenant, version });
      return context.json({ version, isOver: version === 0 || partitionsWalking === 0 });
    },
  );
}
