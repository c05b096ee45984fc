/**
 * Where every journal stands, signed: since each record's hash covers all before it, whoever keeps this can tell later whether anything up
 * to there was changed, and needs to trust neither Redis nor whoever runs it.
 */
import { createPrivateKey, createPublicKey, sign, verify } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { z } from "zod";
import { GatehouseError } from "../errors.js";
import type { JournalReader } from "../sessions/history.js";
import type { PartitionVerdict } from "./verify-partition.js";

const HASH = z.string().regex(/^[0-9a-f]{64}$/);

const SignedHeads = z.strictObject({
  kind: z.literal("gatehouse.heads"),
  prefix: z.string(),
  at: z.iso.datetime(),
  heads: z.array(z.strictObject({ partition: z.int().min(0), seq: z.int().min(1), hash: HASH })),
  /** PEM, Ed25519. */
  publicKey: z.string(),
  /** Base64, over everything above as JSON in this order. */
  signature: z.base64(),
});
export type SignedHeads = z.infer<typeof SignedHeads>;

const WHERE_TO_WRITE = "Name a file that does not exist, in a directory that does.";

/** The key or the file can't be used, or the signature is not what it should be. */
export class SignedHeadsError extends GatehouseError {
  readonly code = "heads.invalid";
  readonly retryable = false;
}

/**
 * Before a long run: whether there is a key to sign with, and nothing in the place of what will be written.
 * @throws SignedHeadsError
 */
export async function checkSigning(keyFile: string, file: string): Promise<void> {
  await readKey(keyFile, createPrivateKey);
  if (existsSync(file)) throw new SignedHeadsError(`${file} exists`, { fix: WHERE_TO_WRITE });
}

/** @param keyFile PEM of an Ed25519 private key. @throws SignedHeadsError */
export async function signHeads(
  keyFile: string,
  prefix: string,
  verdicts: readonly PartitionVerdict[],
): Promise<SignedHeads> {
  const key = await readKey(keyFile, createPrivateKey);
  const heads = verdicts
    .filter(({ seq }) => seq > 0)
    .map(({ partition, seq, head }) => ({ partition, seq, hash: head }));
  const publicKey = createPublicKey(key).export({ type: "spki", format: "pem" });
  const said = {
    kind: "gatehouse.heads",
    prefix,
    at: new Date().toISOString(),
    heads,
    publicKey: String(publicKey),
  } as const;
  return { ...said, signature: sign(null, Buffer.from(JSON.stringify(said)), key).toString("base64") };
}

/** @throws SignedHeadsError */
export async function writeSignedHeads(file: string, heads: SignedHeads): Promise<void> {
  await writeFile(file, `${JSON.stringify(heads, undefined, 2)}\n`, { flag: "wx" }).catch((cause: unknown) => {
    throw new SignedHeadsError(`${file} can't be written: ${(cause as Error).message}`, {
      cause,
      fix: WHERE_TO_WRITE,
    });
  });
}

/**
 * @param signerFile PEM of the public key that must have signed; absent: the key in the file is believed
 * @throws SignedHeadsError
 */
export async function readSignedHeads(file: string, signerFile: string | undefined): Promise<SignedHeads> {
  const text = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new SignedHeadsError(`${file} can't be read: ${(cause as Error).message}`, {
      cause,
      fix: "Name the file that --sign wrote.",
    });
  });
  let parsed: ReturnType<typeof SignedHeads.safeParse>;
  try {
    parsed = SignedHeads.safeParse(JSON.parse(text));
  } catch (cause) {
    throw new SignedHeadsError(`${file} is not JSON`, { cause, fix: "Name the file that --sign wrote." });
  }
  if (!parsed.success)
    throw new SignedHeadsError(`${file} holds no signed heads`, { fix: "Name the file that --sign wrote." });
  const { signature, ...said } = parsed.data;
  const key =
    signerFile === undefined
      ? keyOf(said.publicKey, file, createPublicKey)
      : await readKey(signerFile, createPublicKey);
  if (!verify(null, Buffer.from(JSON.stringify(said)), key, Buffer.from(signature, "base64"))) {
    throw new SignedHeadsError(`the signature of ${file} does not hold`, {
      fix: "The file was changed, or another key signed it (--signer).",
    });
  }
  return parsed.data;
}

/** The signed records that are other ones by now. @throws StoreUnavailableError */
export async function checkHeads(
  journal: JournalReader,
  partitionCount: number,
  { heads }: SignedHeads,
): Promise<readonly { readonly partition: number; readonly seq: number; readonly why: "another" | "notKept" }[]> {
  const found = await Promise.all(
    heads.map(async ({ partition, seq, hash }) => {
      const [record] = partition < partitionCount ? await journal.records(partition, [seq]) : [];
      if (record === null || record === undefined) return { partition, seq, why: "notKept" as const };
      return record.hash === hash ? undefined : { partition, seq, why: "another" as const };
    }),
  );
  return found.filter((one) => one !== undefined);
}

async function readKey<Key>(file: string, read: (pem: string) => Key): Promise<Key> {
  const pem = await readFile(file, "utf8").catch((cause: unknown) => {
    throw new SignedHeadsError(`${file} can't be read: ${(cause as Error).message}`, {
      cause,
      fix: "Name a key in PEM.",
    });
  });
  return keyOf(pem, file, read);
}

function keyOf<Key>(pem: string, file: string, read: (pem: string) => Key): Key {
  try {
    const key = read(pem);
    if ((key as { asymmetricKeyType?: string }).asymmetricKeyType === "ed25519") return key;
  } catch {
    // Said below.
  }
  throw new SignedHeadsError(`${file} holds no Ed25519 key`, {
    fix: "openssl genpkey -algorithm ed25519 -out key.pem makes one.",
  });
}
