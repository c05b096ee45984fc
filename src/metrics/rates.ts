/** How fast a deployment works: from what it has counted at several moments. */

/** What was counted up to a moment. */
export interface Sample {
  /** On any clock that only goes on, ms. */
  readonly at: number;
  /** Events accepted; those that wait are among them. */
  readonly accepted: number;
  /** Events committed, whatever became of them. */
  readonly processed: number;
  readonly applied: number;
  /** Effects committed. */
  readonly effects: number;
}

export interface Rates {
  /** Over which the rates are, ms; 0: there was one look only, and they are 0. */
  readonly overMs: number;
  readonly acceptedPerSecond: number;
  readonly processedPerSecond: number;
  readonly appliedPerSecond: number;
  readonly effectsPerSecond: number;
}

export class RateWindow {
  private readonly samples: Sample[] = [];

  /** @param windowMs over which rates are taken, at most; two samples are always taken */
  constructor(private readonly windowMs: number) {}

  /** Rates up to this sample. */
  add(sample: Sample): Rates {
    const { samples } = this;
    const last = samples.at(-1);
    // Counters begin anew when a deployment is restored: what was before can't be compared.
    if (last !== undefined && sample.processed < last.processed) samples.length = 0;
    samples.push(sample);
    while (samples.length > 2 && sample.at - (samples[0] as Sample).at > this.windowMs) samples.shift();
    const first = samples[0] as Sample;
    const overMs = sample.at - first.at;
    const perSecond = (name: Exclude<keyof Sample, "at">): number =>
      overMs <= 0 ? 0 : Math.max(0, ((sample[name] - first[name]) / overMs) * 1_000);
    return {
      overMs: Math.max(0, Math.round(overMs)),
      acceptedPerSecond: perSecond("accepted"),
      processedPerSecond: perSecond("processed"),
      appliedPerSecond: perSecond("applied"),
      effectsPerSecond: perSecond("effects"),
    };
  }
}
