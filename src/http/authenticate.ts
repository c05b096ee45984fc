/** Who calls, before anything of the body is read: a valid key, of the scope that the route asks for. */
import type { MiddlewareHandler } from "hono";
import type { Scope } from "../keys/api-key.js";
import type { ApiDependencies, ApiEnv } from "./api.js";
import { HttpProblem } from "./problem.js";

const CHALLENGE = { "www-authenticate": 'Bearer realm="gatehouse"' };

/** @param scope that the key must have */
export function authenticate({ keys, limits }: ApiDependencies, scope: Scope): MiddlewareHandler<ApiEnv> {
  return async (context, next) => {
    const header = context.req.header("authorization");
    if (header === undefined) {
      throw new HttpProblem("auth.missing", "The request has no API key.", {
        fix: "Send Authorization: Bearer gh_…; `gatehouse keys create` makes one.",
        headers: { ...CHALLENGE, connection: "close" },
      });
    }
    const [, text = ""] = /^Bearer +(\S{1,256})$/i.exec(header) ?? [];
    const key = await keys.verify(text);
    if (key === undefined) {
      throw new HttpProblem("auth.invalid", "The API key is unknown, expired or revoked.", {
        fix: "Send Authorization: Bearer gh_… with a key that `gatehouse keys list` shows as valid.",
        headers: { ...CHALLENGE, connection: "close" },
      });
    }
    if (!key.scopes.includes(scope)) {
      throw new HttpProblem("auth.scope", `The API key lacks the scope ${scope}.`, {
        fix: `Use a key made with --scope ${scope}.`,
        headers: { connection: "close" },
      });
    }
    await limits.request(key.id);
    context.set("key", key);
    await next();
  };
}
