/**
 * A fleet at rest, written straight into the store: what its sessions would be after signing in, enrolling, reporting and choosing a
 * PIN. Each is a copy of one that was really folded, under another name.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { foldBatch, type Entry } from "../../machines/fold-batch.js";
import type { SessionEvent } from "../../machines/events/catalogue.js";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import { Resolver } from "../../machines/policy/resolver.js";
import type { Platform } from "../../machines/policy/rules.js";
import { type Session, earliestTimer, resolveFacts } from "../../machines/session/session.js";
import { encodeSession } from "../../machines/session/snapshot.js";
import type { PartitionStore, SessionKey } from "../../src/store/partition-store.js";
import { partitionOf, sessionKey } from "../../src/store/session-key.js";
import { PIN } from "../core/phone.js";

const COMMIT_SESSIONS = 2_000;

export const GROUPS = 25;
export const groupId = (n: number): string => `00000000-0000-4000-8000-${String(n).padStart(12, "0")}`;

export interface Kind {
  readonly platform: Platform;
  readonly group: string;
}

/** Every platform in every group: 50 kinds of sessions. */
export const KINDS: readonly Kind[] = Array.from({ length: GROUPS }, (_, n) => groupId(n)).flatMap((group) => [
  { platform: "ios", group } as const,
  { platform: "android", group } as const,
]);

const POSTURES = {
  ios: { osVersion: "17.4.1", appVersion: "6.2.1", sdkVersion: "19.7.2", model: "iPhone15,2", manufacturer: "Apple" },
  android: {
    osVersion: "14",
    appVersion: "6.2.1",
    patchVersion: "2026-02-01",
    model: "Pixel 8",
    manufacturer: "Google",
    integrity: "strong",
    appScan: true,
    portalVersion: "5.0.6000.0",
    portalAgeDays: 0,
  },
} as const;

/** A session of this kind as it rests once the person is in. */
function folded({ platform, group }: Kind, catalogue: Catalogue, tenant: string, at: number): Session {
  const id = `${tenant}/device/user/azure-mobile`;
  const resolver = new Resolver(catalogue);
  const events: readonly SessionEvent[] = [
    { type: "account.signedIn", platform, interactive: true },
    { type: "membership.changed", groups: [group] },
    { type: "enrollment.completed", result: "ENROLLMENT_SUCCEEDED" },
    { type: "posture.reported", rooted: false, deviceLock: "high", ...POSTURES[platform] },
    { type: "pin.set", descriptor: PIN },
  ];
  const outcome = foldBatch(
    {
      policies: { [tenant]: { base: catalogue.version, broadcasts: [] } },
      horizon: at,
      entries: events.map((event): Entry => ({ kind: "event", session: id, occurrence: { event, at } })),
      due: [],
      sessions: new Map(),
      seq: 0,
    },
    (_tenant, _version, session) => resolver.rules(resolveFacts(session)),
  );
  const session = outcome.sessions.get(id);
  if (session === undefined) throw new Error("a sign-in begins a session");
  return { ...session, lastRecord: 0 };
}

/**
 * Writes `count` sessions, kinds in turn.
 * @returns some of their devices and users, to send events to
 */
export async function seedFleet(
  store: PartitionStore,
  catalogue: Catalogue,
  tenant: string,
  count: number,
  live: number,
  onProgress: (written: number) => void,
): Promise<readonly string[]> {
  const at = (await store.survey([0]))[0]?.now ?? 0;
  const kinds = KINDS.map((kind) => folded(kind, catalogue, tenant, at));
  const waiting = new Map<number, { snapshots: Map<SessionKey, string>; timers: Map<SessionKey, number | null> }>();
  const subjects: string[] = [];

  const write = async (partition: number): Promise<void> => {
    const { snapshots, timers } = waiting.get(partition) ?? { snapshots: new Map(), timers: new Map() };
    waiting.delete(partition);
    const { token } = await store.chunk(partition, null, 1);
    await store.commit(partition, {
      token,
      nextToken: randomBytes(9).toString("base64url"),
      last: null,
      clock: at,
      snapshots,
      timers,
      consumed: new Map(),
      records: [],
      effects: [],
      counters: { "in.active": snapshots.size },
    });
  };

  for (let n = 0; n < count; n++) {
    const [device, user] = [randomUUID(), randomUUID()];
    const session = { ...(kinds[n % kinds.length] as Session), id: `${tenant}/${device}/${user}/azure-mobile` };
    if (n < live) subjects.push(`${device}/${user}`);
    const partition = partitionOf(tenant, device, store.deployment.partitionCount);
    const batch = waiting.get(partition) ?? { snapshots: new Map(), timers: new Map() };
    waiting.set(partition, batch);
    const key = sessionKey(session.id);
    batch.snapshots.set(key, encodeSession(session));
    batch.timers.set(key, earliestTimer(session));
    if (batch.snapshots.size >= COMMIT_SESSIONS) await write(partition);
    if (n % 50_000 === 0) onProgress(n);
  }
  await Promise.all([...waiting.keys()].map(write));
  return subjects;
}
