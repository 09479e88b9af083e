import { signal, useSignalEffect } from "@preact/signals";
import { tell } from "../../a11y/announce";
import { handOver, returning, strangers } from "../../state/secrecy";
import { keys as words } from "../../text/secrecy";

/** Seats that were answered with "not now", or have been read about. */
const putAway = signal<ReadonlySet<string>>(new Set());
const dismiss = (...seats: string[]) => {
  putAway.value = new Set([...putAway.value, ...seats]);
};

/** Seats whose coming was told to a screen reader. */
const told = new Set<string>();

/** For who leads: who came with a key that is not the circle's. */
export function Newcomers() {
  useSignalEffect(tellNew);
  const back = returning.value.filter(({ seat }) => !putAway.value.has(seat));
  const others = unknown().filter((seat) => !putAway.value.has(seat));
  return (
    <>
      {back.map(({ seat, name, met }) => (
        <div key={seat} class="hint">
          <p>
            <b>{words.returning(name)}</b> {words.returningBody[met]}
          </p>
          <div class="row">
            <button type="button" onClick={() => void handOver(seat)}>
              {words.handOver}
            </button>
            <button type="button" class="quiet" onClick={() => dismiss(seat)}>
              {words.notNow}
            </button>
          </div>
        </div>
      ))}
      {others.length > 0 && (
        <div class="hint">
          <p>{words.stranger}</p>
          <button type="button" class="quiet" onClick={() => dismiss(...others)}>
            {words.seen}
          </button>
        </div>
      )}
    </>
  );
}

/** Those with a key that is no older one either. */
function unknown(): string[] {
  const known = new Set(returning.value.map(({ seat }) => seat));
  return strangers.value.filter((seat) => !known.has(seat));
}

function tellNew(): void {
  for (const { seat, name } of returning.value) tellOnce(`back ${seat}`, words.returning(name));
  for (const seat of unknown()) tellOnce(seat, words.stranger);
}

function tellOnce(what: string, sentence: string): void {
  if (told.has(what)) return;
  told.add(what);
  tell(sentence, true);
}
