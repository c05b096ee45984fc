/**
 * Suites by what they touch: nothing, nothing either but for many virtual lives, a real Redis, several of them together, the whole
 * program, and the whole program for minutes while things are broken.
 */
import { defineConfig } from "vitest/config";

const SECOND_MS = 1_000;
const redis = ["test/support/shared-redis.ts"];
const build = ["test/support/build.ts"];
const FUZZ = "test/redis/http/fuzz.test.ts";

/** What is of one group runs side by side. Virtual lives use every core, and so does chaos, where real time counts as well. */
const PURE = { sequence: { groupOrder: 0 } };
/** One more at a time than there are cores: they wait a lot. */
const REAL = { sequence: { groupOrder: 1 }, maxWorkers: 3 };
const ALONE = { sequence: { groupOrder: 2 } };

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
          ...PURE,
          include: ["test/unit/**/*.test.ts", "examples/**/*.test.ts"],
          isolate: false,
          testTimeout: 20 * SECOND_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "simulation",
          ...PURE,
          include: ["test/simulation/*.test.ts"],
          testTimeout: 300 * SECOND_MS,
          // A thousand lives, and all planted bugs.
          hookTimeout: 900 * SECOND_MS,
        },
      },
      {
        extends: true,
        // Beside what is pure, because it, too, is work for a processor and nothing else, and it takes minutes.
        test: { name: "fuzz", ...PURE, include: [FUZZ], globalSetup: redis },
      },
      {
        extends: true,
        test: {
          name: "redis",
          ...REAL,
          include: ["test/redis/**/*.test.ts"],
          exclude: [FUZZ],
          // Each file has keys of its own.
          isolate: false,
          globalSetup: redis,
          testTimeout: 20 * SECOND_MS,
          hookTimeout: 20 * SECOND_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "cluster",
          ...REAL,
          include: ["test/cluster/**/*.test.ts"],
          globalSetup: build,
          testTimeout: 120 * SECOND_MS,
          hookTimeout: 120 * SECOND_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          ...REAL,
          include: ["test/e2e/**/*.test.ts", "test/chaos/interrupted.test.ts", "test/soak/**/*.test.ts"],
          globalSetup: [...redis, ...build],
          testTimeout: 120 * SECOND_MS,
          hookTimeout: 120 * SECOND_MS,
        },
      },
      {
        extends: true,
        test: {
          name: "chaos",
          ...ALONE,
          include: ["test/chaos/chaos.test.ts"],
          testTimeout: 240 * SECOND_MS,
        },
      },
    ],
  },
});
