/** The API: every route, and what holds for all of them. */
import type { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { routePath } from "hono/route";
import { randomUUID } from "node:crypto";
import { asyncApiDocument } from "../asyncapi/document.js";
import { Api, type ApiDependencies, type ApiEnv } from "./api.js";
import { errorPage } from "./error-pages.js";
import { HttpProblem, toProblem } from "./problem.js";
import { auditRoutes } from "./routes/audit.js";
import { decisionRoutes } from "./routes/decisions.js";
import { endingRoutes } from "./routes/ending.js";
import { effectRoutes } from "./routes/effects.js";
import { eventRoutes } from "./routes/events.js";
import { keyRoutes } from "./routes/keys.js";
import { policyRoutes } from "./routes/policies.js";
import { probeRoutes } from "./routes/probes.js";
import { sessionRoutes } from "./routes/sessions.js";
import { streamRoutes } from "./routes/stream.js";
import { userRoutes } from "./routes/users.js";
import { webhookRoutes } from "./routes/webhooks.js";
import { addViewer } from "./viewer.js";

const ROUTES = [
  eventRoutes,
  decisionRoutes,
  sessionRoutes,
  streamRoutes,
  policyRoutes,
  userRoutes,
  endingRoutes,
  webhookRoutes,
  effectRoutes,
  keyRoutes,
  auditRoutes,
  probeRoutes,
];

const REQUEST_ID = /^[A-Za-z0-9_-]{1,64}$/;

/** What the document says of the API as a whole. */
const DOCUMENT = {
  openapi: "3.1.0",
  info: {
    title: "Gatehouse",
    version: "1",
    description:
      "Who may open corporate data on which device, and why not. Events in, decisions out. Errors are problems as in RFC 9457, each " +
      "with a stable `code`; its `type` leads to a page about it.",
  },
} as const;

export function createApp(dependencies: ApiDependencies): Api {
  const api = new Api(dependencies);
  const { app } = api;
  const { log, stopping, metrics } = dependencies;

  app.use(async (context, next) => {
    const given = context.req.header("x-request-id");
    const requestId = given !== undefined && REQUEST_ID.test(given) ? given : randomUUID();
    context.set("requestId", requestId);
    context.header("x-request-id", requestId);
    context.header("x-content-type-options", "nosniff");
    await next();
    if (stopping.aborted) context.header("connection", "close");
    metrics.requested(context.req.method, routePath(context, -1), context.res.status);
  });
  app.onError((error, context) => {
    const cause =
      error instanceof HTTPException
        ? new HttpProblem("request.invalid", "The request can't be read.", { fix: "See /openapi.json.", cause: error })
        : error;
    const requestId = context.get("requestId");
    const { problem, headers, isUnforeseen } = toProblem(cause, requestId);
    if (isUnforeseen)
      log.error(
        { err: error, requestId, method: context.req.method, route: context.req.routePath },
        "a request failed",
      );
    return context.body(JSON.stringify(problem), problem.status as 500, {
      ...headers,
      "content-type": "application/problem+json",
      "cache-control": "no-store",
    });
  });
  app.notFound(() => {
    throw new HttpProblem("request.not_found", "There is no such route.", {
      fix: "GET /openapi.json lists the routes.",
    });
  });

  for (const add of ROUTES) add(api);
  refuseOtherMethods(api);

  app.openAPIRegistry.registerComponent("securitySchemes", "apiKey", {
    type: "http",
    scheme: "bearer",
    description: "An API key, gh_…, from `gatehouse keys create`. Each route says which scope the key needs.",
  });
  let document: object | undefined;
  app.get("/openapi.json", (context) => context.json((document ??= app.getOpenAPI31Document(DOCUMENT))));
  let messages: object | undefined;
  app.get("/asyncapi.json", (context) => context.json((messages ??= asyncApiDocument())));
  app.get("/errors/:code", (context) => {
    const page = errorPage(context.req.param("code"));
    if (page === undefined) throw new HttpProblem("request.not_found", "There is no such error code.");
    return context.text(page);
  });
  addViewer(app as unknown as Hono<ApiEnv>);
  return api;
}

/** A known path with another method says which ones it takes. */
function refuseOtherMethods({ app, scopes }: Api): void {
  const methods = new Map<string, string[]>();
  for (const route of scopes.keys()) {
    const [method = "", path = ""] = route.split(" ");
    const known = methods.get(path);
    if (known === undefined) methods.set(path, [method]);
    else known.push(method);
  }
  for (const [path, allowed] of methods) {
    app.all(path.replaceAll(/\{(\w+)\}/g, ":$1"), () => {
      throw new HttpProblem("request.method", "The route does not take this method.", {
        fix: `It takes ${allowed.join(", ")}.`,
        headers: { allow: allowed.join(", ") },
      });
    });
  }
}
