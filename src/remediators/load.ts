/** Loads the modules that GATEHOUSE_REMEDIATORS names, so that they register what they have. */
import { isAbsolute, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { GatehouseError } from "../errors.js";
import { type RemediatorRegistry } from "./registry.js";
import { registeredRemediators } from "./index.js";

/** A module of remediators can't be loaded, or registers nothing. */
export class RemediatorsError extends GatehouseError {
  readonly code = "remediators.invalid";
  readonly retryable = false;
}

/**
 * @param modules paths, from the working directory on, or names of packages
 * @throws RemediatorsError
 */
export async function loadRemediators(modules: readonly string[]): Promise<RemediatorRegistry> {
  for (const module of modules) {
    const isPath = module.startsWith(".") || isAbsolute(module);
    try {
      await import(isPath ? pathToFileURL(resolve(module)).href : module);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      throw new RemediatorsError(`the module of remediators ${JSON.stringify(module)} can't be loaded: ${words}`, {
        cause: error,
        fix: "GATEHOUSE_REMEDIATORS names modules, separated by commas: paths that begin with ./ or /, or packages.",
      });
    }
  }
  if (modules.length > 0 && registeredRemediators.isEmpty) {
    throw new RemediatorsError("GATEHOUSE_REMEDIATORS names modules, but none of them registers a remediator", {
      fix: 'Call registerRemediator(cause, handler) of "gatehouse/remediators" when the module is loaded.',
    });
  }
  return registeredRemediators;
}
