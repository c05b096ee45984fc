/**
 * Finds the primary by asking Sentinel, each time anew. Whoever told of failovers for the connection before is let go first: word of one
 * that came while the next connection is being made would end that for good, and nobody would make another.
 */
import { type SentinelConnectionOptions, SentinelConnector } from "ioredis";

export class FreshSentinelConnector extends SentinelConnector {
  constructor(options: unknown) {
    super(options as SentinelConnectionOptions);
  }

  override async connect(
    ...emitter: Parameters<SentinelConnector["connect"]>
  ): ReturnType<SentinelConnector["connect"]> {
    this.disconnect();
    return super.connect(...emitter);
  }
}
