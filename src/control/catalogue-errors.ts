/** What can be wrong with a catalogue that is asked for or published. */
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

/** Somebody else published this version first. */
export class CatalogueOutdatedError extends GatehouseError {
  readonly code = "catalogue.outdated";
  readonly retryable = true;
  constructor(
    readonly version: number,
    readonly current: number,
  ) {
    super(`version ${version} can't be published: version ${current} is current`, {
      fix: `Look at version ${current}, then publish version ${current + 1}.`,
    });
  }
}
