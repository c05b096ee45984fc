/** Suites by what they touch: nothing, nothing either but for many virtual lives, a real Redis, the whole program. */
import { defineConfig } from "vitest/config";

const SECOND_MS = 1_000;
const redis = ["test/support/shared-redis.ts"];

export default defineConfig({
  // For `gatehouse/client` and `gatehouse/testing`, and what is beside them: tests and examples import them as a backend does.
  resolve: { tsconfigPaths: true },
  test: {
    maxWorkers: 2,
    coverage: { include: ["machines/**", "src/**", "workers/**"] },
    projects: [
      // Nothing they touch is shared, so the files need no process each: importing everything anew took most of the time.
      {
        extends: true,
        test: { name: "unit", include: ["test/unit/**/*.test.ts", "examples/**/*.test.ts"], isolate: false },
      },
      {
        extends: true,
        test: {
          name: "simulation",
          include: ["test/simulation/*.test.ts"],
          testTimeout: 300 * SECOND_MS,
          // A thousand lives, and all planted bugs.
          hookTimeout: 900 * SECOND_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "redis",
          include: ["test/redis/**/*.test.ts"],
          globalSetup: redis,
          testTimeout: 20 * SECOND_MS,
          hookTimeout: 20 * SECOND_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: redis,
          testTimeout: 120 * SECOND_MS,
          hookTimeout: 120 * SECOND_MS,
        },
      },
    ],
  },
});
