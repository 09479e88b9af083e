// How this tab tells its person what happens: by words for eye and ear, a soft sound, a touch.

import { callToTurn, endCall, tell } from "../a11y/announce";
import { buzz } from "../a11y/buzz";
import { chime } from "../a11y/chime";
import type { Notice, Show, View } from "../protocol";
import { text } from "../text/en";
import * as circle from "./circle";
import { isNamed, isVoiced } from "./reading";
import { settings } from "./session";

/** The page shows the same in its own place, in the middle or as a card. */
const ON_SCREEN: ReadonlySet<string> = new Set(
  `turn_started response_started you_are_next two_before_you turn_warned turn_grace turn_overdue
  gently_signalled responses_welcomed talk_started round_started queue_started read_started
  pairs_started silence_started pair_turn pair_silence pair_together pair_ends_soon
  phase_completed sent_to_wait safety_lifted quiet_offered quiet_begun card_shown card_for_you
  content_noted called_back pause_asked circle_paused circle_resumed room_made_safe circle_held share_started`
    .trim()
    .split(/\s+/),
);

/** Time signals that everybody who gets them may hear. */
const SOUNDING: ReadonlySet<string> = new Set([
  "silence_started",
  "pair_turn",
  "pair_silence",
  "pair_together",
  "pair_ends_soon",
  "called_back",
  "gently_signalled",
]);

/** What is said about one's place in the line. */
const PLACES: ReadonlySet<string> = new Set(["you_are_next", "two_before_you"]);

/** Whether a notice is also a sound or a touch. mine: the turn is one's own. */
export function sounds(kind: string, view: View, mine: boolean): boolean {
  if (SOUNDING.has(kind)) return true;
  if (kind === "your_turn" || kind === "your_response") return true;
  // The server tells warnings to those who keep time too; only the speaker hears one.
  if (kind === "turn_warned" || kind === "turn_grace") return mine;
  return kind === "phase_completed" && view.phase.mode === "silence";
}

/** The sentence of a notice. Asked for late: a name or the words of a plan may have come by then. */
export function noticeWords({ kind, seat, index }: Notice, view: View): string {
  if (isNamed(view) && PLACES.has(kind)) return "";
  const name = (seat && circle.nameEver(seat)) || text.someone;
  const whose = kind.startsWith("share_") ? seat : view.turn?.seat;
  return text.notice(kind, { name, ...about(kind, view, index) }, whose === view.you);
}

function about(kind: string, view: View, index: Notice["index"]) {
  const sheet = circle.words.value;
  switch (kind) {
    case "card_shown":
      return { words: view.card ? text.card[view.card] : "" };
    case "card_for_you":
      return { words: view.your_card ? text.card[view.your_card] : "" };
    case "content_noted":
      return { words: view.note ? text.topic[view.note.topic] : "" };
    case "camera_covered":
      return { words: view.covered ? text.reason[view.covered] : "" };
    case "roles_changed":
      return { words: text.roles(view.seats.find(({ id }) => id === view.you)?.roles ?? []) };
    case "sheet_chosen":
      return { title: sheet?.title ?? "" };
    default:
      return { title: titleOf(view, index) };
  }
}

/** What the part of the run sheet at `index` is called; "" when it has no words. */
function titleOf(view: View, index: Notice["index"]): string {
  const place = index === null || index === undefined ? null : view.sheet?.phases[index]?.words;
  return typeof place === "number" ? (circle.words.value?.phases[place]?.title ?? "") : "";
}

/** Tells everything that a newly shown view brought. */
export function notice({ view, notices }: Show): void {
  const turn = circle.myTurn.value;
  const call = myCall(view);
  for (const each of notices ?? []) {
    if (sounds(each.kind, view, turn !== null)) {
      if (settings.sound.value) chime();
      if (settings.vibration.value) buzz();
    }
    const isCall = each.kind === "your_turn" || each.kind === "your_response";
    if (isCall && call !== null) callToTurn(call, noticeWords(each, view));
    else if (noticeWords(each, view) !== "")
      tell(() => noticeWords(each, view), ON_SCREEN.has(each.kind));
  }
  if (call === null) endCall();
}

/** Names the turn that is one's own, in the circle or in a pair; null when it is somebody else's. */
function myCall(view: View): string | null {
  if (view.turn?.seat === view.you) return `turn ${view.turn.number}`;
  if (view.pair?.speaker === view.you) return `pair ${view.phase.number} ${view.pair.steps_left}`;
  return null;
}

/** Tells that somebody wrote; not of what was written before this page came. */
export function noticeWriting(said: circle.Written): void {
  const now = circle.view.value;
  if (now === null || said.seat === now.you || said.at < now.now) return;
  const sentence = writingWords(said, now);
  if (sentence !== "") tell(sentence, said.kind === "share" || said.kind === "caption");
}

/**
 * What is said aloud of something written; "" for nothing. What stands for a voice is read out, once.
 * Captions of a voice that can be heard would speak over it.
 */
export function writingWords({ seat, to, text: words, kind }: circle.Written, view: View): string {
  const name = circle.nameEver(seat) ?? text.someone;
  if (kind === "share") return text.writing.says(name, words);
  if (kind === "caption") return isVoiced(view) ? "" : words;
  return text.writing.wrote(name, to);
}
