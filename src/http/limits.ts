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
    const waitMs = await take(this.#requests, keyId, 1);
    if (waitMs > 0) throw rateLimited("This API key asks too often.", waitMs);
  }

  /**
   * @param device with its tenant
   * @returns 0: go on; else how long to wait, in ms
   */
  async event(tenant: string, device: string, isRestricting: boolean): Promise<number> {
    const waitMs = Math.max(await take(this.#device, device, 1), await take(this.#tenant, tenant, 1));
    return waitMs > 0 && isRestricting ? take(this.#restricting, device, 1) : waitMs;
  }
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

async function take(limiter: RateLimiterMemory, key: string, points: number): Promise<number> {
  try {
    await limiter.consume(key, points);
    return 0;
  } catch (refusal) {
    if (refusal instanceof RateLimiterRes) return Math.max(1, refusal.msBeforeNext);
    throw refusal;
  }
}
