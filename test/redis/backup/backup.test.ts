/** Backup and restore on a real Redis: the same deployment afterwards, and nothing of a file or a target that can't be trusted. */
import { mkdtemp, readFile, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import {
  BackupDamagedError,
  BackupFileError,
  RestoreFailedError,
  RestoreTargetError,
} from "../../../src/backup/backup-errors.js";
import { writeBackup } from "../../../src/backup/backup-file.js";
import { backupLines } from "../../../src/backup/create-backup.js";
import { checkBackup, restoreBackup } from "../../../src/backup/restore-backup.js";
import { publish } from "../../../src/control/publish.js";
import { RedisCatalogues } from "../../../src/control/redis-catalogues.js";
import { DeliveryQueue } from "../../../src/effects/delivery-queue.js";
import { readHistory } from "../../../src/sessions/history.js";
import { look } from "../../../src/sessions/look.js";
import { DeploymentConflictError } from "../../../src/store/deployment.js";
import { bodyHash } from "../../../src/store/journal-chain.js";
import { deploymentKey, partitionKeys, userKeys } from "../../../src/store/keys.js";
import type { PartitionStore, StoredRecord } from "../../../src/store/partition-store.js";
import { readEffect } from "../../../src/store/partition-view.js";
import { openRedisPartitionStore } from "../../../src/store/redis/redis-partition-store.js";
import { verifyJournal } from "../../../src/store/verify-journal.js";
import { resumeFanOuts } from "../../../src/users/fan-out.js";
import { RedisUserStore } from "../../../src/users/redis-user-store.js";
import { connectStore } from "../../../src/redis/connection.js";
import { TENANT, TestDeployment, samplePolicy } from "../../support/deployment.js";
import { type TestRedis, startRedis } from "../../support/redis-server.js";

const PARTITIONS = 4;
const POLICIES = [samplePolicy("contoso-ios-level2")];

let server: TestRedis;
let redis: Redis;
let directory: string;
let file: string;
let prefix: string;
let elsewhere: string;
let store: PartitionStore;
let deployment: TestDeployment;

beforeEach(async () => {
  server = await startRedis();
  redis = await connectStore(server.url);
  directory = await mkdtemp(join(tmpdir(), "gatehouse-backup-"));
  file = join(directory, "a.backup");
  prefix = `${server.prefix}-a`;
  elsewhere = `${server.prefix}-b`;
  store = await openRedisPartitionStore(redis, { prefix, deployment: { partitionCount: PARTITIONS } });
  deployment = deploymentOn(prefix, store);
  const target = { store, catalogues: new RedisCatalogues(redis, prefix), wake: deployment.wake };
  await publish(target, TENANT, { policies: POLICIES, conditionalAccess: [], settings: {} });
});
afterEach(async () => {
  redis.disconnect();
  await rm(directory, { recursive: true });
  await server.stop();
});

function deploymentOn(name: string, on: PartitionStore): TestDeployment {
  const users = new RedisUserStore(redis, { prefix: name, deployment: on.deployment });
  const made = new TestDeployment(on, Date.now(), undefined, users);
  made.catalogues.add({ version: 1, policies: POLICIES, conditionalAccess: [], settings: {} });
  return made;
}

/** Sessions in several states, an erased record, effects on their way, and events that wait. */
async function aDay(): Promise<void> {
  for (const subject of ["phone-1/adele", "phone-2/bruno", "phone-3/carol", "phone-4/dora"])
    await deployment.getIn(subject);
  await deployment.send(deployment.event("account.disabled", {}, "bruno"));
  await deployment.drainAll();
  const [effect] = await store.outbox(0, null, 1);
  if (effect) await new DeliveryQueue(redis, prefix, "wh_1").add([readEffect("0-1-0-0123abcd", effect.body)]);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    const [record] = (await store.records(partition, [2])) as [StoredRecord | null];
    if (record === null) continue;
    await store.erase(partition, {
      nextToken: `erased-${partition}`,
      sessions: new Map(),
      entries: [],
      placeholder: "",
      records: [{ seq: 2, bodyHash: bodyHash(record.body) }],
      effects: [],
      counters: {},
      at: 1,
    });
  }
  await deployment.send(deployment.event("app.backgrounded", {}, "phone-1/adele"));
  await deployment.send(deployment.event("account.signedOut", { initiator: "user" }, "phone-3/carol"));
}

async function backUp(): Promise<void> {
  await writeBackup(file, backupLines({ redis, prefix, store }));
}

async function restore(to = elsewhere): Promise<PartitionStore> {
  await restoreBackup(redis, to, file, await checkBackup(file));
  return openRedisPartitionStore(redis, { prefix: to });
}

/** Every key under a prefix with its value; without what a restore adds. */
async function contents(name: string): Promise<Record<string, unknown>> {
  const found: Record<string, unknown> = {};
  for (const key of (await redis.keys(`${name}:*`)).sort()) {
    const short = key.slice(name.length);
    if (short.endsWith(":due") || short === ":unannounced") continue;
    const type = await redis.type(key);
    if (type === "hash") found[short] = await redis.hgetall(key);
    else if (type === "stream") found[short] = await redis.xrange(key, "-", "+");
    else if (type === "zset") found[short] = await redis.zrange(key, "0", "-1", "WITHSCORES");
    else found[short] = await redis.get(key);
  }
  return found;
}

async function facts(of: TestDeployment) {
  const target = { store: of.store, users: of.users, rules: of.rules };
  return Promise.all(
    ["phone-1/adele", "phone-2/bruno", "phone-3/carol", "phone-4/dora"].map(async (subject) => {
      const [device = "", user = ""] = subject.split("/");
      const { partition, lastRecord } = await look(target, `${TENANT}/${subject}/azure-mobile` as never);
      const { decision, reasons, revision } = await of.decide(device, user);
      return { subject, decision, reasons, revision, history: await readHistory(of.store, partition, lastRecord) };
    }),
  );
}

describe("what is restored", () => {
  test("is all that was there: keys, decisions, histories and chains; and work goes on", async () => {
    await aDay();
    await backUp();
    const restored = deploymentOn(elsewhere, await restore());
    expect(await contents(elsewhere)).toEqual(await contents(prefix));
    expect(restored.store.deployment).toEqual(store.deployment);
    expect(await facts(restored)).toEqual(await facts(deployment));
    for (let partition = 0; partition < PARTITIONS; partition++)
      expect(await verifyJournal(restored.store, partition)).toMatchObject({ intact: true });

    await restored.drainAll();
    await deployment.drainAll();
    expect((await facts(restored)).map(({ decision }) => decision)).toEqual(
      (await facts(deployment)).map(({ decision }) => decision),
    );
    const again = restored.event("account.signedOut", { initiator: "user" }, "phone-3/carol");
    expect((await restored.send({ ...again, id: "new" })).totals).toMatchObject({ accepted: 1 });
  });

  test("knows the events that were accepted before, so that all can be sent again", async () => {
    const event = deployment.event("account.signedIn", { platform: "ios", interactive: true }, "phone-1/adele");
    const later = deployment.event("enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }, "phone-1/adele");
    await deployment.send(event);
    await backUp();
    await deployment.send(later);
    const restored = deploymentOn(elsewhere, await restore());
    expect((await restored.send(event, later)).totals).toMatchObject({ duplicate: 1, accepted: 1 });
  });

  test("is whole although events were accepted and processed all the while", async () => {
    await aDay();
    let stop = false;
    const busy = (async () => {
      for (let n = 0; !stop; n++) {
        await deployment.getIn(`phone-${n % 40}/user-${n % 40}`);
        await deployment.drainAll();
      }
    })();
    await backUp();
    stop = true;
    await busy;
    const restored = deploymentOn(elsewhere, await restore());
    await restored.drainAll();
    for (let partition = 0; partition < PARTITIONS; partition++)
      expect(await verifyJournal(restored.store, partition)).toMatchObject({ intact: true });
  });

  test("is told the changes of users whose note was gone before the user was copied", async () => {
    await aDay();
    await deployment.drainAll();
    // As if the change had come between the copy of the partitions and that of the users.
    const { users } = deployment;
    const next = () => ({ version: 9, at: Date.now(), account: "disabled" as const });
    await users.change({ tenant: TENANT, user: "adele", next, time: 1, fingerprint: null });
    await users.toldAll({ tenant: TENANT, user: "adele" }, 9);
    await backUp();
    const restored = deploymentOn(elsewhere, await restore());
    await resumeFanOuts(restored);
    await restored.drainAll();
    const { session } = await look(restored, `${TENANT}/phone-1/adele/azure-mobile`);
    expect(session).toMatchObject({ facts: { userVersion: 9 } });
    expect((await redis.hlen(userKeys(elsewhere, 0).due)) + (await redis.hlen(userKeys(elsewhere, 1).due))).toBe(0);
  });

  test("is told the catalogue's version once more, in case a partition was copied before it", async () => {
    await backUp();
    await restore();
    expect(await new RedisCatalogues(redis, elsewhere).unannounced()).toMatchObject([{ tenant: TENANT, version: 1 }]);
  });
});

describe("the file", () => {
  test("can be read by nobody else, replaces none, and is there only when it is whole", async () => {
    await backUp();
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await expect(backUp()).rejects.toThrow(BackupFileError);
    const other = join(directory, "other.backup");
    async function* torn() {
      yield* backupLines({ redis, prefix, store });
      throw new Error("the server went away");
    }
    await expect(writeBackup(other, torn())).rejects.toThrow("the server went away");
    await expect(writeBackup(join(directory, "no", "where"), torn())).rejects.toThrow(BackupFileError);
    expect(await readdir(directory)).toEqual(["a.backup"]);
  });

  test("torn anywhere is refused, and nothing is written", async () => {
    await aDay();
    await backUp();
    const whole = await readFile(file);
    for (let length = 0; length < whole.length; length += Math.ceil(whole.length / 60)) {
      await writeFile(file, whole.subarray(0, length));
      await expect(checkBackup(file), `torn at ${length}`).rejects.toThrow(BackupDamagedError);
    }
    expect(await redis.keys(`${elsewhere}:*`)).toEqual([]);
  });

  test("with a byte changed anywhere is refused, unless the byte says nothing", async () => {
    await backUp();
    const whole = await readFile(file);
    const content = gunzipSync(whole);
    // Gzip has bits that nobody reads: a time in its head, and what fills up the last byte before its sum.
    const saysNothing = (changed: Buffer): boolean => {
      try {
        return gunzipSync(changed).equals(content);
      } catch {
        return false;
      }
    };
    let refused = 0;
    for (let at = 0; at < whole.length; at += 7) {
      const changed = Buffer.from(whole);
      changed[at] = (changed[at] as number) ^ 0x20;
      await writeFile(file, changed);
      if (saysNothing(changed)) {
        await checkBackup(file);
        continue;
      }
      await expect(checkBackup(file), `changed at ${at}`).rejects.toThrow(BackupDamagedError);
      refused++;
    }
    expect(refused).toBeGreaterThan(whole.length / 7 - 10);
  });

  test.each<[string, (lines: string[]) => string[], number]>([
    ["changed", (lines) => lines.with(4, (lines[4] as string).replace(/"value":"(.)/, '"value":"x$1')), 5],
    ["lost", (lines) => lines.toSpliced(4, 1), 5],
    ["doubled", (lines) => lines.toSpliced(4, 0, lines[4] as string), 6],
    ["moved", (lines) => lines.toSpliced(4, 2, lines[5] as string, lines[4] as string), 5],
    ["behind the end", (lines) => [...lines, lines[4] as string], 0],
    ["with something added", (lines) => lines.with(4, (lines[4] as string).replace("{", '{"more":1,')), 5],
    ["that is none", (lines) => lines.with(4, "…"), 5],
    ["of the end lost", (lines) => lines.slice(0, -1), 0],
  ])("a line %s is named", async (_, tamper, at) => {
    await aDay();
    await backUp();
    const lines = gunzipSync(await readFile(file))
      .toString()
      .trimEnd()
      .split("\n");
    const tampered = tamper(lines);
    await writeFile(file, gzipSync(`${tampered.join("\n")}\n`));
    const expected = at === 0 ? Math.max(lines.length, tampered.length) : at;
    await expect(checkBackup(file)).rejects.toThrow(`line ${expected}:`);
    await expect(checkBackup(file)).rejects.toThrow(BackupDamagedError);
  });

  test.each(["not a backup\n", "", '{"kind":"something else"}\n'])("%j is no backup", async (text) => {
    await writeFile(file, gzipSync(text));
    await expect(checkBackup(file)).rejects.toThrow(BackupDamagedError);
    await writeFile(file, text);
    await expect(checkBackup(file)).rejects.toThrow(BackupDamagedError);
  });

  test("that is not there can't be read", async () => {
    await expect(checkBackup(file)).rejects.toThrow(BackupFileError);
  });
});

describe("the target", () => {
  test("has to be empty: a deployment is never restored over another", async () => {
    await backUp();
    const before = await contents(prefix);
    await expect(restore(prefix)).rejects.toThrow(RestoreTargetError);
    expect(await contents(prefix)).toEqual(before);
    await redis.set(`${elsewhere}:something`, "of somebody's");
    await expect(restore()).rejects.toThrow(RestoreTargetError);
    expect(await redis.keys(`${elsewhere}:*`)).toEqual([`${elsewhere}:something`]);
  });

  test("can't be joined while it is restored; cut short, the same file goes on and another does not", async () => {
    await aDay();
    await backUp();
    const summary = await checkBackup(file);
    let keys = 0;
    const dying = restoreBackup(redis, elsewhere, file, summary, () => {
      if (++keys === 5) throw new Error("the process died");
    });
    await expect(dying).rejects.toThrow("the process died");
    await expect(openRedisPartitionStore(redis, { prefix: elsewhere })).rejects.toThrow(DeploymentConflictError);

    const other = join(directory, "other.backup");
    await deployment.send(deployment.event("app.foregrounded", {}, "phone-1/adele"));
    await writeBackup(other, backupLines({ redis, prefix, store }));
    await expect(restoreBackup(redis, elsewhere, other, await checkBackup(other))).rejects.toThrow(RestoreTargetError);

    await restore();
    expect(await redis.hget(deploymentKey(elsewhere), "restoring")).toBeNull();
  });

  test("is not opened when a journal does not verify", async () => {
    await aDay();
    const partition = (await store.survey([0, 1, 2, 3])).findIndex(({ sessions }) => sessions > 0);
    await redis.xdel(partitionKeys(prefix, partition).journal, "3-0");
    await backUp();
    await expect(restore()).rejects.toThrow(RestoreFailedError);
    await expect(restore()).rejects.toThrow(`partition ${partition} does not verify: record 3 is missing`);
    await expect(openRedisPartitionStore(redis, { prefix: elsewhere })).rejects.toThrow(DeploymentConflictError);
  });

  test("that can't take a value says so", async () => {
    await backUp();
    const lines = gunzipSync(await readFile(file))
      .toString()
      .trimEnd()
      .split("\n");
    async function* other() {
      for (const line of lines) {
        const { sum: _, ...content } = JSON.parse(line) as { sum: string; value?: string };
        yield ("value" in content ? { ...content, value: "AAAA" } : content) as never;
      }
    }
    await rm(file);
    await writeBackup(file, other());
    await expect(restore()).rejects.toMatchObject({
      message: expect.stringContaining("does not take {p0}:meta"),
      fix: expect.stringContaining("same version"),
    });
  });
});
