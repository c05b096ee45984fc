/**
 * The time of a simulation: a queue of what is to happen, in order. Between any two of them all that follows at once is let happen, so the
 * order of everything is the queue's, and the queue's is the seed's.
 */

interface Due {
  /** Ms since the run began. */
  readonly at: number;
  /** Of two that are due at once the one that was asked for first comes first. */
  readonly order: number;
  readonly happen: () => void;
}

/** Lets every promise that can settle do so: a tick comes when no promise has anything to do any more. */
const settled = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

export class VirtualTime {
  /** Ms since the run began. */
  now = 0;
  #asked = 0;
  /** A heap: the earliest first. */
  readonly #due: Due[] = [];

  after(ms: number, happen: () => void): void {
    this.at(this.now + ms, happen);
  }

  at(at: number, happen: () => void): void {
    const heap = this.#due;
    const due: Due = { at: Math.max(at, this.now), order: this.#asked++, happen };
    let n = heap.push(due) - 1;
    while (n > 0) {
      const parent = (n - 1) >> 1;
      if (!isBefore(due, heap[parent] as Due)) break;
      heap[n] = heap[parent] as Due;
      n = parent;
    }
    heap[n] = due;
  }

  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => this.after(ms, resolve));
  }

  /** Lets things happen until it is over, nothing is left, or it is `until`. */
  async run(until: number, isOver: () => boolean): Promise<void> {
    await settled();
    for (let next = this.#due[0]; next !== undefined && next.at <= until && !isOver(); next = this.#due[0]) {
      this.#takeFirst();
      this.now = next.at;
      next.happen();
      await settled();
    }
    this.now = Math.max(this.now, isOver() ? this.now : until);
  }

  #takeFirst(): void {
    const heap = this.#due;
    const last = heap.pop() as Due;
    if (heap.length === 0) return;
    let n = 0;
    for (;;) {
      let child = 2 * n + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Due, heap[child] as Due)) child++;
      if (!isBefore(heap[child] as Due, last)) break;
      heap[n] = heap[child] as Due;
      n = child;
    }
    heap[n] = last;
  }
}

function isBefore(one: Due, other: Due): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
