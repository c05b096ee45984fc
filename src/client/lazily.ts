/** A client whose code is loaded at its first call. */
import type { GatehouseClient } from "./client.js";

export function lazily(load: () => Promise<GatehouseClient>): GatehouseClient {
  let loading: Promise<GatehouseClient> | undefined;
  const loaded = (): Promise<GatehouseClient> => (loading ??= load());
  return {
    emit: async (events) => (await loaded()).emit(events),
    decide: async (asked) => (await loaded()).decide(asked),
    decideMany: async (asked) => (await loaded()).decideMany(asked),
    flush: async () => (await loading)?.flush(),
    close: async () => (await loading)?.close(),
  };
}
