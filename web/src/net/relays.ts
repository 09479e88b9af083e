// The TURN relays of a server that has some (docs/protocol.md §7). Their credentials end after
// minutes; a media connection that is made later gets fresh ones first.

import type { IceServer } from "../protocol";
import type { Outcome, Request } from "./socket";

export class Relays {
  private servers: readonly IceServer[] = [];
  private givenAt = 0;

  constructor(private readonly request: (frame: Request) => Promise<Outcome>) {}

  /** What the server gave, and when by `performance.now()`. */
  given(servers: readonly IceServer[], nowMs: number): void {
    this.servers = servers;
    this.givenAt = nowMs;
  }

  /**
   * Relays whose credentials have half their time or more before them. When no fresh ones are to
   * be had, the old: a relay that refuses them costs nothing, and most connections need none.
   */
  async fresh(nowMs: number): Promise<RTCIceServer[]> {
    if (this.servers.some(({ lasts_ms }) => nowMs - this.givenAt > lasts_ms / 2)) {
      const outcome = await this.request({ kind: "get_ice_servers" });
      if (outcome.kind === "ice_servers") this.given(outcome.servers, nowMs);
    }
    return this.servers.map(({ urls, username, credential }) => ({
      urls: [...urls],
      username,
      credential,
    }));
  }
}
