/**
 * How a route is declared, in one way for all: with the scope that it needs, so that none is open by mistake, and with schemas that both
 * check what comes and describe it in the OpenAPI document.
 */
import { OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { ActName } from "../audit/acts.js";
import { type About, type Act, type Acting, AuditLog } from "../audit/audit-log.js";
import type { OpenDeployment } from "../deployment/open-deployment.js";
import type { ApiKeyRecord, Scope } from "../keys/api-key.js";
import type { ApiKeys } from "../keys/api-keys.js";
import type { Logger } from "../log.js";
import type { Metrics } from "../metrics/metrics.js";
import type { Readiness } from "../readiness/readiness.js";
import type { Webhooks } from "../webhooks/webhooks.js";
import { authenticate } from "./authenticate.js";
import { MAX_BODY_BYTES, readJson } from "./body.js";
import type { Limits } from "./limits.js";

export interface ApiDependencies {
  readonly deployment: OpenDeployment;
  readonly keys: ApiKeys;
  readonly webhooks: Webhooks;
  readonly limits: Limits;
  readonly metrics: Metrics;
  readonly readiness: () => Promise<Readiness>;
  readonly log: Logger;
  /** How long a client may leave unread what a stream sends it, in ms; default 20 s. */
  readonly slowReaderMs?: number;
  /** Aborted when the server is to stop: long answers end. */
  readonly stopping: AbortSignal;
}

export interface ApiEnv {
  Variables: {
    requestId: string;
    /** Whoever calls. */
    key: ApiKeyRecord;
  };
}

export type ApiContext = Context<ApiEnv>;

/** An OpenAPI response by status. */
export type Responses = RouteConfig["responses"];

export const json = (schema: z.ZodType, description: string): Responses[number] => ({
  description,
  content: { "application/json": { schema } },
});

const ProblemSchema = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().openapi({ description: "Stable; docs/errors.md lists them" }),
    detail: z.string(),
    fix: z.string().optional(),
    requestId: z.string(),
  })
  .openapi("Problem", { description: "RFC 9457; some have further members" });

const PROBLEM: Responses[number] = {
  description: "A problem",
  content: { "application/problem+json": { schema: ProblemSchema } },
};

/** Statuses with which any route behind a key may answer instead. */
const COMMON_STATUSES = [400, 401, 403, 408, 413, 415, 429, 500, 503];

export interface RouteDeclaration<Params extends z.ZodObject, Query extends z.ZodType, Body extends z.ZodType> {
  readonly method: "get" | "post" | "put" | "delete";
  /** Parameters in braces: `/v1/things/{id}`. */
  readonly path: string;
  readonly scope: Scope;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: Params;
  readonly query?: Query;
  /** Sent as application/json, and checked before the handler is called. */
  readonly body?: Body;
  readonly maxBodyBytes?: number;
  /** Where the handler reads the body itself. */
  readonly content?: NonNullable<NonNullable<RouteConfig["request"]>["body"]>["content"];
  readonly responses: Responses;
  /** Statuses of problems beyond the common ones. */
  readonly problems?: readonly number[];
  /** Where the route lets an administrator change something: it is recorded. */
  readonly audit?: Audit<z.infer<Params>, z.infer<Body>>;
}

export interface Audit<Params, Body> {
  readonly act: ActName;
  /** What was asked for, without secrets and without anybody's name. */
  readonly about?: (asked: { readonly params: Params; readonly body: Body }) => About;
  /** Whom it is about: kept as hashes. */
  readonly person?: (asked: { readonly params: Params; readonly body: Body }) => Act["person"];
  /** Whether anything is to be changed at all; default: yes. */
  readonly applies?: (body: Body) => boolean;
}

export interface Asked<Params, Query, Body> {
  readonly context: ApiContext;
  readonly key: ApiKeyRecord;
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** What an audited route says of its act; of others it goes nowhere. */
  readonly acting: Acting;
}

const UNHEARD: Acting = { touch: () => undefined, know: () => undefined };

/** Why an administrator does something, for the audit log. */
const REASON_HEADER = "x-gatehouse-reason";

export class Api {
  readonly app = new OpenAPIHono<ApiEnv>();
  readonly #scopes = new Map<string, Scope>();
  readonly #acts = new Map<string, string>();

  constructor(readonly dependencies: ApiDependencies) {}

  /** The scope that each declared route needs, by `METHOD path`. */
  get scopes(): ReadonlyMap<string, Scope> {
    return this.#scopes;
  }

  /** What each audited route is recorded as, by `METHOD path`. */
  get acts(): ReadonlyMap<string, string> {
    return this.#acts;
  }

  /** A handler's HttpProblem, GatehouseError or ZodError is answered as a problem. */
  route<
    Params extends z.ZodObject = z.ZodObject<Record<never, never>>,
    Query extends z.ZodType = z.ZodUndefined,
    Body extends z.ZodType = z.ZodUndefined,
  >(
    declaration: RouteDeclaration<Params, Query, Body>,
    handle: (asked: Asked<z.infer<Params>, z.infer<Query>, z.infer<Body>>) => Promise<Response>,
  ): void {
    const { method, path, scope, params, query, body, maxBodyBytes = MAX_BODY_BYTES, audit } = declaration;
    this.#scopes.set(`${method.toUpperCase()} ${path}`, scope);
    if (audit !== undefined) this.#acts.set(`${method.toUpperCase()} ${path}`, audit.act);
    this.app.openAPIRegistry.registerPath(describe(declaration));
    this.app.on(
      method.toUpperCase(),
      [path.replaceAll(/\{(\w+)\}/g, ":$1")],
      authenticate(this.dependencies, scope),
      async (context) => {
        const key = context.get("key");
        const asked = {
          context,
          key,
          params: (params === undefined ? {} : params.parse(context.req.param())) as z.infer<Params>,
          query: query?.parse(onlyOnce(context)) as z.infer<Query>,
          body: (body === undefined ? undefined : body.parse(await readJson(context, maxBodyBytes))) as z.infer<Body>,
        };
        if (audit === undefined || audit.applies?.(asked.body) === false) return handle({ ...asked, acting: UNHEARD });
        const reason = context.req.header(REASON_HEADER);
        const actor = { by: key.name, via: "API", key: key.id, reason } as const;
        const { redis, prefix } = this.dependencies.deployment;
        return new AuditLog(redis, prefix, key.tenant).record(
          actor,
          {
            act: audit.act,
            ...(audit.about && { about: audit.about(asked) }),
            person: audit.person?.(asked),
          },
          async (acting) => handle({ ...asked, acting }),
        );
      },
    );
  }
}

/** Parameters by name. One that comes twice becomes a list, which no schema takes. */
function onlyOnce(context: ApiContext): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(context.req.queries()).map(([name, values]) => [name, values.length === 1 ? values[0] : values]),
  );
}

function describe<Params extends z.ZodObject, Query extends z.ZodType, Body extends z.ZodType>({
  method,
  path,
  scope,
  tag,
  summary,
  description,
  params,
  query,
  body,
  content = body && { "application/json": { schema: body } },
  responses,
  problems = [],
}: RouteDeclaration<Params, Query, Body>): RouteConfig {
  return {
    method,
    path,
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    security: [{ apiKey: [scope] }],
    request: {
      ...(params && { params }),
      ...(query && { query: query as unknown as z.ZodObject }),
      ...(content && { body: { content, required: true } }),
    },
    responses: {
      ...responses,
      ...Object.fromEntries([...COMMON_STATUSES, ...problems].map((status) => [status, PROBLEM])),
    },
  };
}
