// A view in words: what is going on and what that means for the person who reads it. Pure
// functions, so that a sentence can be tested without a page.

import type { Profile, SeatView, View } from "../protocol";
import { text } from "../text/en";
import { leadsBy } from "./circle";

export type Names = Readonly<Record<string, Profile>>;
export interface Sentence {
  head: string;
  sub: string;
}

export function nameOf(seat: string, view: View, names: Names): string {
  return seat === view.you ? text.you : (names[seat]?.name ?? text.someone);
}

const seatOf = (view: View, id: string) => view.seats.find((seat) => seat.id === id);
const leadsIn = (view: View) => {
  const me = seatOf(view, view.you);
  return me !== undefined && leadsBy(me);
};

export function phaseWords(view: View): string {
  const { mode, number, over } = view.phase;
  if (view.paused) return text.phase.paused;
  if (over) return text.phase[`${mode}Over`];
  return mode === "talk" && number === 0 ? text.phase.gathering : text.phase[mode];
}

/** The one sentence in the middle. */
export function sentence(view: View, names: Names): Sentence {
  const words = text.piece;
  if (view.paused) return { head: words.paused, sub: words.pausedSub };
  if (view.turn) return view.turn.seat === view.you ? ownTurn(view) : otherTurn(view, names);
  const asked = askedForATurn(view, names);
  const { mode, number, over } = view.phase;
  if (mode === "round")
    return over
      ? { head: words.over, sub: asked || words.overSub }
      : { head: words.between, sub: asked || words.betweenSub };
  if (mode === "silence")
    return over
      ? { head: words.silenceOver, sub: words.silenceOverSub }
      : { head: words.silence, sub: words.silenceSub };
  if (number === 0) return { head: words.gathering, sub: asked || words.gatheringSub };
  return { head: words.talk, sub: asked || words.talkSub };
}

function ownTurn(view: View): Sentence {
  const words = text.piece;
  const mic = seatOf(view, view.you)?.mic;
  const head = mic === "on" ? words.speaking : words.yourTurn;
  const turn = view.turn;
  const stage = turn?.stage;
  if (mic === "held") return { head, sub: text.notice("mic_held") };
  if (turn?.held) return { head, sub: words.clockRests };
  if (stage === "grace" || stage === "overdue")
    return { head, sub: turn?.timeout === "firm" ? words.firmEnd : words.ownTime };
  if (stage === "warned") return { head, sub: words.warned };
  return { head, sub: mic === "on" ? words.speakingSub : words.yourTurnSub };
}

function otherTurn(view: View, names: Names): Sentence {
  const words = text.piece;
  const turn = view.turn;
  const holder = turn && seatOf(view, turn.seat);
  if (!turn || !holder) return { head: words.between, sub: "" };
  const name = nameOf(turn.seat, view, names);
  const head = holder.mic === "on" ? words.otherSpeaks(name) : words.otherHolds(name);
  if (!holder.present) return { head: words.otherAway(name), sub: mine(view) };
  // `stage` comes to facilitators alone: nobody else sees that somebody's time is up.
  if (turn.stage === "overdue") return { head, sub: words.overdue(name) };
  return {
    head,
    sub: [mine(view), leadsIn(view) && askedForATurn(view, names)].filter(Boolean).join(" "),
  };
}

const mine = (view: View) =>
  [text.piece.listening, text.piece.before(view.before_you)].filter(Boolean).join(" ");

function askedForATurn(view: View, names: Names): string {
  const other = view.hands.find((seat) => seat !== view.you);
  return leadsIn(view) && other ? text.piece.asked(nameOf(other, view, names)) : "";
}

/** The small words under a face. */
export function seatWords(seat: SeatView, view: View): string {
  const words = text.seat;
  if (!seat.present) return words.away;
  if (view.turn?.seat === seat.id) return words.holds;
  if (seat.hand) return words.asked;
  if (seat.mic === "on") return words.micOn;
  if (seat.mic === "held" && (leadsIn(view) || seat.id === view.you)) return words.micHeld;
  return leadsBy(seat) ? words.facilitates : "";
}

/** The words beside a name in the order of the round, in the order the server tells. */
export function orderWords(view: View): { seat: string; words: string; now: boolean }[] {
  const words = text.order;
  let before = 0;
  return view.order.map(({ seat, progress }) => {
    if (progress === "spoke") return { seat, words: words.spoke, now: false };
    if (progress === "speaking") {
      const isHeard = seatOf(view, seat)?.mic === "on";
      return { seat, words: isHeard ? words.speaking : words.holds, now: true };
    }
    if (!seatOf(view, seat)?.present) return { seat, words: words.keeps, now: false };
    const place = before++;
    if (seat === view.you)
      return { seat, words: place === 0 ? words.youNext : words.before(place), now: false };
    return { seat, words: place === 0 ? words.next : "", now: false };
  });
}

export type MainAction = "ready" | "pass" | "mic" | "raise" | "lower" | null;

/** The one button that matters now for this person, of those the server permits. */
export function mainAction(view: View, listenOnly: boolean): MainAction {
  const seat = seatOf(view, view.you);
  if (!seat) return null;
  const may = (kind: string) => view.may.includes(kind);
  if (view.turn?.seat === view.you && may("pass_turn")) {
    const canSpeak = seat.mic === "off" && may("set_mic") && !listenOnly;
    return canSpeak ? "ready" : "pass";
  }
  if (may("set_mic") && !listenOnly && seat.mic !== "held") return "mic";
  if (seat.hand) return "lower";
  return may("raise_hand") ? "raise" : null;
}

/** Words about this person's own microphone. */
export function micWords(view: View, listenOnly: boolean): string {
  const seat = seatOf(view, view.you);
  if (seat?.mic === "held") return text.mic.held;
  if (seat?.mic === "on") return text.mic.on;
  if (listenOnly) return text.mic.listen;
  // "Waits for you" only when it does: to somebody who listens it would feel like a push.
  return view.may.includes("set_mic") ? text.mic.waits : text.mic.off;
}
