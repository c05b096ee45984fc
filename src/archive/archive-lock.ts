/**
 * One writer at a time. What a second one would break is held together by names that are never replaced; the lock is there so that it does
 * not do all the work in vain, and so that who erases knows that nobody writes what was read before.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { randomUUID } from "node:crypto";
import { mkdir, open, readFile, rename, rm, stat, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { ArchiveBusyError, ArchiveFileError } from "./archive-errors.js";
import { LOCK_FILE, TEMPORARY } from "./archive-layout.js";

const TOUCH_MS = 5_000;
/** A lock that nobody touched for so long is nobody's. */
const STALE_MS = 60_000;
const RETRY_MS = 250;

interface Holder {
  readonly pid: number;
  readonly host: string;
  readonly startedAt: string;
  readonly nonce: string;
}

const heldHere = new Set<string>();
const current = new AsyncLocalStorage<() => Promise<void>>();

/**
 * A process that stood still for a while may have been taken for dead, and what it has in memory be older than what somebody else has written, or
 * erased, since. Asked before a file gets its name.
 * @throws ArchiveBusyError
 */
export async function refuseIfTakenOver(): Promise<void> {
  await current.getStore()?.();
}

/**
 * @param waitMs how long to wait for another writer to end
 * @throws ArchiveBusyError, ArchiveFileError; and what `work` throws
 */
export async function withArchiveLock<Result>(
  directory: string,
  work: () => Promise<Result>,
  waitMs = 0,
): Promise<Result> {
  const file = join(directory, LOCK_FILE);
  const nonce = randomUUID();
  const holder: Holder = { pid: process.pid, host: hostname(), startedAt: new Date().toISOString(), nonce };
  // Before the file is there: whoever sees it in between would take it for one that this process left behind.
  heldHere.add(nonce);
  try {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    await take(file, holder, performance.now() + waitMs);
  } catch (error) {
    heldHere.delete(nonce);
    const { code, syscall } = error as NodeJS.ErrnoException;
    if (syscall === undefined || code === undefined) throw error;
    throw new ArchiveFileError(`${file} can't be written: ${(error as Error).message}`, {
      cause: error,
      fix: "Name a directory that you may write, or that can be made.",
    });
  }
  const touching = setInterval(() => {
    const now = new Date();
    void utimes(file, now, now).catch(() => undefined);
  }, TOUCH_MS);
  try {
    return await current.run(async () => {
      if ((await holderOf(file))?.nonce === nonce) return;
      throw new ArchiveBusyError("another process took this archive's lock over: this one stood still for too long", {
        fix: "Run it again when that process has ended. Nothing of what was being written was kept.",
      });
    }, work);
  } finally {
    clearInterval(touching);
    heldHere.delete(nonce);
    if ((await holderOf(file))?.nonce === nonce) await rm(file, { force: true });
  }
}

async function take(file: string, holder: Holder, until: number): Promise<void> {
  for (;;) {
    if (await create(file, holder)) return;
    const other = await holderOf(file);
    if (await isStale(file, other)) await removeStale(file, other);
    else if (performance.now() < until) await delay(RETRY_MS);
    else {
      const who =
        other === undefined ? "another process" : `process ${other.pid} on ${other.host}, since ${other.startedAt},`;
      throw new ArchiveBusyError(`${who} writes to this archive`, {
        fix: `Wait until it has ended. A process that died is noticed within a minute; the lock is ${file}.`,
      });
    }
  }
}

async function create(file: string, holder: Holder): Promise<boolean> {
  try {
    const handle = await open(file, "wx", 0o600);
    await handle.writeFile(`${JSON.stringify(holder)}\n`);
    await handle.close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

async function holderOf(file: string): Promise<Holder | undefined> {
  try {
    return JSON.parse(await readFile(file, "utf8")) as Holder;
  } catch {
    return undefined;
  }
}

async function isStale(file: string, holder: Holder | undefined): Promise<boolean> {
  if (holder?.host === hostname()) {
    if (holder.pid === process.pid) return !heldHere.has(holder.nonce);
    try {
      process.kill(holder.pid, 0);
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === "ESRCH";
    }
  }
  // Both times are told by whoever keeps the files: this machine's clock may be another.
  const probe = `${file}${TEMPORARY}-${randomUUID()}`;
  try {
    await writeFile(probe, "");
    const [now, touched] = await Promise.all([stat(probe), stat(file).catch(() => undefined)]);
    return touched !== undefined && now.mtimeMs - touched.mtimeMs > STALE_MS;
  } finally {
    await rm(probe, { force: true });
  }
}

/** Somebody else may have found it stale as well, and hold a lock of their own by now. */
async function removeStale(file: string, stale: Holder | undefined): Promise<void> {
  const aside = `${file}${TEMPORARY}-${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  if ((await holderOf(aside))?.nonce !== stale?.nonce) await rename(aside, file);
  else await rm(aside, { force: true });
}
