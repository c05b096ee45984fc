/** The API over a real Redis on a free port, with a worker beside it where a test asks for one. */
import { randomUUID } from "node:crypto";
import { type OpenDeployment, openDeployment } from "../../src/deployment/open-deployment.js";
import { createApp } from "../../src/http/app.js";
import type { Api } from "../../src/http/api.js";
import { DEFAULT_LIMITS, Limits, type LimitSettings } from "../../src/http/limits.js";
import { type RunningServer, startServer } from "../../src/http/server.js";
import { type ApiKeyRecord, SCOPES, type Scope } from "../../src/keys/api-key.js";
import { ApiKeys } from "../../src/keys/api-keys.js";
import { type Logger, createLogger } from "../../src/log.js";
import { addDeploymentMetrics } from "../../src/metrics/deployment-metrics.js";
import { Metrics } from "../../src/metrics/metrics.js";
import { readiness } from "../../src/readiness/readiness.js";
import { SecretKey } from "../../src/secrets/secret-key.js";
import { LOOPBACK, Targets } from "../../src/webhooks/target.js";
import { Webhooks } from "../../src/webhooks/webhooks.js";
import { startWorker } from "../../workers/worker.js";
import { type TestRedis, startRedis } from "./redis-server.js";

export const TENANT = "contoso";

export interface TestApi {
  readonly url: string;
  readonly redis: TestRedis;
  readonly deployment: OpenDeployment;
  readonly keys: ApiKeys;
  readonly api: Api;
  readonly metrics: Metrics;
  readonly server: RunningServer;
  /** With every scope, of {@link TENANT}. */
  readonly key: string;
  newKey(scopes?: readonly Scope[], more?: { tenant?: string; emitters?: ApiKeyRecord["emitters"] }): Promise<string>;
  /** With the key above, unless `authorization` is given. An object as body is sent as JSON. */
  ask(path: string, init?: AskInit): Promise<Answer>;
  stop(): Promise<void>;
}

export type AskInit = Omit<RequestInit, "body" | "headers"> & {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly key?: string;
};

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // oxlint-disable-next-line typescript/no-explicit-any -- what a test expects of an answer is said by its assertions
  readonly body: any;
}

export async function startApi({
  worker = false,
  limits = {},
  log = createLogger("silent", "test"),
  slowReaderMs,
  ...given
}: {
  worker?: boolean;
  limits?: Partial<LimitSettings>;
  log?: Logger;
  slowReaderMs?: number;
  /** Of the test's own, where it is to suffer. */
  redis?: TestRedis;
} = {}): Promise<TestApi> {
  const redis = given.redis ?? (await startRedis());
  const { prefix } = redis;
  const deployment = await openDeployment({ redis: redis.url, prefix, deployment: { partitionCount: 4 } });
  const secretKey = new SecretKey("a secret that only this test knows");
  const keys = new ApiKeys(deployment.redis, prefix, secretKey);
  const targets = new Targets({ allowPrivate: LOOPBACK });
  const webhooks = new Webhooks({ redis: deployment.redis, prefix, secretKey, targets });
  const stopping = new AbortController();
  const metrics = new Metrics();
  addDeploymentMetrics(metrics, deployment);
  const api = createApp({
    deployment,
    keys,
    webhooks,
    limits: new Limits({ ...DEFAULT_LIMITS, ...limits }),
    log,
    ...(slowReaderMs !== undefined && { slowReaderMs }),
    metrics,
    readiness: async () =>
      readiness({ redis: deployment.redis, prefix, least: "D0", trusted: false, stopping: stopping.signal }),
    stopping: stopping.signal,
  });
  const server = await startServer(api, { host: "127.0.0.1", port: 0 });
  const working = worker
    ? await startWorker({
        redis: redis.url,
        prefix,
        wakeShards: 1,
        concurrency: 2,
        shutdownMs: 5_000,
        sink: null,
        log: createLogger("silent", "test"),
      })
    : undefined;
  const newKey: TestApi["newKey"] = async (scopes = SCOPES, { tenant = TENANT, emitters } = {}) => {
    const made = await keys.create({ tenant, name: "test", scopes, ...(emitters && { emitters }), expiresAt: null });
    return made.key;
  };
  const key = await newKey();
  return {
    url: server.url,
    redis,
    deployment,
    keys,
    api,
    metrics,
    server,
    key,
    newKey,
    ask: async (path, { body, headers = {}, key: other = key, ...init } = {}) => {
      const isRaw = body === undefined || typeof body === "string" || body instanceof Uint8Array;
      const response = await fetch(`${server.url}${path}`, {
        ...init,
        ...(body !== undefined && {
          method: init.method ?? "POST",
          body: (isRaw ? body : JSON.stringify(body)) as NonNullable<RequestInit["body"]>,
        }),
        headers: {
          authorization: `Bearer ${other}`,
          ...(body !== undefined && { "content-type": "application/json" }),
          ...headers,
        },
      });
      const text = await response.text();
      const isJson = /json/.test(response.headers.get("content-type") ?? "");
      return {
        status: response.status,
        headers: response.headers,
        body: isJson ? (JSON.parse(text) as unknown) : text,
      };
    },
    stop: async () => {
      stopping.abort();
      await server.stop(1_000);
      await working?.stop();
      await deployment.close();
      await redis.stop();
    },
  };
}

/** A CloudEvent as a backend sends it. */
export const cloudEvent = (type: string, data: object = {}, changes: object = {}): Record<string, unknown> => ({
  specversion: "1.0",
  id: randomUUID(),
  source: "app://test",
  type,
  subject: "phone-1/adele",
  time: new Date().toISOString(),
  data,
  ...changes,
});
