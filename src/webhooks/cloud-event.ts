/** An effect as a receiver gets it: a CloudEvent in JSON, in structured mode. */
import { sessionIdParts } from "../../machines/session/session.js";
import type { EffectMessage } from "../store/partition-view.js";

export const CLOUD_EVENT_TYPE_PREFIX = "gatehouse.effect.";
export const CLOUD_EVENT_MEDIA_TYPE = "application/cloudevents+json; charset=utf-8";

export interface EffectCloudEvent {
  readonly specversion: "1.0";
  /** The effect's id: the same at every attempt, and that of `webhook-id`. */
  readonly id: string;
  /** `/gatehouse/<tenant>`. */
  readonly source: string;
  /** `gatehouse.effect.<type>`. */
  readonly type: string;
  /** `device/user/app`. */
  readonly subject: string;
  /** When it was decided, RFC 3339. */
  readonly time: string;
  readonly datacontenttype: "application/json";
  readonly tenant: string;
  /** The session's: a greater one is newer. */
  readonly revision: number;
  readonly kind: "state" | "command";
  readonly data: unknown;
  /** Where the trace of the event that it follows from goes on: the same at every attempt. */
  readonly traceparent?: string;
}

export function toCloudEvent({
  id,
  session,
  revision,
  at,
  kind,
  type,
  data,
  traceparent,
}: EffectMessage): EffectCloudEvent {
  const { tenant, device, user, app } = sessionIdParts(session);
  return {
    specversion: "1.0",
    id,
    source: `/gatehouse/${tenant}`,
    type: `${CLOUD_EVENT_TYPE_PREFIX}${type}`,
    subject: `${device}/${user}/${app}`,
    time: new Date(at).toISOString(),
    datacontenttype: "application/json",
    tenant,
    revision,
    kind,
    data,
    ...(traceparent !== undefined && { traceparent }),
  };
}
