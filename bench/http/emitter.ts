/** Emits events in batches of a hundred, as fast as they are taken: with the client that talks HTTP, or the one that shares the Redis. */
import { type ClientOptions, type GatehouseEvent, createClient } from "../../src/client/index.js";
import { inChild, tell } from "../core/child.js";

const BATCH = 100;

interface Input {
  readonly client: ClientOptions;
  readonly events: readonly GatehouseEvent[];
  /** Batches that wait for their answer at once. */
  readonly waiting: number;
  /** Events sent first, to warm up: not measured. */
  readonly warmUp: number;
}

inChild<Input>(async ({ client, events, waiting, warmUp }) => {
  const gatehouse = createClient(client);
  const send = async (some: readonly GatehouseEvent[]): Promise<number> => {
    let accepted = 0;
    let next = 0;
    const one = async (): Promise<void> => {
      while (next < some.length) {
        const { totals } = await gatehouse.emit(some.slice(next, (next += BATCH)));
        if (totals.unknown > 0) throw new Error("the API must answer every event");
        accepted += totals.accepted;
      }
    };
    await Promise.all(Array.from({ length: waiting }, one));
    return accepted;
  };
  await send(events.slice(0, warmUp));
  const startedAt = performance.now();
  const accepted = await send(events.slice(warmUp));
  tell({ kind: "emitted", accepted, ms: performance.now() - startedAt });
});
