import { useSignalEffect } from "@preact/signals";
import { useState } from "preact/hooks";
import { interrupt, tell } from "../a11y/announce";
import { door, type Protection, protection, safetyNumbers } from "../state/secrecy";
import { safetyWords } from "../text/safety";
import { atDoor, badge as badgeWords, unheard, isPrivate as words } from "../text/secrecy";
import { Dialog } from "./Dialog";

/** How private the circle is, in the head of the page: always a word, and more behind it. */
export function Badge() {
  const [isOpen, setOpen] = useState(false);
  const now = protection.value;
  return (
    <>
      <button
        type="button"
        class={`badge ${now.kind}`}
        aria-haspopup="dialog"
        onClick={() => setOpen(true)}
      >
        <Lock isClosed={now.kind === "on"} />
        <span>{badgeOf(now)}</span>
      </button>
      {isOpen && <IsPrivate onClose={() => setOpen(false)} />}
    </>
  );
}

export const badgeOf = (now: Protection): string =>
  now.kind === "stopped" ? badgeWords.stopped(now.what) : badgeWords[now.kind];

function Lock({ isClosed }: { isClosed: boolean }) {
  return (
    <svg class="lock" viewBox="0 0 16 16" aria-hidden="true">
      <rect x="3" y="7" width="10" height="7" rx="2" />
      <path d={isClosed ? "M5 7V5a3 3 0 0 1 6 0v2" : "M5 7V5a3 3 0 0 1 5.6-1.5"} />
    </svg>
  );
}

function IsPrivate({ onClose }: { onClose(): void }) {
  const now = protection.value;
  const isSealed = now.kind === "on" || now.kind === "checking";
  return (
    <Dialog title={words.title} onClose={onClose}>
      <Answer now={now} />
      {isSealed && <SafetyWords />}
      {isSealed && <Listed title={words.isTitle} lines={words.is} />}
      {now.kind !== "unheard" && <Listed title={words.isNotTitle} lines={notOf(now)} />}
    </Dialog>
  );
}

/** Without encryption there are no words to compare, and the page is the least of it. */
const notOf = ({ kind }: Protection) => (kind === "off" ? words.isNot.slice(0, 2) : words.isNot);

function Answer({ now }: { now: Protection }) {
  switch (now.kind) {
    case "off":
      return (
        <>
          <p>
            <b>{words.off}</b>
          </p>
          <p>{whyOff()}</p>
          <p>{atDoor.offBody}</p>
        </>
      );
    case "stopped":
      return (
        <>
          <p>
            <b>{words.stopped(now.what)}</b>
          </p>
          <p>{words.stoppedNext(now.what)}</p>
          <Reload />
        </>
      );
    case "unheard":
      return (
        <>
          <p>
            <b>{words.unheard}</b> {unheard.body}
          </p>
          <p>{unheard.ask}</p>
        </>
      );
    default:
      return (
        <p>
          <b>{words[now.kind]}</b> {words[`${now.kind}More`]}
        </p>
      );
  }
}

function whyOff(): string {
  const now = door.value;
  if (!now || now.isOn) return words.offWhy;
  return now.reason === null ? atDoor.practice : atDoor.reason(now.reason);
}

function Listed({ title, lines }: { title: string; lines: readonly string[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <ul class="plain points">
        {lines.map((line) => (
          <li key={line}>{line}</li>
        ))}
      </ul>
    </section>
  );
}

/** As many words as show somebody in between; the rest is for who fears a great effort. */
const FIRST = 4;

function Spoken({ words }: { words: readonly string[] }) {
  return (
    <ol class="spoken">
      {words.map((word, place) => (
        <li key={place}>{word}</li>
      ))}
    </ol>
  );
}

/** To be read aloud, so they are large. */
function SafetyWords() {
  const numbers = safetyNumbers.value;
  return (
    <section class="stack">
      <h3>{words.words}</h3>
      {numbers ? (
        <>
          <Spoken words={safetyWords(numbers.slice(0, FIRST))} />
          <p>{words.compare}</p>
          <details>
            <summary>{words.more}</summary>
            <Spoken words={safetyWords(numbers.slice(FIRST))} />
            <p>{words.whyMore}</p>
          </details>
        </>
      ) : (
        <p>{words.noWords}</p>
      )}
    </section>
  );
}

function Reload() {
  return (
    <button type="button" class="main" onClick={() => location.reload()}>
      {words.reload}
    </button>
  );
}

/** What was told last of what needs an answer: taken off, or another key. */
let told = "";

/** Own sound or picture could not be sealed: said once, at once, and what to do. */
export function StoppedBanner() {
  useSignalEffect(() => {
    const now = protection.value;
    const what = now.kind === "stopped" ? now.what : now.kind;
    if (what === told) return;
    told = what;
    if (now.kind === "stopped")
      interrupt(`${badgeWords.stopped(now.what)}. ${words.stoppedNext(now.what)}`);
    if (now.kind === "unheard") tell(`${unheard.title}. ${unheard.body}`, true);
  });
  const now = protection.value;
  if (now.kind !== "stopped") return null;
  return (
    <div class="banner stop">
      <span>{words.stoppedNext(now.what)}</span>
      <Reload />
    </div>
  );
}

/** In the place of the piece: with another key there is nothing to hear. */
export function Unheard() {
  return (
    <section class="piece card" aria-label={badgeWords.unheard}>
      <h2>{unheard.title}</h2>
      <p>{unheard.body}</p>
      <p>{unheard.ask}</p>
    </section>
  );
}
