/** Chance that repeats itself: the same seed gives the same day, in every process and release. (The sfc32 generator.) */

/** Keeps what is drawn for one purpose apart from what is drawn for another. */
export type Stream = "ids" | "deck" | "arrival" | "behaviour" | "wire";

const STREAMS: Readonly<Record<Stream, number>> = { ids: 1, deck: 2, arrival: 3, behaviour: 4, wire: 5 };
/** Until the four words of the state have mixed. */
const WARM_UP_DRAWS = 15;

export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter: number;

  /** Two streams that differ in any of the three never run together: the state begins with all of them, unmixed. */
  constructor(seed: number, stream: Stream, index = 0) {
    this.a = seed >>> 0;
    this.b = Math.floor(seed / 2 ** 32) >>> 0;
    this.c = index >>> 0;
    this.counter = STREAMS[stream];
    for (let draw = 0; draw < WARM_UP_DRAWS; draw++) this.uint32();
  }

  /** A whole number in [0, 2^32). */
  uint32(): number {
    const drawn = (this.a + this.b + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + drawn) | 0;
    return drawn >>> 0;
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number): number {
    return least + Math.floor((this.uint32() / 2 ** 32) * (most - least + 1));
  }

  chance(probability: number): boolean {
    return this.uint32() < probability * 2 ** 32;
  }

  pick<Items extends readonly [unknown, ...unknown[]]>(items: Items): Items[number] {
    return items[this.between(0, items.length - 1)];
  }

  /** Shuffled in place (Fisher and Yates). */
  shuffle<Item>(items: Item[]): Item[] {
    for (let last = items.length - 1; last > 0; last--) {
      const other = this.between(0, last);
      [items[last], items[other]] = [items[other] as Item, items[last] as Item];
    }
    return items;
  }

  /** An id in the shape of a GUID, version 4. */
  guid(): string {
    const hex = [this.uint32(), this.uint32(), this.uint32(), this.uint32()]
      .map((word) => word.toString(16).padStart(8, "0"))
      .join("");
    const variant = "89ab"[Number.parseInt(hex.charAt(16), 16) & 3];
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  }
}
