// Time as it is drawn: a few ticks a second while a circle is open. Nothing is decided here.

import { computed, signal } from "@preact/signals";
import { text } from "../text/en";
import { holderVolume, phaseLeftMs, usedShare, view } from "./circle";

const TICK_MS = 200;

/** How much of the turn or phase is used, 0–1, or null. */
export const used = signal<number | null>(null);
/** The same as one of five words, 0–4; changes rarely. */
export const usedStep = computed(() =>
  used.value === null ? null : used.value >= 1 ? 4 : Math.floor(used.value * 3.2 + 0.6),
);

/** "about ten minutes left" of the phase; "" when nothing is measured. Changes rarely. */
export const phaseLeft = signal("");

let timer: ReturnType<typeof setInterval> | undefined;

/** setVolume: how loud one seat is played here, called only when it changes. */
export function startClock(setVolume: (seat: string, volume: number) => void): void {
  stopClock();
  let faded: { seat: string; volume: number } | null = null;
  timer = setInterval(() => {
    const now = performance.now();
    used.value = usedShare(now);
    const leftMs = phaseLeftMs(now);
    phaseLeft.value = leftMs === null ? "" : text.aboutLeft(leftMs);
    const seat = view.value?.turn?.seat ?? null;
    const volume = holderVolume(now);
    if (faded && (faded.seat !== seat || volume === 1)) {
      setVolume(faded.seat, 1);
      faded = null;
    }
    if (seat && volume < 1) {
      faded = { seat, volume };
      setVolume(seat, volume);
    }
  }, TICK_MS);
}

export function stopClock(): void {
  clearInterval(timer);
  used.value = null;
}
