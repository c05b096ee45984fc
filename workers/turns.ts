/** Lets so many things happen at once, and the others wait their turn. */
export class Turns {
  private readonly waiting: (() => void)[] = [];
  private underWay = 0;

  /** @param limit at once, 1 or more */
  constructor(private readonly limit: number) {}

  async take<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.underWay >= this.limit) await new Promise<void>((resolve) => this.waiting.push(resolve));
    else this.underWay++;
    try {
      return await work();
    } finally {
      // Whoever waited takes over this turn.
      const next = this.waiting.shift();
      if (next === undefined) this.underWay--;
      else next();
    }
  }
}
