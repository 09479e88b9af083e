// Whether the one who has the floor is silent just now. It only makes the pause button ask once
// more; nobody's turn ever ends by it (silence is a turn), and nothing of it leaves the page.

import { signal } from "@preact/signals";
import { helps, view } from "./circle";
import { media } from "./visit";

export const hushed = signal(false);

const LISTEN_EVERY_MS = 1_000;
const HUSH_MS = 5_000;
/** Joules, as WebRTC statistics count them; breathing and a quiet room stay below. */
const AUDIBLE = 1e-4;

/** Remembers when a turn was last heard. */
export class Hush {
  private turn = "";
  private energy = 0;
  private heardAt = 0;

  /** energy: of the turn's sound since ever. Whether it has been quiet for a while at `nowMs`. */
  hear(turn: string, energy: number, nowMs: number): boolean {
    if (turn !== this.turn || energy - this.energy >= AUDIBLE) {
      this.heardAt = nowMs;
      this.energy = energy;
    }
    this.turn = turn;
    return nowMs - this.heardAt >= HUSH_MS;
  }
}

/** Listens while somebody else has the floor; returns how to stop. */
export function listenForHush(): () => void {
  const hush = new Hush();
  const timer = setInterval(async () => {
    const turn = helps.value ? view.value?.turn : null;
    if (!turn || turn.seat === view.value?.you) {
      hushed.value = false;
      return;
    }
    const energy = (await media.stats())[turn.seat]?.totalAudioEnergy ?? 0;
    hushed.value = hush.hear(`${turn.number}`, energy, performance.now());
  }, LISTEN_EVERY_MS);
  return () => clearInterval(timer);
}
