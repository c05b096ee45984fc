/** The API's documentation as a page: served from here, so that reading it tells nobody else about it. */
import type { Hono } from "hono";
import { readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ApiEnv } from "./api.js";

const FILES = new Map([
  ["swagger-ui.css", "text/css"],
  ["swagger-ui-bundle.js", "text/javascript"],
  ["favicon-32x32.png", "image/png"],
]);

const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Gatehouse API</title>
<link rel="icon" href="/docs/favicon-32x32.png">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
`;

const START = `SwaggerUIBundle({ url: "/openapi.json", dom_id: "#page", deepLinking: true, validatorUrl: null });\n`;

/** No script but ours, and no connection but to this server. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'";

export function addViewer(app: Hono<ApiEnv>): void {
  const directory = dirname(fileURLToPath(import.meta.resolve("swagger-ui-dist/package.json")));
  app.get("/docs", (context) => context.html(PAGE, 200, { "content-security-policy": POLICY }));
  app.get("/docs/start.js", (context) => context.body(START, 200, { "content-type": "text/javascript" }));
  for (const [name, type] of FILES) {
    app.get(`/docs/${name}`, async (context) =>
      context.body(new Uint8Array(await readFile(join(directory, name))), 200, {
        "content-type": type,
        "cache-control": "public, max-age=3600",
      }),
    );
  }
}
