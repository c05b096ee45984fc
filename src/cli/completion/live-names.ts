/** What exists in the deployment and begins with a text, found quickly: in a large deployment, some of it. */
import type { RedisConnection } from "../../redis/connection.js";
import { type SessionIdParts, sessionIdParts } from "../../../machines/session/session.js";
import type { OpenDeployment } from "../../deployment/open-deployment.js";
import { partitionOf } from "../../store/session-key.js";
import { EndpointStore } from "../../webhooks/endpoint-store.js";
import { shortId } from "../options.js";
import { userKeys } from "../../store/keys.js";
import type { Candidate, LiveKind } from "./suggest.js";

/** Names found; more than anybody reads. */
const MOST = 200;
/** Sessions looked through in one call. */
const PAGE = 1_000;
/** Calls side by side: Redis has other work to do. */
const SIDE_BY_SIDE = 8;

/**
 * @param until when it is over, what was found by then is the answer
 * @throws StoreUnavailableError
 */
export async function liveNames(
  deployment: OpenDeployment,
  tenant: string,
  kind: LiveKind,
  beginning: string,
  until: AbortSignal,
): Promise<readonly Candidate[]> {
  switch (kind) {
    case "session":
      return sessionNames(
        deployment,
        tenant,
        beginning,
        `"id":"${tenant}/${beginning}`,
        until,
        ({ session }) => session,
      );
    case "device":
      return sessionNames(deployment, tenant, beginning, `"id":"${tenant}/${beginning}`, until, ({ device }) => device);
    case "user": {
      const ofSessions = sessionNames(deployment, tenant, beginning, `/${beginning}`, until, ({ user }) => user);
      const [one, other] = await Promise.all([ofSessions, knownUsers(deployment, tenant, beginning)]);
      return unique([...one, ...other]);
    }
    case "policy":
      return policies(deployment, tenant);
    case "endpoint":
      return endpoints(deployment, tenant);
  }
}

type SearchPage = Awaited<ReturnType<OpenDeployment["store"]["search"]>>;

const ID = /"id":"([^"]+)"/;

async function sessionNames(
  { store }: OpenDeployment,
  tenant: string,
  beginning: string,
  text: string,
  until: AbortSignal,
  nameOf: (id: SessionIdParts & { readonly session: string }) => string,
): Promise<readonly Candidate[]> {
  // What can't be in a name is in none; the store looks for the text as it is.
  if (!/^[\w./-]*$/.test(beginning)) return [];
  const { partitionCount } = store.deployment;
  const [device, ...rest] = beginning.split("/");
  const isOneDevice = text.startsWith('"id"') && rest.length > 0 && device !== undefined;
  const partitions = isOneDevice
    ? [partitionOf(tenant, device, partitionCount)]
    : Array.from({ length: partitionCount }, (_, partition) => partition);
  const names = new Set<string>();
  const lookThrough = async (partition: number): Promise<void> => {
    let position: string | null = null;
    do {
      const page: SearchPage = await store.search(partition, "sessions", text, position, PAGE);
      for (const { body } of page.found) {
        const id = ID.exec(body)?.[1] ?? "";
        const parts = sessionIdParts(id);
        const name = nameOf({ ...parts, session: shortId(id) });
        if (parts.tenant === tenant && name.startsWith(beginning)) names.add(name);
      }
      position = page.next;
    } while (position !== null && names.size < MOST && !until.aborted);
  };
  for (let from = 0; from < partitions.length && names.size < MOST && !until.aborted; from += SIDE_BY_SIDE) {
    await Promise.all(partitions.slice(from, from + SIDE_BY_SIDE).map(lookThrough));
  }
  return candidates([...names]);
}

/** Users who were imported or whom an event was about; those of sessions alone are found there. */
async function knownUsers(
  { store, redis, prefix }: Pick<OpenDeployment, "store" | "redis" | "prefix">,
  tenant: string,
  beginning: string,
): Promise<readonly Candidate[]> {
  if (!/^[\w.-]*$/.test(beginning)) return [];
  const shards = Array.from({ length: store.deployment.partitionCount }, (_, shard) => shard);
  const found = await Promise.all(
    shards.map(async (shard) => firstFields(redis, userKeys(prefix, shard).records, `${tenant}/${beginning}*`)),
  );
  return candidates(found.flat().map((field) => field.slice(tenant.length + 1)));
}

/** Of one page: whoever needs more types more. */
async function firstFields(redis: RedisConnection, key: string, match: string): Promise<string[]> {
  const [, pairs] = await redis.hscan(key, "0", "MATCH", match, "COUNT", PAGE);
  return pairs.filter((_, index) => index % 2 === 0);
}

async function policies({ catalogues }: OpenDeployment, tenant: string): Promise<readonly Candidate[]> {
  const { content } = await catalogues.draft(tenant);
  return [...content.policies, ...content.conditionalAccess].flatMap((document) => {
    const { id, displayName } = document as { readonly id?: unknown; readonly displayName?: unknown };
    return typeof id === "string"
      ? [{ value: id, description: typeof displayName === "string" ? displayName : "" }]
      : [];
  });
}

async function endpoints({ redis, prefix }: OpenDeployment, tenant: string): Promise<readonly Candidate[]> {
  const all = [...(await new EndpointStore(redis, prefix).all()).values()];
  return all
    .filter((endpoint) => endpoint.tenant === tenant && endpoint.state !== "removed")
    .map(({ id, url }) => ({ value: id, description: url }));
}

const unique = (all: readonly Candidate[]): readonly Candidate[] => candidates(all.map(({ value }) => value));

const candidates = (names: readonly string[]): readonly Candidate[] =>
  [...new Set(names)]
    .sort()
    .slice(0, MOST)
    .map((value) => ({ value, description: "" }));
