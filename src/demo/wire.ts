/**
 * The way from the apps to the queue, with what goes wrong on it: an event that is sent again, and now and then one that comes
 * back under the same id with another body.
 */
import { MINUTE_MS, SECOND_MS } from "./day.js";
import { Random } from "./random.js";
import type { Schedule } from "./schedule.js";

/** A CloudEvent as a producer sends it. */
export interface DemoEvent {
  readonly specversion: "1.0";
  readonly id: string;
  readonly source: string;
  readonly type: string;
  /** `device/user/app`. */
  readonly subject: string;
  /** RFC 3339, UTC, with milliseconds. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly data: Readonly<Record<string, unknown>>;
}

export type DemoItem =
  | { readonly kind: "event"; readonly event: DemoEvent }
  /** A line that is no event Gatehouse could take. */
  | { readonly kind: "raw"; readonly line: string }
  /** The noon's policies are published, at this time (epoch ms). */
  | { readonly kind: "publish"; readonly at: number };

/** Somebody who does something now and then. */
export interface Actor {
  /**
   * @param now epoch ms
   * @returns when to be called again, epoch ms, not before `now`; `null`: never
   */
  act(now: number): number | null;
}

const DUPLICATE_SHARE = 0.005;
const CONFLICT_SHARE = 0.0002;

export class Wire {
  private items: DemoItem[] = [];
  private readonly random: Random;

  constructor(
    seed: number,
    private readonly schedule: Schedule<Actor>,
  ) {
    this.random = new Random(seed, "wire");
  }

  /** @param now when it is sent, epoch ms: its own time, or later */
  send(event: DemoEvent, now: number): void {
    this.items.push({ kind: "event", event });
    if (this.random.chance(DUPLICATE_SHARE)) {
      this.schedule.add(this.soon(now), { act: () => this.sendAgain(event) });
    }
    if (this.random.chance(CONFLICT_SHARE)) {
      const at = this.soon(now);
      // A producer that stamps the time anew when it sends again has made another event of it.
      this.schedule.add(at, { act: () => this.sendAgain({ ...event, time: new Date(at).toISOString() }) });
    }
  }

  sendLine(line: string): void {
    this.items.push({ kind: "raw", line });
  }

  /** What was sent since the last call. */
  takeItems(): readonly DemoItem[] {
    const { items } = this;
    this.items = [];
    return items;
  }

  private sendAgain(event: DemoEvent): null {
    this.items.push({ kind: "event", event });
    return null;
  }

  private soon(now: number): number {
    return now + this.random.between(2 * SECOND_MS, 2 * MINUTE_MS);
  }
}
