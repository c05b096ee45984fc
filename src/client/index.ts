/**
 * What a backend installs to report events and to ask for decisions, where it shares Gatehouse's Redis.
 *
 * ```ts
 * import { createClient } from "gatehouse/client";
 *
 * const gatehouse = createClient({ url: "redis://127.0.0.1:6379", tenant: "contoso" });
 *
 * const { totals, results } = await gatehouse.emit({
 *   specversion: "1.0",
 *   id: crypto.randomUUID(),
 *   source: "https://directory.contoso.example",
 *   type: "account.disabled",
 *   subject: "phone-17/adele",
 *   time: new Date().toISOString(),
 *   data: {},
 * });
 *
 * const { decision, message } = await gatehouse.decide({ device: "phone-17", user: "adele" });
 * if (decision !== "allow") console.log(message.text);
 *
 * await gatehouse.close();
 * ```
 */
import type { RedisOptions } from "ioredis";
import { type Decision, denyWithout } from "../../machines/decision.js";
import type { EventType, SessionEventOf } from "../../machines/events/catalogue.js";
import type { EventOf } from "../../machines/events/define-event.js";
import type * as timers from "../../machines/events/timers.js";
import { canonicalId } from "../../machines/users/canonical-id.js";
import { decideAccess } from "../decide/decide.js";
import { type OpenDeployment, openDeployment } from "../deployment/open-deployment.js";
import { DEFAULT_APP, TENANT_PATTERN } from "../ingest/cloud-event.js";
import { type IngestReport, ingest } from "../ingest/ingest.js";
import { checkedPrefix, DEFAULT_PREFIX } from "../store/keys.js";

export type { Decision } from "../../machines/decision.js";
export { StoreUnavailableError } from "../errors.js";
export type { IngestReport, IngestResult, IngestTotals } from "../ingest/ingest.js";
export type { Refusal, RefusalCode } from "../ingest/refusal.js";

/** Events that the fold itself makes are refused from outside. */
type OwnEventType =
  EventOf<(typeof timers)[keyof typeof timers]>["type"] | "policy.changed" | "assignment.changed" | "user.changed";

/** Types that may be reported from outside. */
export type OutsideEventType = Exclude<EventType, OwnEventType>;

type DataOf<Type extends OutsideEventType> = Omit<
  SessionEventOf<Type>,
  "type" | (Type extends "account.switched" ? "role" : never)
>;

/** An event as a CloudEvent 1.0. `source` and `id` together are what makes it the same event when it is sent again. */
export type GatehouseEvent = { [Type in OutsideEventType]: EventEnvelope<Type> }[OutsideEventType];

type EventEnvelope<Type extends OutsideEventType> = {
  readonly specversion: "1.0";
  readonly id: string;
  /** Who reports it: a URI reference. */
  readonly source: string;
  readonly type: Type;
  /** The session: `device/user` or `device/user/app`. Of an event about a user, `user` is enough. */
  readonly subject: string;
  /** When it happened, by your clock: RFC 3339. */
  readonly time: string;
  readonly datacontenttype?: "application/json";
  readonly traceparent?: string;
  readonly tracestate?: string;
} & (Record<never, never> extends DataOf<Type> ? { readonly data?: DataOf<Type> } : { readonly data: DataOf<Type> });

export type ClientOptions = (
  | { /** `redis://`, `rediss://` or `unix:///path/to/socket`. */ readonly url: string }
  | { /** ioredis's options, where an address does not say enough. */ readonly redis: RedisOptions }
) & {
  readonly tenant: string;
  /** Prefix of the deployment's keys; default `gh`. */
  readonly prefix?: string;
  /** As the workers' GATEHOUSE_WAKE_SHARDS; default 1. */
  readonly wakeShards?: number;
};

export interface GatehouseClient {
  /**
   * Resolves when every event has an answer: `accepted` (stored: on disk, if Redis is set so), `duplicate`, `conflict`, `refused` with a reason, or `unknown`
   * if Redis did not answer. Nothing is sent again by itself; sending an `unknown` event again is safe. Events of one device keep
   * their order within a call, and over calls if one is awaited before the next.
   * @throws StoreUnavailableError if Redis was not there to begin with: then nothing was sent
   */
  emit(events: GatehouseEvent | readonly GatehouseEvent[]): Promise<IngestReport>;
  /** May this user open corporate data there now? Never rejects: every doubt is a `deny`, with the reason. `app` defaults to `azure-mobile`. */
  decide(asked: {
    readonly device: string;
    readonly user: string;
    readonly app?: string;
    /** Of the message for the person: a tag such as `de` or `pt-BR`. */
    readonly language?: string;
  }): Promise<Decision>;
  /** Ends the connections. The client is of no use afterwards. */
  close(): Promise<void>;
}

/**
 * Connects at the first call, and again by itself when the connection is lost.
 * @throws RangeError if the tenant or the prefix can't be used
 */
export function createClient(options: ClientOptions): GatehouseClient {
  const { tenant, prefix = DEFAULT_PREFIX, wakeShards = 1 } = options;
  if (!TENANT_PATTERN.test(tenant)) throw new RangeError("a tenant is 1–64 letters, digits, `_` or `-`");
  checkedPrefix(prefix);
  const redis = "url" in options ? options.url : options.redis;

  let opening: Promise<OpenDeployment> | undefined;
  const open = (): Promise<OpenDeployment> => {
    opening ??= openDeployment({ redis, prefix, wakeShards }).catch((error: unknown) => {
      // The next call tries anew.
      opening = undefined;
      throw error;
    });
    return opening;
  };

  return {
    emit: async (events) => {
      return ingest(await open(), tenant, Array.isArray(events) ? events : [events]);
    },
    decide: async ({ device, user, app = DEFAULT_APP, language }) => {
      const asked = { tenant, device: canonicalId(device), user: canonicalId(user), app, language };
      try {
        return await decideAccess(await open(), asked);
      } catch {
        return denyWithout(`${tenant}/${asked.device}/${asked.user}/${app}`, "store.unavailable", 0);
      }
    },
    close: async () => {
      const deployment = await opening?.catch(() => undefined);
      await deployment?.close();
    },
  };
}
