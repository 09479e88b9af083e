// What a screen reader says, and the one line of news that everybody can read. One polite region,
// batched; one assertive region, used only for "it is your turn", once per turn, and when somebody's
// own sound or picture had to be taken off.

import { signal } from "@preact/signals";

/** The polite region. */
export const said = signal("");
/** The newest of it for the eye, without what the piece in the middle already says. */
export const news = signal("");
/** The assertive region. */
export const call = signal("");
/** The same region, for what cannot wait for a turn. */
export const alarm = signal("");

const BATCH_MS = 600;
const SHOWN_MS = 9_000;
const MOST_AT_ONCE = 3;

interface Item {
  words: () => string;
  isOnScreen: boolean;
}
let batch: Item[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let calledTurn = "";

/**
 * Says something when there is a moment. Of many things only the last few are said.
 *
 * words: a sentence, or how to make it then, when a name may have arrived. isOnScreen: the page
 * shows the same in its own way.
 */
export function tell(words: string | (() => string), isOnScreen = false): void {
  const item = { words: typeof words === "string" ? () => words : words, isOnScreen };
  batch = [...batch, item].slice(-MOST_AT_ONCE);
  if (timer === undefined) timer = setTimeout(flush, BATCH_MS);
}

function flush(): void {
  const items = batch.map(({ words, isOnScreen }) => ({ sentence: words(), isOnScreen }));
  batch = [];
  timer = undefined;
  const spoken = items.map(({ sentence }) => sentence).join(" ");
  const seen = items.findLast((item) => !item.isOnScreen)?.sentence;
  said.value = spoken;
  if (seen !== undefined) news.value = seen;
  // Old news must not be found later by somebody who reads the page with a screen reader.
  setTimeout(() => {
    if (said.value === spoken) said.value = "";
    if (news.value === seen) news.value = "";
  }, SHOWN_MS);
}

/** Interrupts, once per turn; `turn` names it. */
export function callToTurn(turn: string, sentence: string): void {
  if (turn === calledTurn) return;
  calledTurn = turn;
  batch = [];
  news.value = "";
  call.value = sentence;
}

export function endCall(): void {
  calledTurn = "";
  call.value = "";
}

/** Interrupts at once; what calls it sees to it that it is said once. */
export function interrupt(sentence: string): void {
  alarm.value = sentence;
  setTimeout(() => {
    if (alarm.value === sentence) alarm.value = "";
  }, SHOWN_MS);
}
