/** One session with very many events, that ends locked out: what `why` has most to leave out of. */
import { randomUUID } from "node:crypto";
import { PIN, POSTURE } from "../core/phone.js";

/** Of the deployment whose clock is the events' own. */
const START = Date.parse("2026-03-02T06:00:00Z");
const MINUTE_MS = 60_000;

const posture = (osVersion: string) => ({ ...POSTURE, osVersion });

/** What a person does all day. */
const ROUND: readonly (readonly [type: string, data: object])[] = [
  ["app.backgrounded", {}],
  ["app.foregrounded", {}],
  ["pin.verified", { method: "pin" }],
  ["checkin.succeeded", { policy: "unchanged" }],
  ["posture.reported", posture("17.4.1")],
];

/** CloudEvents in order of time, `count` of them, a minute apart. */
export function longLife(subject: string, count: number): object[] {
  const beginning: (readonly [string, object])[] = [
    ["account.signedIn", { platform: "ios", interactive: true }],
    ["enrollment.completed", { result: "ENROLLMENT_SUCCEEDED" }],
    ["posture.reported", posture("17.4.1")],
    ["pin.set", { descriptor: PIN }],
  ];
  const told = Array.from({ length: count }, (_, n) => {
    if (n === count - 1) return ["posture.reported", posture("16.7")] as const;
    return beginning[n] ?? (ROUND[n % ROUND.length] as (typeof ROUND)[number]);
  });
  return told.map(([type, data], n) => ({
    specversion: "1.0",
    id: randomUUID(),
    source: "app://bench",
    type,
    subject,
    time: new Date(START + n * MINUTE_MS).toISOString(),
    data,
  }));
}
