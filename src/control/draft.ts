/** The next catalogue version in the making: a tenant has one, and everybody who administers it works on the same. */
import type { CatalogueContent } from "./catalogue-document.js";

export interface Draft {
  /** Moves with every change of the draft and with every publish: what is saved replaces just what was read. */
  readonly revision: number;
  /** Version that it was made from; 0: none was published. */
  readonly base: number;
  /** Version in force when it was read. */
  readonly current: number;
  /** Somebody changed it since it was last published or discarded. Otherwise it is what is in force. */
  readonly isOpen: boolean;
  readonly content: CatalogueContent;
}
