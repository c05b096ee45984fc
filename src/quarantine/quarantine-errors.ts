/** Why nothing was decided about a quarantined session. */
import { GatehouseError } from "../errors.js";

/** There is nothing to decide: the session goes on as usual. */
export class NotQuarantinedError extends GatehouseError {
  readonly code = "quarantine.none";
  readonly retryable = false;

  constructor(session: string) {
    super(`${session} is not quarantined`, {
      fix: "`gatehouse quarantine list` shows those that are. Redriving one twice does no harm.",
    });
  }
}
