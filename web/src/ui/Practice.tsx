import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { view, waiting } from "../state/circle";
import { hushed } from "../state/hush";
import {
  isFull,
  isPractising,
  startPractice,
  type ToTry,
  tried,
  Watching,
} from "../state/practice";
import { lastDone } from "../state/visit";
import { practice as words } from "../text/after";

/** On the page behind a facilitators' link. */
export function PracticeDoor() {
  return (
    <section class="card">
      <h2>{words.title}</h2>
      <p>{isFull.value ? words.not : words.body}</p>
      <button type="button" onClick={() => void startPractice()}>
        {words.button}
      </button>
    </section>
  );
}

/** In the practice circle: what to try, ticked as it happens, or by hand. */
export function PracticeList() {
  const watching = useRef(new Watching());
  useSignalEffect(() => {
    const now = view.value;
    if (!now) return;
    const found = watching.current.see(now, waiting.value, lastDone.value, hushed.value);
    if (found.some((each) => !tried.peek().has(each)))
      tried.value = new Set([...tried.peek(), ...found]);
  });
  if (!isPractising()) return null;
  return (
    <section>
      <h2>{words.tryTitle}</h2>
      <TriedList />
    </section>
  );
}

/** The same list, also after the end. */
export function TriedList() {
  return (
    <div class="tries">
      {(Object.entries(words.toTry) as [ToTry, string][]).map(([each, says]) => (
        <label key={each} class="choice">
          <input
            type="checkbox"
            checked={tried.value.has(each)}
            onChange={(event) => {
              const rest = [...tried.value].filter((other) => other !== each);
              tried.value = new Set(event.currentTarget.checked ? [...rest, each] : rest);
            }}
          />
          <span>{says}</span>
        </label>
      ))}
    </div>
  );
}
