/** Which events of a request the limits let through: of each device the first ones, and restricting ones beyond them. */
import { EVENTS } from "../../machines/events/catalogue.js";
import { canonicalId } from "../../machines/users/canonical-id.js";
import type { Limits } from "./limits.js";

/** @returns for each event how long to wait, in ms; 0: it goes on */
export async function admit(limits: Limits, tenant: string, inputs: readonly unknown[]): Promise<number[]> {
  const waits = inputs.map(() => 0);
  const hold = (places: readonly number[], waitMs: number): void => {
    for (const place of places) waits[place] = Math.max(waits[place] ?? 0, waitMs);
  };

  const all = [...inputs.keys()];
  const ofTenant = await limits.tenant(tenant, inputs.length);
  hold(all.slice(ofTenant.events), ofTenant.waitMs);
  for (const [device, places] of byDevice(tenant, inputs)) {
    const granted = await limits.device(device, places.length);
    hold(places.slice(granted.events), granted.waitMs);
    const held = places.filter((place) => waits[place] !== 0 && isRestricting(inputs[place]));
    if (held.length === 0) continue;
    const reserve = await limits.restricting(device, held.length);
    for (const place of held.slice(0, reserve.events)) waits[place] = 0;
  }
  return waits;
}

const LONGEST_DEVICE = 128;

/** Places by device, which is named with its tenant. What names none is one device's, too. */
function byDevice(tenant: string, inputs: readonly unknown[]): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const [place, input] of inputs.entries()) {
    const { subject } = (typeof input === "object" && input !== null ? input : {}) as { subject?: unknown };
    const [named = ""] = typeof subject === "string" ? subject.slice(0, LONGEST_DEVICE).split("/", 1) : [];
    const device = `${tenant}/${canonicalId(named)}`;
    const known = places.get(device);
    if (known === undefined) places.set(device, [place]);
    else known.push(place);
  }
  return places;
}

function isRestricting(input: unknown): boolean {
  const { type, data } = (typeof input === "object" && input !== null ? input : {}) as Record<string, unknown>;
  const definition = typeof type === "string" ? EVENTS.get(type) : undefined;
  const read = definition?.data.safeParse(data ?? {});
  return read?.success === true && definition?.bearing(read.data) === "restricting";
}
