/** Suites by what they touch: nothing, a real Redis, several of them together, the whole program, and the whole program for minutes while things are broken. */
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
        test: {
          name: "unit",
          include: ["test/unit/**/*.test.ts", "examples/**/*.test.ts"],
          isolate: false,
          testTimeout: 20 * SECOND_MS,
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
          name: "cluster",
          include: ["test/cluster/**/*.test.ts"],
          testTimeout: 60 * SECOND_MS,
          hookTimeout: 60 * SECOND_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: [...redis, "test/support/build.ts"],
          testTimeout: 120 * SECOND_MS,
          hookTimeout: 120 * SECOND_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "chaos",
          include: ["test/chaos/**/*.test.ts", "test/soak/**/*.test.ts"],
          testTimeout: 240 * SECOND_MS,
          // Each wants the machine for itself.
          fileParallelism: false,
        },
      },
    ],
  },
});
