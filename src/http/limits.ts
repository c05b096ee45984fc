/**
 * How much one caller may ask of this process: by key, by tenant, and by device. What can only take access away has a reserve of its
 * own, so that a flood of other events can't keep it out.
 */
import { RateLimiterMemory, RateLimiterRes } from "rate-limiter-flexible";
import { HttpProblem } from "./problem.js";

/** All per second and per process of the API. */
export interface LimitSettings {
  readonly requestsPerKey: number;
  readonly eventsPerTenant: number;
  readonly eventsPerDevice: number;
  /** Beyond the other limits, and for restricting events alone. */
  readonly restrictingPerDevice: number;
}

export const DEFAULT_LIMITS: LimitSettings = {
  requestsPerKey: 5_000,
  eventsPerTenant: 50_000,
  eventsPerDevice: 100,
  restrictingPerDevice: 20,
};

const perSecond = (points: number): RateLimiterMemory => new RateLimiterMemory({ points, duration: 1 });

export class Limits {
  readonly #requests: RateLimiterMemory;
  readonly #tenant: RateLimiterMemory;
  readonly #device: RateLimiterMemory;
  readonly #restricting: RateLimiterMemory;

  constructor(settings: LimitSettings = DEFAULT_LIMITS) {
    this.#requests = perSecond(settings.requestsPerKey);
    this.#tenant = perSecond(settings.eventsPerTenant);
    this.#device = perSecond(settings.eventsPerDevice);
    this.#restricting = perSecond(settings.restrictingPerDevice);
  }

  /** @throws HttpProblem `rate.limited` */
  async request(keyId: string): Promise<void> {
    const { waitMs } = await take(this.#requests, keyId, 1);
    if (waitMs > 0) throw rateLimited("This API key asks too often.", waitMs);
  }

  /** @returns how many of so many events of a tenant may go on now, and else how long to wait */
  async tenant(tenant: string, events: number): Promise<Granted> {
    return take(this.#tenant, tenant, events);
  }

  /** @param device with its tenant */
  async device(device: string, events: number): Promise<Granted> {
    return take(this.#device, device, events);
  }

  /** What a device may send beyond the other limits, since it can only take access away. */
  async restricting(device: string, events: number): Promise<Granted> {
    return take(this.#restricting, device, events);
  }
}

export interface Granted {
  /** 0 to as many as were asked for: the first ones. */
  readonly events: number;
  /** Until there may be more, in ms; 0: all were granted. */
  readonly waitMs: number;
}

export function rateLimited(
  detail: string,
  waitMs: number,
  members: Readonly<Record<string, unknown>> = {},
): HttpProblem {
  return new HttpProblem("rate.limited", detail, {
    fix: "Send it again after the seconds that Retry-After says, with the same ids.",
    headers: { "retry-after": String(Math.max(1, Math.ceil(waitMs / 1_000))) },
    members,
  });
}

async function take(limiter: RateLimiterMemory, key: string, events: number): Promise<Granted> {
  try {
    await limiter.consume(key, events);
    return { events, waitMs: 0 };
  } catch (refusal) {
    if (!(refusal instanceof RateLimiterRes)) throw refusal;
    const before = refusal.consumedPoints - events;
    return { events: Math.max(0, limiter.points - before), waitMs: Math.max(1, refusal.msBeforeNext) };
  }
}
