/** The files that a policy command names: documents are small, so they are read whole. */
import { readFile, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { decodeText } from "../../control/decode-text.js";
import type { ImportFile } from "../../control/import-documents.js";
import { UsageError } from "../failure.js";
import { whereNotJson } from "../../where-not-json.js";

/** Far more than all policies of a tenant take. */
const MOST_BYTES = 64 * 1024 * 1024;
const MOST_FILES = 10_000;

/**
 * Every file named, and of a directory every `.json` file in it and below, by name; `-` is stdin.
 * @throws UsageError if one can't be read
 */
export async function readFiles(named: readonly string[]): Promise<readonly ImportFile[]> {
  const names: string[] = [];
  for (const name of named) {
    if (name === "-" || !(await facts(name)).isDirectory()) {
      names.push(name);
      continue;
    }
    const found = await jsonFilesIn(name);
    if (found.length === 0) {
      throw new UsageError(`${name} holds no .json file`, { fix: "Name a directory of exports." });
    }
    names.push(...found);
  }
  const unique = [...new Set(names)];
  if (unique.length > MOST_FILES) {
    throw new UsageError(`${unique.length} files are more than ${MOST_FILES}`, { fix: "Import them in several goes." });
  }
  let bytes = 0;
  const files: ImportFile[] = [];
  for (const name of unique) {
    bytes += name === "-" ? 0 : Number((await facts(name)).size);
    if (bytes > MOST_BYTES) {
      throw new UsageError(`${name}: the files come to more than ${MOST_BYTES / 1024 / 1024} MiB`, {
        fix: "Policies are small: name their exports alone.",
      });
    }
    files.push({ name, bytes: await readBytes(name) });
  }
  return files;
}

/** @throws UsageError if it can't be read or is no JSON */
export async function readJsonFile(name: string): Promise<unknown> {
  try {
    return JSON.parse(decodeText(await readBytes(name))) as unknown;
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw new UsageError(`${name} is ${whereNotJson(error)}`, {
      cause: error,
      fix: "Correct the file.",
    });
  }
}

async function readBytes(name: string): Promise<Uint8Array> {
  if (name === "-") {
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of process.stdin as AsyncIterable<Buffer>) {
      bytes += chunk.length;
      if (bytes > MOST_BYTES)
        throw new UsageError("stdin gives too much", { fix: "Policies are small: send them alone." });
      chunks.push(chunk);
    }
    return Buffer.concat(chunks);
  }
  return readFile(name).catch((error: unknown) => {
    throw unreadable(name, error);
  });
}

async function facts(name: string): Promise<Awaited<ReturnType<typeof stat>>> {
  return stat(name).catch((error: unknown) => {
    throw unreadable(name, error);
  });
}

async function jsonFilesIn(directory: string): Promise<string[]> {
  try {
    const found = await readdir(directory, { recursive: true, withFileTypes: true });
    return found
      .filter((entry) => entry.isFile() && /\.json$/i.test(entry.name) && !entry.name.startsWith("."))
      .map((entry) => join(entry.parentPath, entry.name))
      .sort();
  } catch (error) {
    throw unreadable(directory, error);
  }
}

const unreadable = (name: string, cause: unknown): UsageError =>
  new UsageError(`${name} can't be read: ${(cause as Error).message}`, {
    cause,
    fix: "Name a file or a directory that exists and that you may read, or - for stdin.",
  });
