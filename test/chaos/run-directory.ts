/** Where a run keeps data, logs and its report: one that is named, or a temporary one. */
import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { UsageError } from "../../src/cli/failure.js";

/** @throws UsageError if it can't be made, or holds something already */
export async function runDirectory(named: string | undefined, kind: string): Promise<string> {
  if (named === undefined) return mkdtemp(join(tmpdir(), `gatehouse-${kind}-`));
  const directory = resolve(named);
  const there = await mkdir(directory, { recursive: true }).then(
    async () => readdir(directory),
    (cause: unknown) => {
      throw new UsageError(`${directory} can't be made: ${(cause as Error).message}`, {
        cause,
        fix: "Name a directory that you may write to.",
      });
    },
  );
  if (there.length === 0) return directory;
  throw new UsageError(`${directory} is not empty`, {
    fix: "Name an empty directory, or one that does not exist: a run begins with no data of another.",
  });
}

/** Data and logs; what a report is made of stays. */
export async function removeData(directory: string): Promise<void> {
  const names = await readdir(directory);
  const data = names.filter((name) => name === "redis" || name === "archive" || name.endsWith(".log"));
  await Promise.all(
    data.map(async (name) => rm(join(directory, name), { recursive: true, force: true, maxRetries: 3 })),
  );
}
