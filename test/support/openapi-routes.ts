/** The routes of the API, as its own OpenAPI document tells them. */
import type { TestApi } from "./api-server.js";

export interface Operation {
  readonly security?: readonly { readonly apiKey?: readonly string[] }[];
  readonly responses: Readonly<Record<string, unknown>>;
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean }[];
  readonly requestBody?: unknown;
}

export interface DocumentedRoute {
  /** `GET /v1/sessions`. */
  readonly name: string;
  readonly method: string;
  readonly path: string;
  readonly operation: Operation;
}

export async function documentedRoutes(api: TestApi): Promise<DocumentedRoute[]> {
  const { body } = await api.ask("/openapi.json");
  const paths = Object.entries((body as { paths: Record<string, Record<string, Operation>> }).paths);
  return paths.flatMap(([path, operations]) =>
    Object.entries(operations).map(([verb, operation]) => {
      const method = verb.toUpperCase();
      return { name: `${method} ${path}`, method, path, operation };
    }),
  );
}
