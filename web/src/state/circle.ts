// What the server last told this tab, and what follows from it. Signals only: no socket, no
// drawing, and no rule of the circle, because the server says in `may` what may be done.

import { batch, computed, signal } from "@preact/signals";
import type { Line } from "../net/socket";
import type { Profile, Role, Said, SeatView, SheetWords, Show, TurnView, View } from "../protocol";

/** As what it was written: beside what is said, instead of speaking, or to repeat what is said. */
export type Kind = Said["as"];
/** What somebody wrote, opened where it came sealed. kind: a chat unless it says otherwise. */
export type Written = Pick<Said, "seat" | "to" | "at"> & { text: string; kind?: Kind };

export const line = signal<Line>("joining");
export const shown = signal<Show | null>(null);
/** `performance.now()` when `shown` arrived; clocks count from here. */
export const shownAt = signal(0);
export const capacity = signal(0);
/** Video tracks that arrive, by seat. */
export const videos = signal<ReadonlyMap<string, MediaStreamTrack>>(new Map());
/** The words of the run sheet that was told last; use `words`, which fits the view. */
export const sheetWords = signal<SheetWords | null>(null);
/** What was written, oldest first. Gone with the page. */
export const written = signal<readonly Written[]>([]);
export const soundBlocked = signal(false);
/** Kinds of commands that wait for their answer. */
export const waiting = signal<ReadonlySet<string>>(new Set());

export const view = computed<View | null>(() => shown.value?.view ?? null);
/** How the people in the view appear, by seat. */
export const profiles = signal<Readonly<Record<string, Profile>>>({});
/** The words of the run sheet in the view, once they have come. */
export const words = computed<SheetWords | null>(() =>
  sheetWords.value?.id === view.value?.sheet?.id ? sheetWords.value : null,
);
/** Everybody's name, also of those who have just left. */
const everSeen = new Map<string, string>();
export const nameEver = (seat: string): string | undefined => everSeen.get(seat);
export const me = computed<SeatView | null>(
  () => view.value?.seats.find((seat) => seat.id === view.value?.you) ?? null,
);
export const myTurn = computed<TurnView | null>(() => {
  const turn = view.value?.turn;
  return turn && turn.seat === view.value?.you ? turn : null;
});
export const leads = computed(() => me.value !== null && leadsBy(me.value));
/** Whose screen has the facilitator's side: somebody with a role that does something for others. */
export const helps = computed(() => me.value?.roles.some((role) => HELPING.has(role)) ?? false);
export const may = (kind: string): boolean => view.value?.may.includes(kind) ?? false;

const LEADING: ReadonlySet<Role> = new Set(["facilitator", "co-facilitator"]);
const HELPING: ReadonlySet<Role> = new Set([...LEADING, "timekeeper", "guardian", "greeter"]);
export const leadsBy = (seat: SeatView): boolean => seat.roles.some((role) => LEADING.has(role));

/**
 * Takes a view over, whole. False for old news, which changes nothing. names: its profiles, opened
 * where they came sealed.
 */
export function show(frame: Show, nowMs: number, names = inClear(frame)): boolean {
  if (shown.value !== null && frame.seq <= shown.value.seq) return false;
  for (const [seat, { name }] of Object.entries(names)) everSeen.set(seat, name);
  measureStep(frame.view);
  batch(() => {
    profiles.value = names;
    shownAt.value = nowMs;
    shown.value = frame;
  });
  return true;
}

/** The profiles that did not come sealed. */
export function inClear(frame: Show): Record<string, Profile> {
  const all = Object.entries(frame.profiles ?? {});
  return Object.fromEntries(all.filter((one): one is [string, Profile] => "name" in one[1]));
}

/**
 * Somebody wrote. True unless it is known already: a new connection tells the last hundred again.
 * What could be read only later still stands where it was written.
 */
export function hearWriting(said: Written): boolean {
  const isKnown = written.value.some((old) => old.at === said.at && old.seat === said.seat);
  if (!isKnown) written.value = [...written.value, said].sort(byTime).slice(-MOST_WRITTEN);
  return !isKnown;
}

const byTime = (one: Written, two: Written) => one.at - two.at;

/** A new connection counts `seq` afresh; the old picture stays until the next view. */
export function forgetSeq(): void {
  if (shown.value) shown.value = { ...shown.value, seq: -1, notices: [] };
}

export function forget(): void {
  line.value = "joining";
  shown.value = null;
  profiles.value = {};
  sheetWords.value = null;
  written.value = [];
  everSeen.clear();
  videos.value = new Map();
  waiting.value = new Set();
}

/** Time left of this turn in milliseconds, below zero past the limit; null without a limit. */
export function turnLeftMs(nowMs: number): number | null {
  const turn = view.value?.turn;
  if (!turn || turn.remaining_ms === null) return null;
  return turn.running ? turn.remaining_ms - (nowMs - shownAt.value) : turn.remaining_ms;
}

/** How much of the turn, or else of the phase, is used: 0–1, or null when nothing is measured. */
export function usedShare(nowMs: number): number | null {
  const now = view.value;
  if (!now) return null;
  if (now.turn) {
    const left = turnLeftMs(nowMs);
    return left === null ? null : clamp(1 - left / Math.max(1, now.turn.given_ms));
  }
  if (now.pair) {
    const passed = now.pair.running ? nowMs - shownAt.value : 0;
    return clamp(1 - (now.pair.remaining_ms - passed) / Math.max(1, step.lengthMs));
  }
  const left = phaseLeftMs(nowMs);
  const { length_ms } = now.phase;
  return left === null || length_ms === null ? null : clamp(1 - left / length_ms);
}

/** Time left of the phase in milliseconds, or null when it has no length. */
export function phaseLeftMs(nowMs: number): number | null {
  const now = view.value;
  if (!now || now.phase.remaining_ms === null) return null;
  const stands = now.paused || now.safe || now.holding || now.phase.over;
  return now.phase.remaining_ms - (stands ? 0 : nowMs - shownAt.value);
}

/** The step that one's own pair is in. Its length is not told, so it is what was left at first. */
let step = { name: "", lengthMs: 0 };

function measureStep({ pair, phase }: View): void {
  const name = pair ? `${phase.number} ${pair.steps_left}` : "";
  const isKnown = name === step.name;
  step = { name, lengthMs: Math.max(isKnown ? step.lengthMs : 0, pair?.remaining_ms ?? 0) };
}

/** How loud the holder of a firm turn is played to the others: softly out before it moves on. */
export function holderVolume(nowMs: number): number {
  const turn = view.value?.turn;
  const left = turnLeftMs(nowMs);
  if (!turn?.running || left === null || turn.fades_at_ms === null) return 1;
  return turn.seat === view.value?.you ? 1 : clamp((left - turn.fades_at_ms) / FADE_MS);
}

const MOST_WRITTEN = 200;
const FADE_MS = 3_000;
const clamp = (share: number) => Math.min(1, Math.max(0, share));
