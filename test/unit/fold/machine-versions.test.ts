/** Another version of the machine: its sessions are brought to this one by migrations, or refused; nothing is guessed. */
import { describe, expect, test } from "vitest";
import {
  type MachineVersion,
  type Migration,
  type PastSession,
  THIS_MACHINE,
} from "../../../machines/session/machine-versions.js";
import { SnapshotError, decodeSession, encodeSession, snapshotVersion } from "../../../machines/session/snapshot.js";
import { activeSession } from "../../support/builders.js";

/** A version to come: `active` is called `open` there, and the recheck is a patrol. */
const rename: Migration = (session) => {
  const { recheck, ...timers } = session.timers;
  return {
    ...session,
    state: session.state === "active" ? "open" : session.state,
    timers: { ...timers, ...(recheck !== undefined && { patrol: recheck }) },
  };
};

const next = (migrate: Migration = rename, more: Partial<MachineVersion> = {}): MachineVersion => ({
  version: THIS_MACHINE.version + 1,
  states: new Set([...[...THIS_MACHINE.states].filter((state) => state !== "active"), "open"]),
  timers: new Set([...[...THIS_MACHINE.timers].filter((id) => id !== "recheck"), "patrol"]),
  migrations: new Map([[THIS_MACHINE.version, migrate]]),
  ...more,
});

const { session } = activeSession();
const stored = encodeSession(session);

function refusal(text: string, machine?: MachineVersion): Pick<SnapshotError, "kind" | "message"> {
  try {
    decodeSession(text, machine);
  } catch (error) {
    if (error instanceof SnapshotError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("an older session", () => {
  test("is read as the newer version has it, with everything else as it was", () => {
    const read = decodeSession(stored, next()) as PastSession;
    expect(read.state).toBe("open");
    expect(read.timers).toEqual(rename(session).timers);
    expect([read.facts, read.revision, read.asOf, read.rulesHash]).toEqual([
      expect.objectContaining({ platform: session.facts.platform, posture: session.facts.posture }),
      session.revision,
      session.asOf,
      session.rulesHash,
    ]);
  });

  test("goes through every version in between, in their order", () => {
    const seen: number[] = [];
    const through =
      (version: number): Migration =>
      (past) => {
        seen.push(version);
        return version === 1 ? rename(past) : past;
      };
    const migrations = new Map([1, 2, 3].map((version) => [version, through(version)]));
    decodeSession(stored, next(rename, { version: 4, migrations }));
    expect(seen).toEqual([1, 2, 3]);
  });

  test("is written under the version that it was brought to", () =>
    expect(snapshotVersion(encodeSession(decodeSession(stored, next()), 2))).toBe(2));

  test("that was never touched keeps the version that wrote it", () => expect(snapshotVersion(stored)).toBe(1));
});

describe("what is refused", () => {
  test("a newer session: whoever wrote it may read it", () =>
    expect(refusal(encodeSession(session, THIS_MACHINE.version + 1))).toMatchObject({
      kind: "version",
      message: "machine version 2 wrote the snapshot; this is version 1",
    }));

  test("a newer session of another shape, too", () =>
    expect(refusal(JSON.stringify({ v: THIS_MACHINE.version + 1, session: "elsewhere" })).kind).toBe("version"));

  test("an older one that no migration leads from", () =>
    expect(refusal(stored, next(rename, { version: 3 })).kind).toBe("version"));

  test("one whose migration says that it does not land, with its words", () => {
    const machine = next(() => {
      throw new Error("a session that waits for the portal has no place");
    });
    expect(refusal(stored, machine)).toMatchObject({
      kind: "corrupt",
      message: "the migration from machine version 1 to 2 failed: a session that waits for the portal has no place",
    });
  });

  test("one whose state is none of the newer version's", () =>
    expect(
      refusal(
        stored,
        next((past) => past),
      ).message,
    ).toBe("machine version 2 has no state active"));

  test("one whose deadline nobody would answer", () => {
    const armed = encodeSession({ ...session, timers: { ...session.timers, recheck: session.asOf + 1 } });
    const machine = next((past) => ({ ...past, state: "open" }));
    expect(refusal(armed, machine).message).toBe("machine version 2 has no deadline recheck");
  });
});
