/** What can be wrong with a catalogue that is asked for, changed or published. */
import { GatehouseError } from "../errors.js";

/** A partition names a catalogue version that the deployment does not hold. */
export class CatalogueMissingError extends GatehouseError {
  readonly code = "catalogue.missing";
  readonly retryable = true;
  constructor(tenant: string, version: number) {
    super(`catalogue version ${version} of tenant ${tenant} is not stored`, {
      fix: "Publish the policies again; until then this tenant's sessions are not processed, and decisions are deny.",
    });
  }
}

/** An administrator names a version that was never published. */
export class VersionUnknownError extends GatehouseError {
  readonly code = "catalogue.unknown";
  readonly retryable = false;
  constructor(version: number, current: number) {
    super(`there is no catalogue version ${version}`, {
      fix:
        current === 0
          ? "Nothing was published yet."
          : `Versions: ${current === 1 ? "1" : `1 to ${current}`}. See \`gatehouse policy versions\`.`,
    });
  }
}

/** Another version became current since this one was begun. */
export class CatalogueOutdatedError extends GatehouseError {
  readonly code = "catalogue.outdated";
  readonly retryable = true;
  constructor(
    /** The version that this one was made from. */
    readonly base: number,
    readonly current: number,
  ) {
    super(`this was made from version ${base}, and version ${current} is in force by now`, {
      fix:
        "See with `gatehouse policy diff` what publishing would change, what others published among it.\n" +
        `Then \`gatehouse policy publish --onto ${current}\` publishes it all the same.`,
    });
  }
}

/** What would be published is what is in force. */
export class NothingToPublishError extends GatehouseError {
  readonly code = "catalogue.unchanged";
  readonly retryable = false;
  constructor(current: number) {
    super(
      current === 0
        ? "there is nothing to publish: the draft is empty"
        : `there is nothing to publish: version ${current} says the same`,
      { fix: "Change the draft first, for example with `gatehouse policy import` or `gatehouse policy assign`." },
    );
  }
}

/** Somebody else changed the draft, or published, between reading and saving. */
export class DraftConflictError extends GatehouseError {
  readonly code = "draft.conflict";
  readonly retryable = true;
  constructor(tenant: string) {
    super(`somebody else changed the policies of ${tenant} at the same moment; nothing of this change was saved`, {
      fix: "Look at the draft with `gatehouse policy list`, then make the change again.",
    });
  }
}

/** No policy of the draft goes by this name. */
export class PolicyUnknownError extends GatehouseError {
  readonly code = "policy.unknown";
  readonly retryable = false;
}

/** A policy is asked for something that its kind does not have. */
export class PolicyKindError extends GatehouseError {
  readonly code = "policy.kind";
  readonly retryable = false;
}
