/** A partition's journal without a machine: records of sessions, committed as a worker would, and a directory to archive them in. */
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chainRecords } from "../../src/store/journal-chain.js";
import type { PartitionStore } from "../../src/store/partition-store.js";
import { sessionKey } from "../../src/store/session-key.js";

export const NOON = Date.parse("2026-03-02T12:00:00Z");

/** What the file says to whoever has no Gatehouse. */
export function zcat(file: string): string {
  const program = "zcat";
  return execFileSync(program, [file], { encoding: "utf8" });
}

export const idOf = (who: string) => `contoso/phone-${who}/${who}/azure-mobile` as const;

export async function archiveDirectory(): Promise<{ readonly path: string; remove(): Promise<void> }> {
  const home = await mkdtemp(join(tmpdir(), "gatehouse-archive-"));
  return { path: join(home, "archive"), remove: async () => rm(home, { recursive: true }) };
}

/** Grows one partition's journal. Each record names the one before it of its session, as real ones do. */
export class Journal {
  private readonly newest = new Map<string, number>();
  private commits = 0;

  constructor(
    readonly store: PartitionStore,
    readonly partition = 0,
    /** What tells this branch's records from another's. */
    private readonly branch = "",
  ) {}

  /** Records of several sessions by turns, a commit for about a hundred; one a minute by their own time. */
  async grow(
    records: number,
    sessions: readonly string[] = ["adele", "bruno", "carol"],
    say: object = {},
  ): Promise<void> {
    for (let left = records; left > 0; left -= 100) await this.commit(Math.min(left, 100), sessions, say);
  }

  private async commit(records: number, sessions: readonly string[], say: object): Promise<void> {
    const batch = await this.store.load(this.partition, { entries: 1, bytes: 1 });
    const snapshots = new Map<string, string>();
    const bodies = Array.from({ length: records }, (_, n) => {
      const seq = batch.seq + 1 + n;
      const who = sessions[seq % sessions.length] as string;
      const session = idOf(who);
      const previous = this.newest.get(who);
      this.newest.set(who, seq);
      snapshots.set(sessionKey(session), JSON.stringify({ id: session, j: seq }));
      const event = { type: "app.backgrounded", ...say };
      return JSON.stringify({ seq, session, at: NOON + seq * 60_000, event, branch: this.branch, previous });
    });
    const result = await this.store.commit(this.partition, {
      token: batch.token,
      nextToken: `${this.branch}token-${(this.commits += 1)}`,
      last: null,
      clock: NOON + (batch.seq + records) * 60_000,
      snapshots,
      timers: new Map(),
      consumed: new Map(),
      records: chainRecords(batch.head, batch.seq + 1, bodies),
      effects: [],
      counters: {},
    });
    if (result.status !== "committed") throw new Error("somebody else commits to this partition");
  }

  /** Number of the session's newest record. */
  lastOf(who: string): number {
    return this.newest.get(who) ?? 0;
  }
}
