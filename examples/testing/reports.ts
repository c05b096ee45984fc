/** How the backend under test sends on what apps report: in requests of a bounded size, without changing the order. */
import type { GatehouseEvent } from "gatehouse/client";

export function inRequests<Event extends GatehouseEvent>(events: readonly Event[], atMost: number): Event[][] {
  const requests: Event[][] = [];
  for (const event of events) {
    const last = requests.at(-1);
    if (last !== undefined && last.length < atMost) last.push(event);
    else requests.push([event]);
  }
  return requests;
}
