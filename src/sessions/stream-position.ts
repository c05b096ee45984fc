/** Where somebody stands who follows all partitions: the last record seen of each. Written as one word, to come back with. */

/** Number of the last record seen, by partition; 0: none. */
export type StreamPosition = readonly number[];

/** At most 11 characters a partition. */
export const writePosition = (position: StreamPosition): string => position.map((seq) => seq.toString(36)).join(".");

/** @returns `undefined` if it is none of a deployment with so many partitions */
export function readPosition(text: string, partitionCount: number): StreamPosition | undefined {
  const position = text
    .split(".")
    .map((part) => (/^[0-9a-z]{1,10}$/.test(part) ? Number.parseInt(part, 36) : Number.NaN));
  return position.length === partitionCount && position.every(Number.isSafeInteger) ? position : undefined;
}
