/**
 * An effect's name outside its partition. Receivers tell repetitions by it, so it must never mean two effects: after a failover that
 * lost records, another one gets the same number.
 */
import { hash } from "node:crypto";

const DIGEST_CHARS = 8;

/**
 * `<partition>-<seq>-<n>-<digest>`, the same at every attempt.
 * @param id as in the outbox, `<seq>-<n>`
 */
export function effectId(prefix: string, partition: number, id: string, body: string): string {
  const digest = hash("sha256", `${prefix}\n${id}\n${body}`, "hex").slice(0, DIGEST_CHARS);
  return `${partition}-${id}-${digest}`;
}

/** Whether a text has an effect id's form. */
export const isEffectId = (text: string): boolean => /^\d+-\d+-\d+-[0-9a-f]{8}$/.test(text);
