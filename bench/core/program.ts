/** A module of the benchmarks as a program of its own: compiled, as all that is measured; tests run some from their sources. */
import { extname } from "node:path";
import { fileURLToPath } from "node:url";

export interface Program {
  readonly file: string;
  /** Flags that Node needs to run it. */
  readonly execArgv: readonly string[];
}

/**
 * @param module relative to `from`, without what its file's name ends with
 * @param from `import.meta.url` of whoever starts it
 */
export function programOf(module: string, from: string): Program {
  const extension = extname(from);
  return {
    file: fileURLToPath(new URL(module + extension, from)),
    execArgv: extension === ".ts" ? ["--import", import.meta.resolve("tsx")] : [],
  };
}
