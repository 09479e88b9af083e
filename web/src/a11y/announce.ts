// What a screen reader says, and the one line of news everybody can read. One polite region,
// batched; one assertive region, used only for "it is your turn", once per turn.

import { signal } from "@preact/signals";

/** The polite region: also shown on screen, so that nothing is told to some people only. */
export const news = signal("");
/** The assertive region. */
export const call = signal("");

const BATCH_MS = 600;
const SHOWN_MS = 9_000;
const MOST_AT_ONCE = 3;
let batch: string[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let calledTurn = 0;

/** Says something when there is a moment. Of many things only the last few are said. */
export function tell(sentence: string): void {
  if (sentence === "" || batch.includes(sentence)) return;
  batch = [...batch, sentence].slice(-MOST_AT_ONCE);
  if (timer !== undefined) return;
  timer = setTimeout(() => {
    const sentences = batch.join(" ");
    news.value = sentences;
    batch = [];
    timer = undefined;
    setTimeout(() => {
      if (news.value === sentences) news.value = "";
    }, SHOWN_MS);
  }, BATCH_MS);
}

/** Interrupts, once per turn. */
export function callToTurn(turn: number, sentence: string): void {
  if (turn === calledTurn) return;
  calledTurn = turn;
  call.value = sentence;
}

export function endCall(): void {
  calledTurn = 0;
  call.value = "";
}
