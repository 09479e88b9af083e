// Whose pictures this page asks for: what the person chose, and what is on the screen. The server
// sends no others; sound comes whatever is watched.

import { effect, signal } from "@preact/signals";
import type { Watch } from "../protocol";
import { protection } from "./secrecy";
import { type Pictures, pictures } from "./session";

/** Tiles of the others, by seat: whether each is on the screen. */
type Tiles = ReadonlyMap<string, boolean>;

const tiles = signal<Tiles>(new Map());
const isHidden = signal(false);

/** A tile that leaves the screen is watched a little longer: scrolling goes to and fro. */
const LEAVES_MS = 2_000;
/** The server takes one a second; what changes meanwhile is sent together. */
const EVERY_MS = 1_000;
/** Tiles come one after the other when a page is drawn. */
const TOGETHER_MS = 150;
/** So much beyond the edge counts as on the screen, to be there when it is scrolled to. */
const MARGIN = "80px";
const MOST_SEATS = 16;

/** The frame that says it. A hidden page watches nothing. */
export function wanted(choice: Pictures, hidden: boolean, of: Tiles): Watch {
  if (hidden) return { kind: "watch", video: "none", seats: null };
  if (choice !== "all") return { kind: "watch", video: choice, seats: null };
  const seen = [...of].filter(([, isOn]) => isOn).map(([seat]) => seat);
  // Everybody: newcomers are then seen without asking again.
  if (seen.length === of.size) return { kind: "watch", video: "all", seats: null };
  return { kind: "watch", video: "all", seats: seen.sort().slice(0, MOST_SEATS) };
}

/** With another key no picture opens: each would only be asked for again and again. */
const wantedNow = (): Watch =>
  wanted(
    protection.value.kind === "unheard" ? "none" : pictures.value,
    isHidden.value,
    tiles.value,
  );

let send: ((watch: Watch) => boolean) | null = null;
let sent = "";
let sentAt = Number.NEGATIVE_INFINITY;
let timer: ReturnType<typeof setTimeout> | undefined;
let hiding: ReturnType<typeof setTimeout> | undefined;
let stopFollowing = () => {};

/** Sends what is wanted, and each change of it. to: false when there is no line. */
export function startWatching(to: (watch: Watch) => boolean): void {
  stopWatching();
  send = to;
  isHidden.value = document.hidden;
  document.addEventListener("visibilitychange", followPage);
  stopFollowing = effect(() => {
    wantedNow();
    plan(TOGETHER_MS);
  });
}

export function stopWatching(): void {
  stopFollowing();
  document.removeEventListener("visibilitychange", followPage);
  clearTimeout(timer);
  clearTimeout(hiding);
  timer = undefined;
  send = null;
  sent = "";
  sentAt = Number.NEGATIVE_INFINITY;
}

/** The server knows nothing of it any more: a new media connection, or a new line. */
export function watchAgain(): void {
  sent = "";
  plan(0);
}

function plan(afterMs: number): void {
  if (send === null || timer !== undefined) return;
  const waitMs = Math.max(afterMs, sentAt + EVERY_MS - performance.now());
  timer = setTimeout(tellServer, waitMs);
}

function tellServer(): void {
  timer = undefined;
  const watch = wantedNow();
  const words = JSON.stringify(watch);
  if (words === sent || !send?.(watch)) return;
  sent = words;
  sentAt = performance.now();
}

function followPage(): void {
  clearTimeout(hiding);
  if (!document.hidden) isHidden.value = false;
  // A glance at another tab should not cost everybody a key frame.
  else hiding = setTimeout(() => (isHidden.value = true), LEAVES_MS);
}

const leaving = new Map<string, ReturnType<typeof setTimeout>>();

function set(seat: string, isOn: boolean | null): void {
  clearTimeout(leaving.get(seat));
  leaving.delete(seat);
  if (tiles.value.get(seat) === (isOn ?? undefined)) return;
  const next = new Map(tiles.value);
  if (isOn === null) next.delete(seat);
  else next.set(seat, isOn);
  tiles.value = next;
}

function note(entries: IntersectionObserverEntry[]): void {
  for (const { target, isIntersecting } of entries) {
    const seat = (target as HTMLElement).dataset.seat ?? "";
    if (isIntersecting || !tiles.value.has(seat)) set(seat, isIntersecting);
    else if (tiles.value.get(seat) && !leaving.has(seat)) {
      leaving.set(
        seat,
        setTimeout(() => set(seat, false), LEAVES_MS),
      );
    }
  }
}

let observer: IntersectionObserver | null = null;

/** Follows whether this tile is on the screen; `data-seat` says whose. Returns how to stop. */
export function followTile(tile: HTMLElement): () => void {
  observer ??= new IntersectionObserver(note, { rootMargin: MARGIN });
  observer.observe(tile);
  const seat = tile.dataset.seat ?? "";
  return () => {
    observer?.unobserve(tile);
    set(seat, null);
  };
}
