// The one sentence in the middle: what is going on, and what that means for the person who reads
// it. Pure functions, so that a sentence can be tested without a page.

import type { View } from "../protocol";
import { text } from "../text/en";
import { isNamed, leadsIn, type Names, nameOf, seatOf } from "./reading";

export interface Sentence {
  head: string;
  sub: string;
}

const words = text.piece;
const say = (head: string, ...sub: (string | false | undefined)[]): Sentence => ({
  head,
  sub: sub.filter(Boolean).join(" "),
});

export function sentence(view: View, names: Names): Sentence {
  if (view.safe) return say(words.safe, words.safeSub);
  if (view.quiet.with_you)
    return say(words.quiet(nameOf(view.quiet.with_you, view, names)), words.quietSub);
  if (view.paused) return say(words.paused, words.pausedSub);
  if (view.pair) return inPair(view, names);
  if (view.turn) return view.turn.seat === view.you ? ownTurn(view) : otherTurn(view, names);
  if (view.holding) return say(words.holding, words.holdingSub);
  return withoutTurn(view, names);
}

function withoutTurn(view: View, names: Names): Sentence {
  const { mode, number, over, order, passes } = view.phase;
  const asked = askedForATurn(view, names);
  switch (mode) {
    case "round": {
      if (over) return say(words.over, asked || words.overSub);
      const isOpen = order === "hand" || passes.includes("to-anyone");
      return say(words.between, asked || (isOpen ? words.forHands : words.betweenSub));
    }
    case "queue":
      if (over) return say(words.queueOver, words.overSub);
      return say(words.queue, view.hands.includes(view.you) ? words.handUp : words.queueSub);
    case "read":
      return over ? say(words.readOver, words.overSub) : say(words.read, words.readSub);
    case "pairs":
      return over ? say(words.pairsOver, words.overSub) : say(words.pairsOut, words.pairsOutSub);
    case "silence":
      return over
        ? say(words.silenceOver, words.silenceOverSub)
        : say(words.silence, words.silenceSub);
    case "talk":
      if (number === 0) return say(words.gathering, asked || words.gatheringSub);
      return say(words.talk, asked || talkSub(view));
  }
}

function talkSub(view: View): string {
  const seat = seatOf(view, view.you);
  if (view.may.includes("set_mic") || seat?.mic !== "off") return words.talkSub;
  return view.phase.who === "facilitators" ? words.talkListen : words.talkHere;
}

function ownTurn(view: View): Sentence {
  const mic = seatOf(view, view.you)?.mic;
  const { turn, phase } = view;
  const isHeard = mic === "on";
  const head = isHeard
    ? words.speaking
    : turn?.response
      ? words.yourAnswer
      : phase.mode === "read"
        ? words.yourLine
        : words.yourTurn;
  if (mic === "held") return say(head, text.notice("mic_held"));
  if (turn?.held) return say(head, words.clockRests);
  if (turn?.stage === "grace" || turn?.stage === "overdue")
    return say(head, turn.timeout === "firm" ? words.firmEnd : words.ownTime);
  const later = [turn?.welcomes && words.welcomed, isNamed(view) && words.youNameNext] as const;
  if (turn?.stage === "warned") return say(head, words.warned, ...later);
  if (isHeard) return say(head, words.speakingSub, ...later);
  if (turn?.response) return say(head, words.yourAnswerSub);
  if (phase.mode === "read") return say(head, words.yourLineSub);
  if (phase.ran_out) return say(head, words.ranOut);
  return say(head, turn?.ready === false ? words.gather : words.yourTurnSub, ...later);
}

function otherTurn(view: View, names: Names): Sentence {
  const { turn } = view;
  const holder = turn && seatOf(view, turn.seat);
  if (!turn || !holder) return say(words.between);
  const name = nameOf(turn.seat, view, names);
  if (!holder.present) return say(words.otherAway(name), mine(view));
  // `stage` comes to those who keep time alone: nobody else sees that somebody's time is up.
  const head = holding(view, name, holder.mic === "on");
  if (turn.stage === "overdue") return say(head, words.overdue(name));
  return say(
    head,
    mine(view),
    turn.welcomes && words.otherWelcomes(name),
    isNamed(view) && words.otherNames(name),
    leadsIn(view) && askedForATurn(view, names),
  );
}

function holding(view: View, name: string, isHeard: boolean): string {
  if (view.phase.mode === "read") return words.otherReads(name);
  if (view.turn?.response && !isHeard) return words.otherAnswers(name);
  return isHeard ? words.otherSpeaks(name) : words.otherHolds(name);
}

const mine = (view: View) =>
  [words.listening, isNamed(view) ? "" : words.before(view.before_you)].filter(Boolean).join(" ");

function askedForATurn(view: View, names: Names): string {
  const other = view.hands.find((seat) => seat !== view.you);
  return leadsIn(view) && other ? words.asked(nameOf(other, view, names)) : "";
}

function inPair(view: View, names: Names): Sentence {
  const { pair } = view;
  if (!pair) return say(words.between);
  const others = pair.with_you.map((seat) => nameOf(seat, view, names)).join(" and ");
  const soon = pair.ends_soon && words.pairSoon;
  if (pair.step === "silence")
    return say(
      words.pairSilence,
      soon || (pair.steps_left > 1 && words.pairSilenceSub) || words.pairSilenceEnd,
    );
  if (pair.step === "together")
    return say(
      words.pairTogether(others),
      soon || (pair.steps_left > 0 ? words.pairWarmUp : words.pairLast),
    );
  if (pair.speaker === view.you) {
    const isHeard = seatOf(view, view.you)?.mic === "on";
    return say(isHeard ? words.pairSpeaking : words.pairYou, soon || words.pairYouSub(others));
  }
  return say(words.pairOther(nameOf(pair.speaker ?? "", view, names)), soon || words.pairOtherSub);
}
