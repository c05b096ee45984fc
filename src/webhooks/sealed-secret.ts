/**
 * The secrets that deliveries are signed with. Whoever signs must be able to read them, so they are encrypted, with a key that is not
 * stored beside them.
 */
import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";
import { WebhookSecretError } from "./webhook-errors.js";

const SECRET_BYTES = 32;
const IV_BYTES = 12;
const ALGORITHM = "aes-256-gcm";

/** `whsec_` and 256 bits in base64, as Standard Webhooks has them. */
export const newSecret = (): string => `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`;

/** @param endpoint what the secret belongs to: with another one it can't be opened */
export function seal(secret: string, endpoint: string, key: Buffer): string {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(ALGORITHM, key, iv).setAAD(Buffer.from(endpoint));
  const text = Buffer.concat([cipher.update(secret, "utf8"), cipher.final()]);
  return [iv, cipher.getAuthTag(), text].map((part) => part.toString("base64url")).join(".");
}

/** @throws WebhookSecretError if the key or the endpoint is another one, or the text was changed */
export function unseal(sealed: string, endpoint: string, key: Buffer): string {
  const [iv, tag, text] = sealed.split(".").map((part) => Buffer.from(part, "base64url"));
  try {
    if (iv === undefined || tag === undefined || text === undefined) throw new RangeError("three parts");
    const decipher = createDecipheriv(ALGORITHM, key, iv, { authTagLength: 16 });
    decipher.setAAD(Buffer.from(endpoint)).setAuthTag(tag);
    return Buffer.concat([decipher.update(text), decipher.final()]).toString("utf8");
  } catch {
    throw new WebhookSecretError(endpoint);
  }
}
