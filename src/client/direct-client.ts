/** The client that shares Gatehouse's Redis: it appends events and looks at sessions itself, with no server between. */
import type { Decision } from "../../machines/decision.js";
import { denyWithout } from "../../machines/decision.js";
import { canonicalId } from "../../machines/users/canonical-id.js";
import { decideAccess } from "../decide/decide.js";
import { type OpenDeployment, openDeployment } from "../deployment/open-deployment.js";
import { type IngestResult, ingest } from "../ingest/ingest.js";
import { DEFAULT_APP } from "../ingest/subject.js";
import type { Durability } from "../redis/durability.js";
import type { RedisTarget } from "../redis/address.js";
import { type Asked, type EmitReport, type EmitResult, type GatehouseClient, toReport } from "./client.js";
import { type GatehouseEvent, identified } from "./event.js";

export interface DirectTarget {
  readonly redis: RedisTarget;
  readonly tenant: string;
  readonly prefix: string;
  readonly wakeShards: number;
  readonly durability: Durability;
}

/** Connects at the first call, and again by itself when the connection is lost. */
export function createDirectClient({ tenant, ...target }: DirectTarget): GatehouseClient {
  const underway = new Set<Promise<EmitReport>>();
  let opening: Promise<OpenDeployment> | undefined;
  const open = (): Promise<OpenDeployment> => {
    opening ??= openDeployment(target).catch((error: unknown) => {
      // The next call tries anew.
      opening = undefined;
      throw error;
    });
    return opening;
  };

  const emit = async (given: readonly GatehouseEvent[]): Promise<EmitReport> => {
    const events = given.map(identified);
    const { results } = await ingest(await open(), tenant, events);
    return toReport(results.map((result, n) => toEmitResult(events[n]?.id ?? "", result)));
  };
  const decide = async ({ device, user, app = DEFAULT_APP, language }: Asked): Promise<Decision> => {
    const asked = { tenant, device: canonicalId(device), user: canonicalId(user), app, language };
    try {
      return await decideAccess(await open(), asked);
    } catch {
      return denyWithout(`${tenant}/${asked.device}/${asked.user}/${app}`, "store.unavailable", 0);
    }
  };
  const flush = async (): Promise<void> => {
    await Promise.allSettled(underway);
  };

  return {
    emit: async (events) => {
      const reported = emit(Array.isArray(events) ? (events as readonly GatehouseEvent[]) : [events as GatehouseEvent]);
      underway.add(reported);
      return reported.finally(() => underway.delete(reported));
    },
    decide,
    decideMany: async (asked) => Promise.all(asked.map(decide)),
    flush,
    close: async () => {
      await flush();
      const deployment = await opening?.catch(() => undefined);
      await deployment?.close();
    },
  };
}

const toEmitResult = (id: string, result: IngestResult): EmitResult => ({ id, ...result });
