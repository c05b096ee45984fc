/** How a program of this repository is run as a process of its own: as compiled for this test run, else from its sources. */
import { fileURLToPath } from "node:url";

/** Set by build.ts. */
export const BUILT = "GATEHOUSE_TEST_BUILT";

const at = (path: string): string => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/**
 * @param module of `src/` or `workers/`, without what it ends with
 * @returns arguments for Node
 */
export const programOf = (module: string): readonly string[] =>
  process.env[BUILT] ? [at(`dist/${module}.js`)] : ["--import", import.meta.resolve("tsx"), at(`${module}.ts`)];
