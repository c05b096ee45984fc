/** Lines that no producer should send: each must be refused with a reason, and must cost no other line anything. */
import { DAY_END_MS, DAY_START_MS } from "./day.js";
import type { Actor, Wire } from "./wire.js";

const envelope = (at: number, type: string, data: Readonly<Record<string, unknown>>): string =>
  JSON.stringify({
    specversion: "1.0",
    id: `bad-${at}`,
    source: "app://prototype",
    type,
    subject: "prototype/tester",
    time: new Date(at).toISOString(),
    datacontenttype: "application/json",
    data,
  });

const KINDS: readonly ((at: number) => string)[] = [
  (at) => envelope(at, "pin.verifed", { method: "pin" }),
  (at) => envelope(at, "pin.set", { pin: "not a real one" }),
  (at) => envelope(at, "pin.set", {}).slice(0, -10),
  (at) => envelope(at, "xstate.after.attemptTimeout", {}),
];

/** One for every hundred devices, but at least one of each kind, spread over the day. */
export class BadLines implements Actor {
  private readonly count: number;
  private sent = 0;

  constructor(
    devices: number,
    private readonly wire: Wire,
  ) {
    this.count = Math.max(KINDS.length, Math.round(devices / 100));
  }

  /** Epoch ms of the next one. */
  get nextAt(): number {
    return DAY_START_MS + Math.round(((this.sent + 1) * (DAY_END_MS - DAY_START_MS)) / (this.count + 1));
  }

  act(now: number): number | null {
    const line = KINDS[this.sent % KINDS.length];
    if (line !== undefined) this.wire.sendLine(line(now));
    this.sent++;
    return this.sent < this.count ? this.nextAt : null;
  }
}
