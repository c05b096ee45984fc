/** API keys: what one looks like, what is kept of it, and what it may do. */
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Emitter } from "../../machines/events/define-event.js";
import { TENANT_PATTERN } from "../ingest/cloud-event.js";

/**
 * `emit`: report events. `decide`: ask for decisions. `operate`: look at sessions, histories and effects, and redrive. `admin`: policies,
 * users, webhooks and keys. None includes another.
 */
export const SCOPES = ["emit", "decide", "operate", "admin"] as const;
export type Scope = (typeof SCOPES)[number];

export const EMITTERS = ["app", "service", "admin", "mtd"] as const satisfies readonly Emitter[];

/** What is kept: nothing that a request could be made with. */
export const ApiKeyRecord = z.strictObject({
  id: z.string(),
  tenant: z.string().regex(TENANT_PATTERN),
  name: z.string(),
  scopes: z.array(z.enum(SCOPES)).readonly(),
  /** Whose events the key may report; absent: everybody's. */
  emitters: z.array(z.enum(EMITTERS)).readonly().optional(),
  /** HMAC-SHA-256 of the secret, hex, under a key that is not stored with it. */
  mac: z.string(),
  /** Epoch ms. */
  createdAt: z.number(),
  expiresAt: z.number().nullable(),
  revokedAt: z.number().nullable(),
});
export type ApiKeyRecord = z.infer<typeof ApiKeyRecord>;

const ID_BYTES = 8;
const SECRET_BYTES = 32;
const TEXT = /^gh_([0-9a-f]{16})_([A-Za-z0-9_-]{43})$/;

export interface KeyText {
  readonly id: string;
  /** 256 bits, base64url. */
  readonly secret: string;
}

export const newKeyText = (): KeyText => ({
  id: randomBytes(ID_BYTES).toString("hex"),
  secret: randomBytes(SECRET_BYTES).toString("base64url"),
});

export const formatKey = ({ id, secret }: KeyText): string => `gh_${id}_${secret}`;

/** `gh_<id>_<secret>`, or `undefined` if it does not look like one. */
export function parseKey(text: string): KeyText | undefined {
  const [, id, secret] = TEXT.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

export const macOf = (secret: string, pepper: Buffer): string =>
  createHmac("sha256", pepper).update(secret).digest("hex");

/** Takes as long for every wrong secret. */
export function isSecretOf({ mac }: Pick<ApiKeyRecord, "mac">, secret: string, pepper: Buffer): boolean {
  const given = Buffer.from(macOf(secret, pepper));
  const known = Buffer.from(mac);
  return given.length === known.length && timingSafeEqual(given, known);
}
