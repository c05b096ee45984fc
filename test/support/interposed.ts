/** Stores whose calls a test can hold up, fail or count, without either store knowing. */
import type { PartitionStore } from "../../src/store/partition-store.js";
import type { UserStore } from "../../src/users/user-store.js";

/** Stands between a caller and the stores. `carryOut` makes the call; not calling it means that it never arrived. */
export type Interposer = (call: string, carryOut: () => Promise<unknown>) => Promise<unknown>;

export function interposed<Store extends PartitionStore | UserStore>(store: Store, interpose: Interposer): Store {
  return new Proxy(store, {
    get: (target, name) => {
      const value = Reflect.get(target, name, target) as unknown;
      if (typeof value !== "function" || typeof name !== "string") return value;
      return (...args: unknown[]) =>
        interpose(name, async () => (value as (...args: unknown[]) => Promise<unknown>).apply(target, args));
    },
  });
}
