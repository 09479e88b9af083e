// People in words: what they are called, what is said under a face and beside a name. Pure
// functions, so that a sentence can be tested without a page.

import type { Profile, SeatView, View } from "../protocol";
import { text } from "../text/en";
import { leadsBy } from "./circle";
import type { Pictures } from "./session";

export type Names = Readonly<Record<string, Profile>>;

export function nameOf(seat: string, view: View, names: Names): string {
  return seat === view.you ? text.you : (names[seat]?.name ?? text.someone);
}

export const seatOf = (view: View, id: string): SeatView | undefined =>
  view.seats.find((seat) => seat.id === id);

export function leadsIn(view: View): boolean {
  const me = seatOf(view, view.you);
  return me !== undefined && leadsBy(me);
}

/** Who has the word, in the circle or in one's own pair. */
export const holderOf = (view: View): string | null =>
  view.turn?.seat ?? view.pair?.speaker ?? null;

/** In a pair or a quiet space, where no hand is seen. */
export const isApart = (view: View): boolean => view.pair !== null || view.quiet.with_you !== null;

/** Somebody can be heard just now. */
export const isVoiced = (view: View): boolean =>
  view.seats.some(({ present, apart, mic }) => present && !apart && mic === "on");

/** In such an order nobody is next before they are named. */
export const isNamed = (view: View): boolean => view.phase.order === "previous-names-next";

/** Whose places are drawn: one's own pair or quiet space, else everybody who has come in. */
export function seatsShown(view: View): SeatView[] {
  const together = view.pair?.with_you ?? (view.quiet.with_you ? [view.quiet.with_you] : null);
  return view.seats.filter(
    ({ id, waiting }) =>
      !waiting && (together === null || id === view.you || together.includes(id)),
  );
}

/** The small words under a face. */
export function seatWords(seat: SeatView, view: View): string {
  const words = text.seat;
  if (!seat.present) return words.away;
  if (seat.veiled) return words.veiled;
  if (seat.apart) return view.phase.mode === "pairs" ? words.apartInPairs : words.apart;
  if (holderOf(view) === seat.id) return view.turn ? words.holds : "";
  if (seat.hand && !isApart(view)) return words.asked;
  if (seat.mic === "on") return words.micOn;
  if (seat.mic === "held" && (leadsIn(view) || seat.id === view.you)) return words.micHeld;
  const marks = new Set(seat.roles.map((role) => text.mark[role]));
  return [...marks].join(", ");
}

/** Whether this person chose not to get the picture of a seat whose camera is on. */
export function isPictureOff(seat: SeatView, view: View, choice: Pictures): boolean {
  if (seat.id === view.you || seat.camera !== "on" || !seat.present || seat.apart) return false;
  if (choice === "all") return false;
  return choice === "none" || (seat.mic !== "on" && holderOf(view) !== seat.id);
}

/** The words beside a name in the order of the round, in the order the server tells. */
export function orderWords(view: View): { seat: string; words: string; now: boolean }[] {
  const words = text.order;
  const done = view.phase.mode === "read" ? words.read : words.spoke;
  let before = 0;
  return view.order.map(({ seat, progress }) => {
    if (progress === "spoke") return { seat, words: done, now: false };
    const own = seatOf(view, seat);
    if (progress === "speaking")
      return { seat, words: own?.mic === "on" ? words.speaking : words.holds, now: true };
    if (!own?.present || own.apart || own.veiled) return { seat, words: words.keeps, now: false };
    if (isNamed(view)) return { seat, words: "", now: false };
    const place = before++;
    if (seat === view.you)
      return { seat, words: place === 0 ? words.youNext : words.before(place), now: false };
    return { seat, words: place === 0 ? words.next : "", now: false };
  });
}

/** What stands above the order. */
export function orderTitle(view: View): string {
  if (view.phase.mode === "queue") return text.order.titleQueue;
  return view.phase.mode === "read" ? text.order.titleRead : text.order.title;
}

/** Words about this person's own microphone. */
export function micWords(view: View): string {
  const seat = seatOf(view, view.you);
  if (seat?.mic === "held") return text.mic.held;
  if (seat?.mic === "on") return text.mic.on;
  if (seat?.roles.includes("listener")) return text.mic.listen;
  // "Waits for you" only when it does: to somebody who listens it would feel like a push.
  return view.may.includes("set_mic") ? text.mic.waits : text.mic.off;
}
