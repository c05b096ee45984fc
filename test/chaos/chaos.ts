/** One chaos run: real processes at work, things broken for a while, then peace, and then what was promised is held against what is there. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { publish } from "../../src/control/publish.js";
import { Random } from "../../src/demo/random.js";
import { type OpenDeployment, openDeployment } from "../../src/deployment/open-deployment.js";
import { ApiKeys } from "../../src/keys/api-keys.js";
import { SecretKey } from "../../src/secrets/secret-key.js";
import { Targets } from "../../src/webhooks/target.js";
import { Webhooks } from "../../src/webhooks/webhooks.js";
import { WebhookReceiver } from "../support/receiver.js";
import { type Violation, check, isDrained } from "./check.js";
import { Fleet } from "./fleet.js";
import { Load } from "./load.js";
import { FAULTS, type Fault, type FaultKind, nemesis } from "./nemesis.js";
import { timeline } from "./timeline.js";
import { CONTENT } from "./world.js";

export interface ChaosOptions {
  readonly seed: number;
  readonly minutes: number;
  readonly devices: number;
  /** For data, logs and the picture. */
  readonly directory: string;
  readonly onFault: (fault: Fault, events: number) => void;
  readonly progress: (what: string) => void;
  /** Ends the run early: what happened until then is checked. */
  readonly signal: AbortSignal;
}

export interface ChaosReport {
  readonly seed: number;
  /** That it ran, without what came before and after. */
  readonly minutes: number;
  readonly events: number;
  readonly questions: number;
  /** Answered `deny` although nothing was against the person: doubt, which faults make. */
  readonly doubts: number;
  readonly faults: Readonly<Partial<Record<FaultKind, number>>>;
  readonly violations: readonly Violation[];
  /** From the end of a fault to the next accepted event, the longest, ms. */
  readonly recoveryMsMax: number;
  /** From peace until everything was committed and delivered, ms. */
  readonly drainedMs: number;
  readonly picture: string;
}

const TENANT = "contoso";
const PREFIX = "gh";
const SECRET = "chaos".repeat(8);
const EFFECT_TYPES = ["signOut", "wipe"] as const;
/** What failed at the receiver is tried again by the published schedule, up to half a minute later in so short a run. */
const DRAIN_PATIENCE_MS = 120_000;

export async function chaos(options: ChaosOptions): Promise<ChaosReport> {
  const { seed, minutes, directory, progress } = options;
  const receiver = await WebhookReceiver.start();
  let isReceived = true;
  const delivered = new Set<string>();
  receiver.reply = ({ headers }, response) => {
    if (isReceived) delivered.add(String(headers["webhook-id"]));
    response.writeHead(isReceived ? 204 : 503).end();
  };
  progress("starting Redis, three workers and two APIs");
  const fleet = await Fleet.start(
    directory,
    { workers: 3, apis: 2 },
    {
      GATEHOUSE_PREFIX: PREFIX,
      GATEHOUSE_TENANT: TENANT,
      GATEHOUSE_SECRET_KEY: SECRET,
      GATEHOUSE_WEBHOOK_ALLOW_PRIVATE: "127.0.0.0/8",
      LOG_LEVEL: "warn",
    },
  );
  let deployment: OpenDeployment | undefined;
  try {
    deployment = await openDeployment({ redis: fleet.redisUrl, prefix: PREFIX });
    const key = await prepare(deployment, receiver.url);
    const load = new Load({ apiUrls: fleet.apiUrls, key, seed, devices: options.devices });
    const startedAt = performance.now();
    const now = (): number => performance.now() - startedAt;
    const perSecond: number[] = [];
    const recovery = new Recovery(now);
    const count = setInterval(() => {
      perSecond.push(load.events - perSecond.reduce((sum, n) => sum + n, 0));
    }, 1_000);
    const look = setInterval(() => recovery.look(load.events), 20);
    const over = new AbortController();
    const timer = setTimeout(() => over.abort(), minutes * 60_000);
    options.signal.addEventListener("abort", () => over.abort());
    const peace = new AbortController();
    const living = load.run(peace.signal);
    progress(`breaking things for ${minutes} minutes, seed ${seed}`);
    const faults = await nemesis(
      {
        fleet,
        receive: (isUp) => (isReceived = isUp),
        random: new Random(seed, "deck"),
        now,
        onFault: (fault) => {
          recovery.begin(fault);
          options.onFault(fault, load.events);
        },
      },
      over.signal,
    );
    clearTimeout(timer);
    const ranMs = now();
    await fleet.untilUp();
    peace.abort();
    await living;
    clearInterval(count);
    clearInterval(look);
    await load.close();
    progress("peace: waiting until everything is committed and delivered");
    const peaceAt = performance.now();
    const drained = await untilDrained(deployment);
    const drainedMs = Math.round(performance.now() - peaceAt);
    progress("holding what was promised against what is there");
    const violations = [
      ...(drained ? [] : [{ promise: "P10", what: `not drained after ${DRAIN_PATIENCE_MS / 1_000} s of peace` }]),
      ...(await check({
        deployment,
        tenant: TENANT,
        devices: load.devices,
        delivered,
        effectTypes: new Set(EFFECT_TYPES),
      })),
    ];
    const picture = join(directory, "timeline.svg");
    const title = `seed ${seed}: ${load.events.toLocaleString("en")} events, ${faults.length} faults, ${violations.length} violations`;
    await writeFile(picture, timeline({ perSecond, faults, title }));
    const sum = (of: "asked" | "doubts"): number => load.devices.reduce((all, device) => all + device[of], 0);
    return {
      seed,
      minutes: Math.round(ranMs / 600) / 100,
      events: load.events,
      questions: sum("asked"),
      doubts: sum("doubts"),
      faults: Object.fromEntries(
        FAULTS.flatMap((kind) => {
          const n = faults.filter((fault) => fault.kind === kind).length;
          return n === 0 ? [] : [[kind, n]];
        }),
      ),
      violations,
      recoveryMsMax: recovery.most,
      drainedMs,
      picture,
    };
  } finally {
    await deployment?.close();
    await fleet.stop();
    await receiver.stop();
  }
}

/** Policies, a key, and an endpoint for what takes access away. */
async function prepare(deployment: OpenDeployment, receiver: string): Promise<string> {
  const { redis, prefix } = deployment;
  const secretKey = new SecretKey(SECRET);
  await publish(deployment, TENANT, CONTENT);
  const keys = new ApiKeys(redis, prefix, secretKey);
  const { key } = await keys.create({ tenant: TENANT, name: "chaos", scopes: ["emit", "decide"], expiresAt: null });
  await webhooksOf(deployment).create(TENANT, { url: receiver, filter: { types: [...EFFECT_TYPES] } });
  return key;
}

/** Until nothing waits any more, neither for a worker nor for the receiver. */
async function untilDrained(deployment: OpenDeployment): Promise<boolean> {
  const webhooks = webhooksOf(deployment);
  const isDelivered = async (): Promise<boolean> =>
    (await webhooks.list(TENANT)).every(({ figures }) => figures.waiting === 0);
  const givesUpAt = performance.now() + DRAIN_PATIENCE_MS;
  while (performance.now() < givesUpAt) {
    // What is handed over waits at its endpoint: that is looked at afterwards.
    if ((await isDrained(deployment)) && (await isDelivered())) return true;
    await delay(250);
  }
  return false;
}

function webhooksOf({ redis, prefix }: OpenDeployment): Webhooks {
  const targets = new Targets({ allowPrivate: ["127.0.0.0/8"] });
  return new Webhooks({ redis, prefix, secretKey: new SecretKey(SECRET), targets });
}

/** How long after each fault the next event is accepted. */
class Recovery {
  most = 0;
  #fault: Fault | undefined;
  #events = 0;

  constructor(private readonly now: () => number) {}

  begin(fault: Fault): void {
    this.#fault = fault;
  }

  look(events: number): void {
    const isOver = this.#fault !== undefined && this.#fault.to > this.#fault.from ? this.#fault.to : this.#fault?.from;
    if (this.#fault !== undefined && isOver !== undefined && events > this.#events && this.now() > isOver) {
      this.most = Math.max(this.most, Math.round(this.now() - isOver));
      this.#fault = undefined;
    }
    this.#events = events;
  }
}
