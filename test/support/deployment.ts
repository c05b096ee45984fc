/** A small deployment in memory, with everything but processes and queues: what its events lead to when somebody drains. */
import { readFileSync } from "node:fs";
import type { Decision } from "../../machines/decision.js";
import type { Catalogue } from "../../machines/policy/catalogue.js";
import { type CatalogueDocument, readCatalogue } from "../../src/control/catalogue-document.js";
import { CatalogueMissingError } from "../../src/control/catalogue-errors.js";
import type { CatalogueSource } from "../../src/control/catalogue-source.js";
import { broadcast } from "../../src/control/announce.js";
import { RulesSource } from "../../src/control/rules-source.js";
import { decideAccess } from "../../src/decide/decide.js";
import { ingest, type IngestReport } from "../../src/ingest/ingest.js";
import { createLogger } from "../../src/log.js";
import type { PartitionStore } from "../../src/store/partition-store.js";
import { MemoryUserStore } from "../../src/users/memory-user-store.js";
import type { UserStore } from "../../src/users/user-store.js";
import { Drainer } from "../../workers/drain.js";
import { Walker } from "../../workers/walk.js";
import { WalkSteps } from "../../workers/walk-step.js";

export const TENANT = "contoso";

/** Catalogues that are simply there. */
export class FixedCatalogues implements CatalogueSource {
  private readonly published = new Map<number, Catalogue>();

  async current(): Promise<number> {
    return Math.max(0, ...this.published.keys());
  }

  async catalogue(tenant: string, version: number): Promise<Catalogue> {
    const catalogue = this.published.get(version);
    if (catalogue === undefined) throw new CatalogueMissingError(tenant, version);
    return catalogue;
  }

  add(document: CatalogueDocument): void {
    this.published.set(document.version, readCatalogue(document));
  }
}

export const samplePolicy = (name: string): Record<string, unknown> =>
  JSON.parse(readFileSync(new URL(`../../samples/policies/${name}.json`, import.meta.url), "utf8"));

export const POSTURE = {
  osVersion: "17.4.1",
  appVersion: "6.2.1",
  sdkVersion: "19.7.2",
  model: "iPhone15,2",
  manufacturer: "Apple",
  rooted: false,
  deviceLock: "high",
} as const;

export const SIX_DIGITS = {
  length: 6,
  kind: "numeric",
  simple: false,
  hasDigit: true,
  hasLetter: false,
  hasSymbol: false,
  matchesHistory: 0,
} as const;

export class TestDeployment {
  readonly woken: number[] = [];
  readonly drainer: Drainer;
  readonly walker: Walker;
  readonly rules: RulesSource;
  private sent = 0;

  constructor(
    readonly store: PartitionStore,
    /** Epoch ms; the time of events, and of acceptance where the clock is theirs. */
    public now = Date.parse("2026-03-02T08:00:00Z"),
    readonly catalogues = new FixedCatalogues(),
    readonly users: UserStore = new MemoryUserStore({ deployment: store.deployment, now: () => this.now }),
  ) {
    this.rules = new RulesSource(this.catalogues);
    const shared = { store, rules: this.rules, log: createLogger("silent", "test"), onEffects: () => {} };
    this.drainer = new Drainer(shared);
    this.walker = new Walker({ ...shared, stepper: new WalkSteps(store, this.rules), drainer: this.drainer });
  }

  async publish(version: number, policies: readonly unknown[], settings: unknown = {}): Promise<void> {
    this.catalogues.add({ version, policies, conditionalAccess: [], settings });
    await broadcast(this.store, this.wake, TENANT, version, this.now);
  }

  readonly wake = (partition: number): void => {
    this.woken.push(partition);
  };

  event(type: string, data: object = {}, subject = "phone-1/adele", changes: object = {}): object {
    this.sent++;
    return {
      specversion: "1.0",
      id: String(this.sent),
      source: "app://test",
      type,
      subject,
      time: new Date(this.now).toISOString(),
      data,
      ...changes,
    };
  }

  async send(...events: readonly object[]): Promise<IngestReport> {
    return ingest(this, TENANT, events);
  }

  /** A person signs in, enrolls, reports and chooses a PIN: with the sample policy that leads to `active`. */
  async getIn(subject = "phone-1/adele"): Promise<void> {
    await this.send(
      this.event("account.signedIn", { platform: "ios", interactive: true }, subject),
      this.event("enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }, subject),
      this.event("posture.reported", POSTURE, subject),
      this.event("pin.set", { descriptor: SIX_DIGITS }, subject),
    );
  }

  async drainAll(): Promise<void> {
    for (let partition = 0; partition < this.store.deployment.partitionCount; partition++) {
      while ((await this.drainer.drain(partition)) === "more");
    }
  }

  async walkAll(): Promise<void> {
    await Promise.all(
      Array.from({ length: this.store.deployment.partitionCount }, (_, partition) => this.walker.walk(partition)),
    );
  }

  async decide(device = "phone-1", user = "adele"): Promise<Decision> {
    const asked = { tenant: TENANT, device, user, app: "azure-mobile" };
    return decideAccess({ store: this.store, users: this.users, rules: new RulesSource(this.catalogues) }, asked);
  }

  async counters(): Promise<Record<string, number>> {
    const sum: Record<string, number> = {};
    for (let partition = 0; partition < this.store.deployment.partitionCount; partition++) {
      for (const [name, value] of Object.entries(await this.store.counters(partition))) {
        sum[name] = (sum[name] ?? 0) + value;
      }
    }
    return sum;
  }
}
