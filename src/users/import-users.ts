/** Users in bulk: each record is made to say what the import says, and who has sessions is told. What is known already costs a read. */
import { withFacts } from "../../machines/users/user-record.js";
import { type FanOutTarget, tellSessions } from "./fan-out.js";
import { MAX_USERS } from "./user-store.js";
import type { UserLine } from "./user-line.js";

export interface Imported {
  readonly changed: number;
  readonly unchanged: number;
  /** Sessions that were told. */
  readonly told: number;
}

/**
 * @param lines of one user the later one counts
 * @throws StoreUnavailableError; importing all of it again is safe, and takes up where this ended
 */
export async function importUsers(target: FanOutTarget, tenant: string, lines: readonly UserLine[]): Promise<Imported> {
  let [changed, told] = [0, 0];
  for (const some of rounds(lines)) {
    const records = await target.users.readMany(
      tenant,
      some.map(({ user }) => user),
    );
    await Promise.all(
      some.map(async ({ user, facts }, n) => {
        const known = records[n];
        if (withFacts(known, facts, 0) === known) return;
        const change = await target.users.change({
          tenant,
          user,
          next: (record, at) => withFacts(record, facts, at),
          // Where the clock is the events' own, an import does not move it.
          time: 0,
          fingerprint: null,
        });
        if (change.status !== "changed") return;
        changed++;
        if (change.due !== null) told += await tellSessions(target, change.due);
      }),
    );
  }
  return { changed, unchanged: lines.length - changed, told };
}

/** In the order of the lines, and no user twice in one round. */
function* rounds(lines: readonly UserLine[]): Generator<readonly UserLine[]> {
  let round = new Map<string, UserLine>();
  for (const line of lines) {
    if (round.has(line.user) || round.size === MAX_USERS) {
      yield [...round.values()];
      round = new Map();
    }
    round.set(line.user, line);
  }
  if (round.size > 0) yield [...round.values()];
}
