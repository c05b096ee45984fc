/** Texts that nobody else has: what tells one load, commit or append from every other one. */
import { randomFillSync } from "node:crypto";

const TOKEN_BYTES = 12;
/** The system is asked for many at once: asked for each, it would cost more than what the token is for. */
const pool = Buffer.alloc(TOKEN_BYTES * 256);
let next = pool.length;

/** 96 random bits, as 16 characters of base64url. */
export function randomToken(): string {
  if (next === pool.length) {
    randomFillSync(pool);
    next = 0;
  }
  return pool.toString("base64url", next, (next += TOKEN_BYTES));
}
