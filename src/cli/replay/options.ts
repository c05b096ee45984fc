/** What the three ways to replay are asked for. */
import { type SessionId, sessionIdParts } from "../../../machines/session/session.js";
import type { Config } from "../../config.js";
import { partitionOf } from "../../store/session-key.js";
import type { ActOptions } from "../act.js";
import type { Moment } from "../moment.js";
import { sessionIdOf } from "../options.js";

export interface ReplayOptions extends ActOptions {
  readonly session?: string;
  readonly tenant?: string;
  readonly partition?: readonly number[];
  readonly since?: Moment;
  readonly until?: Moment;
  readonly skipBad?: true;
  readonly apply?: true;
  readonly yes?: true;
  readonly archive?: string;
  readonly from?: readonly [partition: number, seq: number];
  readonly json?: true;
}

/** Whose events are meant, and of which session. @throws UsageError */
export function meant(
  { session, tenant: named }: ReplayOptions,
  config: Config,
): { readonly tenant: string; readonly id: SessionId | undefined } {
  const tenant = named ?? config.tenant;
  if (session === undefined) return { tenant, id: undefined };
  const id = sessionIdOf(session, tenant);
  return { tenant: sessionIdParts(id).tenant, id };
}

export function partitionOfSession(id: SessionId, partitionCount: number): number {
  const { tenant, device } = sessionIdParts(id);
  return partitionOf(tenant, device, partitionCount);
}
