/** GET /livez and /readyz: for whoever decides whether requests are sent here. They need no key and name nobody. */
import type { Api } from "../api.js";

export function probeRoutes({ app, dependencies }: Api): void {
  app.get("/livez", (context) => context.text("ok\n"));
  app.get("/readyz", async (context) => {
    const state = await dependencies.readiness();
    context.header("cache-control", "no-store");
    return context.json(state, state.ready ? 200 : 503);
  });
}
