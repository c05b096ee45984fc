/** How the effects that a journal record tells of fared on their way out. */
import type { JournalRecord } from "../../machines/outcome.js";
import { effectId } from "../effects/effect-id.js";
import type { PartitionStore } from "../store/partition-store.js";
import { effectBody } from "../store/partition-view.js";
import { EffectUnknownError } from "../webhooks/webhook-errors.js";
import type { EffectDelivery, Webhooks } from "../webhooks/webhooks.js";

export interface RecordedEffect {
  readonly type: string;
  /** Its name outside; absent: nothing outside goes by it (any more). */
  readonly id?: string;
  /** It is yet to be handed to receivers. */
  readonly waits: boolean;
  /** To each endpoint; empty: no endpoint was to get it, or its log does not go back as far. */
  readonly deliveries: readonly EffectDelivery[];
}

interface Where {
  readonly store: PartitionStore;
  readonly webhooks: Pick<Webhooks, "delivery">;
  /** Of the deployment's keys. */
  readonly prefix: string;
}

/** @throws StoreUnavailableError */
export async function recordedEffects(
  { store, webhooks, prefix }: Where,
  tenant: string,
  partition: number,
  record: JournalRecord,
): Promise<readonly RecordedEffect[]> {
  const { seq, session, revision, at, effects } = record;
  if (effects.length === 0) return [];
  const ids = effects.map((_, n) => `${seq}-${n}`);
  const waiting = new Map((await store.effects(partition, ids)).map(({ id, body }) => [id, body]));
  return Promise.all(
    effects.map(async (effect, n): Promise<RecordedEffect> => {
      const own = `${seq}-${n}`;
      const body = waiting.get(own) ?? effectBody({ id: own, session, revision, at, effect }, undefined);
      const id = effectId(prefix, partition, own, body);
      const deliveries = await webhooks.delivery(tenant, id).catch((error: unknown) => {
        if (error instanceof EffectUnknownError) return [];
        throw error;
      });
      const isNamed = waiting.has(own) || deliveries.length > 0;
      return { type: effect.type, ...(isNamed && { id }), waits: waiting.has(own), deliveries };
    }),
  );
}
