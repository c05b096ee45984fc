/** What happens next: a binary heap by time. Of two at the same time the one that was put in first comes first. */

interface Planned<Item> {
  readonly at: number;
  readonly order: number;
  readonly item: Item;
}

export class Schedule<Item> {
  private readonly heap: Planned<Item>[] = [];
  private orders = 0;

  /** @param at epoch ms */
  add(at: number, item: Item): void {
    const planned = { at, order: this.orders++, item };
    let index = this.heap.push(planned) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!comesFirst(planned, this.heap[parent] as Planned<Item>)) break;
      this.heap[index] = this.heap[parent] as Planned<Item>;
      index = parent;
    }
    this.heap[index] = planned;
  }

  /** Takes out what comes first; `undefined`: nothing is left. */
  next(): { readonly at: number; readonly item: Item } | undefined {
    const [first] = this.heap;
    const moved = this.heap.pop();
    if (moved === undefined || first === undefined || this.heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= this.heap.length) break;
      const right = this.heap[child + 1];
      if (right !== undefined && comesFirst(right, this.heap[child] as Planned<Item>)) child++;
      if (!comesFirst(this.heap[child] as Planned<Item>, moved)) break;
      this.heap[index] = this.heap[child] as Planned<Item>;
      index = child;
    }
    this.heap[index] = moved;
    return first;
  }
}

const comesFirst = (one: Planned<unknown>, other: Planned<unknown>): boolean =>
  one.at < other.at || (one.at === other.at && one.order < other.order);
