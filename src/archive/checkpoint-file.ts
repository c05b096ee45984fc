/**
 * A checkpoint: every session of a partition as it was right after one record, with what the partition was committed with, so that folding
 * the journal anew can begin there. Lines of JSON, compressed: a head, a session a line, and an end with a sum over all before it.
 * Deadlines stand in the snapshots; the timers are what `decodeSession` tells of each.
 */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";
import { z } from "zod";
import type { PartitionImage, SessionKey } from "../store/partition-store.js";
import { ArchiveDamagedError } from "./archive-errors.js";
import { type CheckpointFile, checkpointName, unreadable } from "./archive-layout.js";
import { writeNew } from "./new-file.js";

const FORMAT = 1;
const gzipBytes = promisify(gzip);
const gunzipBytes = promisify(gunzip);

const Head = z.strictObject({
  kind: z.literal("gatehouse-checkpoint"),
  format: z.literal(FORMAT, "another release of Gatehouse wrote it"),
  partition: z.int().min(0),
  seq: z.int().min(0),
  /** Hash of record `seq`. */
  head: z.string(),
  /** Id of the last inbox entry that is folded in. */
  cursor: z.string(),
  /** The partition's clock, epoch ms. */
  clock: z.number(),
  /** The partition's own state: which policies its sessions are under, and a walk that is under way. */
  state: z.string(),
  /** When it was taken, epoch ms. */
  takenAt: z.number(),
  sessions: z.int().min(0),
});
const SessionLine = z.strictObject({ key: z.string(), snapshot: z.string() });
const End = z.strictObject({ end: z.literal(true), sha256: z.string() });

export interface CheckpointHead extends Omit<z.infer<typeof Head>, "kind" | "format"> {}

export interface Checkpoint extends CheckpointHead {
  readonly file: string;
  readonly snapshots: ReadonlyMap<SessionKey, string>;
}

/** @throws ArchiveFileError */
export async function writeCheckpoint(
  directory: string,
  partition: number,
  image: PartitionImage,
  takenAt: number,
  replaces = false,
): Promise<CheckpointFile> {
  const { snapshots, seq, head, cursor, clock, state } = image;
  const line: z.infer<typeof Head> = {
    kind: "gatehouse-checkpoint",
    format: FORMAT,
    partition,
    seq,
    head,
    cursor,
    clock,
    state,
    takenAt,
    sessions: snapshots.size,
  };
  let text = `${JSON.stringify(line)}\n`;
  for (const [key, snapshot] of snapshots) text += `${JSON.stringify({ key, snapshot })}\n`;
  text += `${JSON.stringify({ end: true, sha256: sumOf(text) })}\n`;
  const file = join(directory, checkpointName(seq));
  await writeNew({
    file,
    content: [await gzipBytes(text)],
    check: async (written) => void (await readCheckpoint(written)),
    replaces,
  });
  return { file, seq };
}

const sumOf = (text: string): string => createHash("sha256").update(text).digest("hex");

/** @throws ArchiveDamagedError, ArchiveFileError */
export async function readCheckpoint(file: string): Promise<Checkpoint> {
  const bytes = await readFile(file).catch((error: unknown) => {
    throw unreadable(file, error);
  });
  const text = await gunzipBytes(bytes).then(
    (unzipped) => unzipped.toString("utf8"),
    (error: unknown) => {
      throw new ArchiveDamagedError({ file }, `it is torn or altered (${(error as Error).message})`);
    },
  );
  const endAt = text.lastIndexOf("\n", text.length - 2) + 1;
  const end = parse(End, text.slice(endAt));
  if (end?.sha256 !== sumOf(text.slice(0, endAt)))
    throw new ArchiveDamagedError({ file }, "it is not what was written");
  const [first = "", ...rest] = text.slice(0, endAt).trimEnd().split("\n");
  const head = parse(Head, first);
  if (head === undefined) throw new ArchiveDamagedError({ file }, "its head can't be used: another release wrote it");
  const { kind: _, format: __, ...told } = head;
  const snapshots = new Map<SessionKey, string>();
  for (const line of rest) {
    const session = parse(SessionLine, line);
    if (session !== undefined) snapshots.set(session.key, session.snapshot);
  }
  if (snapshots.size !== head.sessions)
    throw new ArchiveDamagedError({ file }, `it has ${snapshots.size} sessions instead of ${head.sessions}`);
  return { ...told, file, snapshots };
}

function parse<Schema extends z.ZodType>(schema: Schema, line: string): z.infer<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
