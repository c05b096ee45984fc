/** API keys of the caller's tenant. */
import { z } from "@hono/zod-openapi";
import { type ApiKeyRecord, EMITTERS, SCOPES } from "../../keys/api-key.js";
import { type Api, json } from "../api.js";

const Key = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    emitters: z.array(z.enum(EMITTERS)).optional(),
    createdAt: z.number().openapi({ description: "Epoch ms" }),
    expiresAt: z.number().nullable(),
    revokedAt: z.number().nullable(),
  })
  .openapi("ApiKey");

const NewKey = z
  .strictObject({
    name: z.string().trim().min(1).max(128).openapi({ description: "For people: who has it" }),
    scopes: z.array(z.enum(SCOPES)).min(1).max(SCOPES.length),
    emitters: z
      .array(z.enum(EMITTERS))
      .min(1)
      .max(EMITTERS.length)
      .optional()
      .openapi({ description: "Whose events the key may report; by default everybody's" }),
    expiresInDays: z.int().min(1).max(3_650).optional(),
  })
  .openapi("NewApiKey");

const DAY_MS = 86_400_000;

/** What may be shown of a key. */
export const keyView = ({ mac: _, tenant: __, ...shown }: ApiKeyRecord) => shown;

export function keyRoutes(api: Api): void {
  const { keys } = api.dependencies;

  api.route(
    {
      method: "post",
      path: "/v1/keys",
      scope: "admin",
      tag: "API keys",
      summary: "Create an API key",
      audit: {
        act: "keys.create",
        about: ({ body: { name, scopes, emitters, expiresInDays } }) => ({ name, scopes, emitters, expiresInDays }),
      },
      body: NewKey,
      responses: {
        201: json(Key.extend({ key: z.string() }).openapi("CreatedApiKey"), "The key, which can't be had again"),
      },
    },
    async ({ context, key: { tenant }, body: { name, scopes, emitters, expiresInDays }, acting }) => {
      const expiresAt = expiresInDays === undefined ? null : Date.now() + expiresInDays * DAY_MS;
      const { record, key } = await keys.create({ tenant, name, scopes, ...(emitters && { emitters }), expiresAt });
      acting.know({ id: record.id });
      context.header("cache-control", "no-store");
      return context.json({ ...keyView(record), key }, 201);
    },
  );

  api.route(
    {
      method: "get",
      path: "/v1/keys",
      scope: "admin",
      tag: "API keys",
      summary: "List API keys",
      responses: {
        200: json(z.object({ keys: z.array(Key) }).openapi("ApiKeys"), "The oldest first, without secrets"),
      },
    },
    async ({ context, key: { tenant } }) => context.json({ keys: (await keys.list(tenant)).map(keyView) }),
  );

  api.route(
    {
      method: "delete",
      path: "/v1/keys/{id}",
      scope: "admin",
      tag: "API keys",
      summary: "Revoke an API key",
      audit: { act: "keys.revoke", about: ({ params: { id } }) => ({ id }) },
      description: "Within seconds no request with it is taken any more.",
      params: z.object({ id: z.string().max(64) }),
      responses: { 200: json(Key, "The revoked key") },
      problems: [404],
    },
    async ({ context, key: { tenant }, params: { id } }) => context.json(keyView(await keys.revoke(tenant, id))),
  );
}
