/** `gatehouse/remediators`: what a module registers that GATEHOUSE_REMEDIATORS names. */
import { type Cause, type RemediationHandler, type RemediatorOptions, RemediatorRegistry } from "./registry.js";

export {
  CAUSES,
  type Cause,
  type RemediationHandler,
  type RemediationRequest,
  type RemediationResult,
  type RemediatorOptions,
} from "./registry.js";

/** One for the process, however often this module was loaded: a project may hold it as sources and as a package. */
const PROCESS_WIDE = Symbol.for("gatehouse.remediators");
const holder = globalThis as { [PROCESS_WIDE]?: RemediatorRegistry };

/** Those of this process. */
export const registeredRemediators: RemediatorRegistry = (holder[PROCESS_WIDE] ??= new RemediatorRegistry());

/**
 * From now on, the handler tries to bring sessions back into compliance that are out of it for this cause.
 *
 * It may run more than once for one attempt: after an error, and after a worker died. It should give up when `signal` fires.
 * @throws RangeError if the cause is none, has a handler already, or an option is out of range
 */
export function registerRemediator(cause: Cause, handler: RemediationHandler, options?: RemediatorOptions): void {
  registeredRemediators.register(cause, handler, options);
}
