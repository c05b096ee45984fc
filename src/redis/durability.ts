/** What an accepted event survives, by class. */

/** `D0`: written out each second, so a power cut costs up to one. `D1`: before the answer. `D2`: and on a replica. */
export const DURABILITY_CLASSES = ["D0", "D1", "D2"] as const;
export type Durability = (typeof DURABILITY_CLASSES)[number];
