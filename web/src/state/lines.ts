// How good the connections are, as the server measures them, and the one sentence about one's own.

import { signal } from "@preact/signals";
import { tell } from "../a11y/announce";
import type { Lines, SeatLine } from "../protocol";
import { text } from "../text/en";

export const lines = signal<Lines | null>(null);
/** The sentence about one's own weak line stands on the page. */
export const isWeak = signal(false);

/** How long a line must be better before the sentence goes: it must not blink. */
const STAYS_MS = 6_000;
/** Weak again within this time is the same episode, and is not announced again. */
const EPISODE_MS = 60_000;

let going: ReturnType<typeof setTimeout> | undefined;
let wentAt = Number.NEGATIVE_INFINITY;

export const lineOf = (seat: string): SeatLine | undefined => lines.value?.seats[seat];

export function hearLines(frame: Lines): void {
  lines.value = frame;
  const { own } = frame;
  if (own !== null && (own.weak || own.mark === 1)) begin();
  else if (isWeak.value && going === undefined) going = setTimeout(end, STAYS_MS);
}

/** A new connection is told everything anew; the sentence, if it stands, waits for that. */
export function forgetLines(): void {
  lines.value = null;
  if (isWeak.value && going === undefined) going = setTimeout(end, STAYS_MS);
}

function begin(): void {
  clearTimeout(going);
  going = undefined;
  if (isWeak.value) return;
  isWeak.value = true;
  if (performance.now() - wentAt > EPISODE_MS) tell(text.lines.weak, true);
}

function end(): void {
  going = undefined;
  isWeak.value = false;
  wentAt = performance.now();
}
