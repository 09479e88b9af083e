import { signal, useSignalEffect } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { tell } from "../../a11y/announce";
import { handOver, type Returning, returning, strangers } from "../../state/secrecy";
import { keys as words } from "../../text/secrecy";

/** Seats that were answered with "not now", or have been read about. */
const putAway = signal<ReadonlySet<string>>(new Set());
const dismiss = (...seats: string[]) => {
  putAway.value = new Set([...putAway.value, ...seats]);
};

/** What was told to a screen reader, by seat. */
const told = new Map<string, string>();

/** For who leads: who came with a key that is not the circle's. */
export function Newcomers() {
  useSignalEffect(follow);
  const back = returning.value.filter(({ seat }) => !putAway.value.has(seat));
  const others = unknown().filter((seat) => !putAway.value.has(seat));
  return (
    <>
      {back.map((who) => (
        <Return key={who.hand} who={who}>
          <button type="button" class="quiet" onClick={() => dismiss(who.seat)}>
            {words.notNow}
          </button>
        </Return>
      ))}
      {others.length > 0 && (
        <Hint key="others">
          <p>{words.stranger}</p>
          <button type="button" class="quiet" onClick={() => dismiss(...others)}>
            {words.seen}
          </button>
        </Hint>
      )}
    </>
  );
}

/** Somebody who came with an older key, and what became of handing them the new one. */
export function Return({ who, children }: { who: Returning; children?: ComponentChildren }) {
  const { name, met } = who;
  const [outcome, setOutcome] = useState("");
  const isWaiting = useRef(false);
  const hand = async () => {
    if (isWaiting.current) return;
    isWaiting.current = true;
    setOutcome((await handOver(who)) ? words.handed(name) : words.notHanded);
    isWaiting.current = false;
  };
  return (
    <Hint>
      <p>
        <b>{words.returning(name)}</b> {words.returningBody[met]}
      </p>
      <div class="row">
        <button type="button" onClick={() => void hand()}>
          {children ? words.handOver : words.handOverTo(name)}
        </button>
        {children}
      </div>
      <p role="status">{outcome}</p>
    </Hint>
  );
}

/** When it goes with the focus in it, the focus goes to the next one, else to the heading above. */
function Hint({ children }: { children: ComponentChildren }) {
  const hint = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = hint.current;
    return () => {
      if (!element?.contains(document.activeElement)) return;
      const [next] = [element.nextElementSibling, element.previousElementSibling].filter((it) =>
        it?.matches(".hint[tabindex]"),
      );
      const above = element.closest("section, dialog")?.querySelector("h2[tabindex]");
      ((next ?? above) as HTMLElement | null | undefined)?.focus();
    };
  }, []);
  return (
    <div class="hint" ref={hint} tabIndex={-1}>
      {children}
    </div>
  );
}

/** Those with a key that is no older one either. */
function unknown(): string[] {
  const known = new Set(returning.value.map(({ seat }) => seat));
  return strangers.value.filter((seat) => !known.has(seat));
}

/** Tells of each once. Who has gone, or has the key now, is news when they come again. */
function follow(): void {
  const here = new Set(strangers.value);
  for (const seat of told.keys()) if (!here.has(seat)) told.delete(seat);
  const still = [...putAway.peek()].filter((seat) => here.has(seat));
  if (still.length < putAway.peek().size) putAway.value = new Set(still);
  for (const { seat, name } of returning.value) tellOnce(seat, words.returning(name));
  for (const seat of unknown()) tellOnce(seat, words.stranger);
}

function tellOnce(seat: string, sentence: string): void {
  if (told.get(seat) === sentence) return;
  told.set(seat, sentence);
  tell(sentence, true);
}
