/** The contract of the user store's port. Both implementations run it. */
import { beforeEach, describe, expect, test } from "vitest";
import { type UserEvent, type UserRecord, changeUser, withFacts } from "../../machines/users/user-record.js";
import { newDeployment, type DeploymentRequest } from "../../src/store/deployment.js";
import type { Deployment } from "../../src/store/partition-store.js";
import {
  MAX_USERS,
  type DueChange,
  type UserChange,
  type UserChanged,
  type UserSession,
  type UserStore,
} from "../../src/users/user-store.js";

const TENANT = "contoso";
const NOON = Date.parse("2026-03-02T12:00:00Z");
const ADELE = { tenant: TENANT, user: "adele" };
const PHONE = { user: "adele", device: "phone-1", app: "azure-mobile" };
const TABLET = { user: "adele", device: "tablet-1", app: "azure-mobile" };

const told = (event: UserEvent, id = "1") => ({ source: "directory", id, event });

/** An event about somebody, as ingest hands it over. */
const event = (type: UserEvent["type"], changes: Partial<UserChange> = {}): UserChange => {
  const one = (type === "membership.changed" ? { type, groups: ["sales"] } : { type }) as UserEvent;
  return {
    ...ADELE,
    next: (record, at) => changeUser(record, one, NOON, at),
    told: told(one),
    time: NOON,
    fingerprint: null,
    ...changes,
  };
};

const named = (id: string, body: string): Pick<UserChange, "fingerprint"> => ({ fingerprint: { id, body } });

function changed(answer: UserChanged): { record: UserRecord; due: DueChange | null } {
  if (answer.status !== "changed") throw new Error(`expected a change, got ${answer.status}`);
  return answer;
}

export function describeUserStore(name: string, open: (deployment: Deployment) => Promise<UserStore>): void {
  describe(`${name}: a user store`, () => {
    const openWith = (request: DeploymentRequest = {}): Promise<UserStore> =>
      open(newDeployment({ partitionCount: 4, clock: "event", ...request }));
    let users: UserStore;
    beforeEach(async () => {
      users = await openWith();
    });

    async function all(user = ADELE, count = 10): Promise<UserSession[]> {
      const found: UserSession[] = [];
      let from: string | null = null;
      do {
        const page: Awaited<ReturnType<UserStore["sessionsOf"]>> = await users.sessionsOf(user, from, count);
        found.push(...page.sessions);
        from = page.next;
      } while (from !== null);
      return found;
    }

    describe("what is forgotten", () => {
      test("of a user is record, note and every session; others keep theirs", async () => {
        await users.join(TENANT, [PHONE, TABLET, { ...PHONE, user: "bruno" }]);
        await users.change(event("account.disabled"));
        await users.change(event("account.disabled", { user: "bruno" }));
        await users.change(event("account.disabled", { tenant: "fabrikam" }));
        expect(await users.forget(ADELE, "all")).toEqual({ record: true, sessions: 2 });
        expect(await users.read(ADELE)).toBeUndefined();
        expect(await all()).toEqual([]);
        expect((await allDue()).map(({ user }) => user)).toEqual(["bruno"]);
        expect(await users.read({ tenant: "fabrikam", user: "adele" })).toBeDefined();
        expect(await users.forget(ADELE, "all")).toEqual({ record: false, sessions: 0 });
      });

      test("of some sessions leaves the record and the other sessions", async () => {
        await users.join(TENANT, [PHONE, TABLET]);
        await users.change(event("license.granted"));
        expect(await users.forget(ADELE, [PHONE])).toEqual({ record: false, sessions: 1 });
        expect(await all()).toEqual([{ device: "tablet-1", app: "azure-mobile" }]);
        expect(await users.read(ADELE)).toBeDefined();
        await users.forget(ADELE, [PHONE, TABLET]);
        expect(changed(await users.change(event("license.revoked"))).due).toBeNull();
      });
    });

    async function allDue(count = 10): Promise<DueChange[]> {
      const found: DueChange[] = [];
      let from: string | null = null;
      do {
        const page: Awaited<ReturnType<UserStore["due"]>> = await users.due(from, count);
        found.push(...page.changes);
        from = page.next;
      } while (from !== null);
      return found;
    }

    describe("a record", () => {
      test("is not there before anything was told", async () => {
        expect(await users.read(ADELE)).toBeUndefined();
      });

      test("is what the change made of it", async () => {
        const { record } = changed(await users.change(event("license.granted")));
        expect(record).toEqual({ version: 1, at: NOON, licensed: true });
        expect(await users.read(ADELE)).toEqual(record);
      });

      test("is made from the one before", async () => {
        await users.change(event("license.granted"));
        const { record } = changed(await users.change(event("membership.changed")));
        expect(record).toMatchObject({ version: 2, licensed: true, groups: ["sales"] });
      });

      test("belongs to its tenant and its user alone", async () => {
        await users.change(event("license.granted"));
        expect(await users.read({ tenant: "fabrikam", user: "adele" })).toBeUndefined();
        expect(await users.read({ tenant: TENANT, user: "bruno" })).toBeUndefined();
      });

      test("keeps any text that an id may be", async () => {
        const user = { tenant: "a_-9", user: "Adele.V_9-x" };
        await users.change(event("license.granted", user));
        expect(await users.read(user)).toMatchObject({ licensed: true });
      });

      test("stays as it is where the change leads to the same", async () => {
        const { record } = changed(await users.change(event("license.granted")));
        const same = (before: UserRecord | undefined, at: number) => withFacts(before, { licensed: true }, at);
        expect(await users.change(event("license.granted", { next: same }))).toEqual({ status: "unchanged", record });
      });

      test("of many users is read in the order they are asked for", async () => {
        for (const user of ["adele", "bruno"]) await users.change(event("license.granted", { user }));
        await users.change(event("license.revoked", { user: "bruno" }));
        const records = await users.readMany(TENANT, ["bruno", "nobody", "adele", "bruno"]);
        expect(records.map((record) => record?.licensed)).toEqual([false, undefined, true, false]);
        await expect(
          users.readMany(
            TENANT,
            Array.from({ length: MAX_USERS + 1 }, () => "x"),
          ),
        ).rejects.toThrow(RangeError);
      });

      test("takes every one of the changes that come at the same time, one after the other", async () => {
        const answers = await Promise.all(
          Array.from({ length: 20 }, (_, n) =>
            users.change(event(n % 2 === 0 ? "license.granted" : "account.disabled")),
          ),
        );
        expect(answers.map((answer) => changed(answer).record.version).sort((a, b) => a - b)).toEqual(
          Array.from({ length: 20 }, (_, n) => n + 1),
        );
        expect(await users.read(ADELE)).toMatchObject({ version: 20, licensed: true, account: "disabled" });
      });
    });

    describe("an event that is sent again", () => {
      test("is a duplicate, and with another body a conflict; neither changes anything", async () => {
        await users.change(event("license.granted", named("a", "x")));
        expect(await users.change(event("license.granted", named("a", "x")))).toEqual({ status: "duplicate" });
        expect(await users.change(event("license.revoked", named("a", "y")))).toEqual({ status: "conflict" });
        expect(await users.read(ADELE)).toMatchObject({ version: 1, licensed: true });
      });

      test("is a duplicate also where it changed nothing the first time", async () => {
        const nothing = event("account.enabled", { ...named("a", "x"), next: (record) => record });
        expect(await users.change(nothing)).toEqual({ status: "unchanged", record: undefined });
        expect(await users.change(nothing)).toEqual({ status: "duplicate" });
      });

      test("at the same time is taken once", async () => {
        const answers = await Promise.all(
          Array.from({ length: 8 }, () => users.change(event("license.granted", named("a", "x")))),
        );
        expect(answers.filter(({ status }) => status === "changed")).toHaveLength(1);
        expect(await users.read(ADELE)).toMatchObject({ version: 1 });
      });

      test("is known for as many ids as the limit says at least, and forgotten when the window is over", async () => {
        users = await openWith({ partitionCount: 1, dedupeWindowMs: 0, dedupeLimit: 3 });
        await users.change(event("license.granted", named("a", "x")));
        for (const id of ["b", "c"]) await users.change(event("license.granted", named(id, "x")));
        expect(await users.change(event("license.granted", named("a", "x")))).toEqual({ status: "duplicate" });
        for (let n = 0; n < 7; n++) await users.change(event("license.granted", named(`n${n}`, "x")));
        expect((await users.change(event("license.granted", named("a", "x")))).status).toBe("changed");
      });

      test("without a fingerprint is never one", async () => {
        await users.change(event("license.granted"));
        expect(changed(await users.change(event("license.granted"))).record.version).toBe(2);
      });
    });

    describe("the index of a user's sessions", () => {
      test("has each session once, however often it joins", async () => {
        await users.join(TENANT, [PHONE, TABLET, PHONE]);
        await users.join(TENANT, [PHONE]);
        expect(await all()).toHaveLength(2);
        expect(await all()).toEqual(
          expect.arrayContaining([
            { device: "phone-1", app: "azure-mobile" },
            { device: "tablet-1", app: "azure-mobile" },
          ]),
        );
      });

      test("has two apps of one device as two", async () => {
        await users.join(TENANT, [PHONE, { ...PHONE, app: "outlook.mobile" }]);
        expect(await all()).toHaveLength(2);
      });

      test("is each user's own", async () => {
        await users.join(TENANT, [PHONE, { ...PHONE, user: "bruno" }]);
        await users.join("fabrikam", [TABLET]);
        expect(await all()).toEqual([{ device: "phone-1", app: "azure-mobile" }]);
        expect(await all({ tenant: "fabrikam", user: "adele" })).toEqual([{ device: "tablet-1", app: "azure-mobile" }]);
        expect(await all({ tenant: TENANT, user: "nobody" })).toEqual([]);
      });

      test("joining reads the records, in the order of the sessions", async () => {
        await users.change(event("license.revoked", { user: "bruno" }));
        const records = await users.join(TENANT, [PHONE, { ...PHONE, user: "bruno" }, TABLET]);
        expect(records.map((record) => record?.licensed)).toEqual([undefined, false, undefined]);
        await expect(
          users.join(
            TENANT,
            Array.from({ length: MAX_USERS + 1 }, () => PHONE),
          ),
        ).rejects.toThrow(RangeError);
      });

      test("of any size is read page by page, and a session that was there all the while is never missed", async () => {
        const many = Array.from({ length: 1_000 }, (_, n) => ({ ...PHONE, device: `phone-${n}` }));
        await users.join(TENANT, many);
        const { sessions, next } = await users.sessionsOf(ADELE, null, 100);
        expect(sessions.length).toBeLessThan(1_000);
        expect(next).not.toBeNull();
        await users.join(TENANT, [{ ...PHONE, device: "joined-in-between" }]);
        const rest: UserSession[] = [];
        for (let from = next; from !== null;) {
          const page: Awaited<ReturnType<UserStore["sessionsOf"]>> = await users.sessionsOf(ADELE, from, 100);
          rest.push(...page.sessions);
          from = page.next;
        }
        const devices = new Set([...sessions, ...rest].map(({ device }) => device));
        expect(many.filter(({ device }) => !devices.has(device))).toEqual([]);
      });
    });

    describe("a change of a user who has sessions", () => {
      beforeEach(async () => {
        await users.join(TENANT, [PHONE]);
      });

      test("is due until every session was told", async () => {
        const { due } = changed(await users.change(event("license.revoked")));
        expect(due).toEqual({ ...ADELE, version: 1, time: NOON, told: told({ type: "license.revoked" }) });
        expect(await allDue()).toEqual([due]);
        await users.toldAll(ADELE, 1);
        expect(await allDue()).toEqual([]);
      });

      test("that comes while another is due has the whole record told, since some session may lack the first", async () => {
        await users.change(event("license.revoked"));
        const { due } = changed(await users.change(event("membership.changed")));
        expect(due).toEqual({ ...ADELE, version: 2, time: NOON });
        expect(await allDue()).toEqual([due]);
      });

      test("is not taken off by whoever told an earlier one", async () => {
        await users.change(event("license.revoked"));
        await users.change(event("membership.changed"));
        await users.toldAll(ADELE, 1);
        expect((await allDue()).map(({ version }) => version)).toEqual([2]);
        await users.toldAll(ADELE, 2);
        await users.toldAll(ADELE, 2);
        expect(await allDue()).toEqual([]);
      });

      test("is told by its own event again once the one before was told", async () => {
        await users.change(event("license.revoked"));
        await users.toldAll(ADELE, 1);
        expect(changed(await users.change(event("license.granted"))).due?.told).toEqual(
          told({ type: "license.granted" }),
        );
      });

      test("that changes nothing is not due, and neither is a duplicate", async () => {
        await users.change(event("license.revoked", named("a", "x")));
        await users.toldAll(ADELE, 1);
        await users.change(event("license.revoked", named("a", "x")));
        await users.change(event("license.revoked", { next: (record) => record }));
        expect(await allDue()).toEqual([]);
      });
    });

    test("a change of a user who has no session is not due: who signs in later reads the record", async () => {
      expect(changed(await users.change(event("license.revoked"))).due).toBeNull();
      expect(await allDue()).toEqual([]);
    });

    test("due changes of many users are listed page by page, each once they stay as they are", async () => {
      const names = Array.from({ length: 60 }, (_, n) => `user-${n}`);
      await users.join(
        TENANT,
        names.map((user) => ({ ...PHONE, user })),
      );
      for (const user of names) await users.change(event("license.revoked", { user }));
      const found = await allDue(7);
      expect(new Set(found.map(({ user }) => user))).toEqual(new Set(names));
      expect(found[0]).toMatchObject({ tenant: TENANT, version: 1, time: NOON });
    });
  });
}
