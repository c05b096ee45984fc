/**
 * What a deployment is created with, and the rule that the first creation wins. Partition count and clock decide
 * where events go and when they happened, so a process that was told others must not start.
 */
import { z } from "zod";
import { GatehouseError } from "../errors.js";
import type { Deployment } from "./partition-store.js";

const DEFAULT_DEPLOYMENT: Deployment = {
  partitionCount: 64,
  clock: "redis",
  dedupeWindowMs: 3_600_000,
  dedupeLimit: 20_000,
  journalMaxBytes: 16 * 1024 * 1024,
  journalMaxAgeMs: 0,
};

/** A deployment has no more partitions than this. */
export const MAX_PARTITIONS = 4096;

/** What is left out is taken from the stored deployment, or from {@link DEFAULT_DEPLOYMENT} where none exists yet. */
export type DeploymentRequest = { readonly [Name in keyof Deployment]?: Deployment[Name] | undefined };

/** Coerces, because a stored deployment is a hash of strings. */
export const Settings = z.strictObject({
  partitionCount: z.coerce.number().int().min(1).max(MAX_PARTITIONS),
  clock: z.enum(["redis", "event"]),
  dedupeWindowMs: z.coerce.number().int().min(0),
  dedupeLimit: z.coerce.number().int().min(0),
  journalMaxBytes: z.coerce.number().int().min(1),
  // Deployments that were created before there was this setting keep records of any age.
  journalMaxAgeMs: z.coerce.number().int().min(0).default(0),
});

/** Field of the deployment's hash, and the only one, while it is restored from a backup; its value names the backup. */
export const RESTORING = "restoring";

/** The deployment was created with another partition count or clock than this process was told. */
export class DeploymentConflictError extends GatehouseError {
  readonly code = "store.deployment_conflict";
  readonly retryable = false;
}

/**
 * The deployment that a first creation with this request makes.
 * @throws RangeError naming each setting that is out of range
 */
export function newDeployment(request: DeploymentRequest): Deployment {
  const given = Object.fromEntries(Object.entries(request).filter(([, value]) => value !== undefined));
  const parsed = Settings.safeParse({ ...DEFAULT_DEPLOYMENT, ...given });
  if (!parsed.success) throw new RangeError(`deployment settings\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

/**
 * The stored deployment, if this request can live with it. Window, limit, and the journal's size and age are the stored ones
 * whatever was asked for.
 * @param name where it is stored, for the message
 * @throws DeploymentConflictError
 */
export function joinDeployment(
  name: string,
  stored: Readonly<Record<string, string>>,
  request: DeploymentRequest,
): Deployment {
  if (RESTORING in stored)
    throw new DeploymentConflictError(`${name} is being restored from a backup, or a restore was cut short`, {
      fix: "Wait until `gatehouse restore` has ended; if it failed, run it again with the same file.",
    });
  const parsed = Settings.safeParse(stored);
  if (!parsed.success)
    throw new DeploymentConflictError(`${name} does not describe a deployment\n${z.prettifyError(parsed.error)}`, {
      fix: "Choose another key prefix: this one holds something else, or was written by another version.",
    });
  for (const setting of ["partitionCount", "clock"] as const) {
    const asked = request[setting];
    const held = parsed.data[setting];
    if (asked !== undefined && asked !== held)
      throw new DeploymentConflictError(`${name} was created with ${setting} ${held}, not ${asked}`, {
        fix: `Leave ${setting} out or set it to ${held}; another value needs a new deployment under another key prefix.`,
      });
  }
  return parsed.data;
}
