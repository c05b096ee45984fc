/** What can be wrong with a webhook endpoint that is made, named or changed, and with deliveries that are asked for. */
import { GatehouseError } from "../errors.js";

/** The tenant has no such endpoint. */
export class WebhookUnknownError extends GatehouseError {
  readonly code = "webhook.unknown";
  readonly retryable = false;
  constructor(id: string) {
    super(`there is no webhook endpoint ${JSON.stringify(id)}`, { fix: "`gatehouse webhooks list` shows the ids." });
  }
}

/** Nothing may be sent to the address. */
export class WebhookTargetError extends GatehouseError {
  readonly code = "webhook.target_refused";
  readonly retryable = false;
}

/** Somebody else changed the endpoint at the same moment. */
export class WebhookConflictError extends GatehouseError {
  readonly code = "webhook.conflict";
  readonly retryable = true;
  constructor(id: string) {
    super(`somebody else changed the webhook endpoint ${id} at the same moment; nothing of this change was saved`, {
      fix: "Look at it with `gatehouse webhooks show`, then make the change again.",
    });
  }
}

/** The tenant has as many endpoints as it may have. */
export class WebhookLimitError extends GatehouseError {
  readonly code = "webhook.limit";
  readonly retryable = false;
}

/** A stored secret can't be read with the secret key of this process. */
export class WebhookSecretError extends GatehouseError {
  readonly code = "webhook.secret_unreadable";
  readonly retryable = false;
  constructor(id: string) {
    super(`the secret of the webhook endpoint ${id} can't be read`, {
      fix: "Set GATEHOUSE_SECRET_KEY as when it was made, or rotate the secret with `gatehouse webhooks rotate`.",
    });
  }
}

/** None of the tenant's endpoints was ever given the effect. */
export class EffectUnknownError extends GatehouseError {
  readonly code = "effect.unknown";
  readonly retryable = false;
  constructor(id: string) {
    super(`no delivery of an effect ${JSON.stringify(id)} is known`, {
      fix: "`gatehouse effects list` shows the ids. What was delivered is remembered for the last 10,000 of an endpoint.",
    });
  }
}
