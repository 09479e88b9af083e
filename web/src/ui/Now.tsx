import { useState } from "preact/hooks";
import type { View } from "../protocol";
import { words as sheetWords } from "../state/circle";
import { parts, titleNow, wordsNow } from "../state/plan";
import { text } from "../text/en";
import { Dialog } from "./Dialog";

/** What is now and what comes next, in words; the whole plan on demand. */
export function Now({ view }: { view: View }) {
  const [isOpen, setOpen] = useState(false);
  const sheet = sheetWords.value;
  const all = parts(view, sheet);
  const now = wordsNow(view, sheet);
  if (all.length === 0 && !now) return null;
  const next = all.find((part) => part.isNext);
  return (
    <section class="now">
      <h2>{text.plan.now}</h2>
      <p>
        <b>{titleNow(view, sheet)}</b>
      </p>
      {now?.words && <p class="words">{now.words.trim()}</p>}
      {all.length > 0 && (
        <div class="row">
          <small>{next ? text.plan.next(next.title) : text.plan.last}</small>
          <button type="button" class="quiet" onClick={() => setOpen(true)}>
            {text.plan.whole}
          </button>
        </div>
      )}
      {isOpen && <Plan view={view} onClose={() => setOpen(false)} />}
    </section>
  );
}

function Plan({ view, onClose }: { view: View; onClose(): void }) {
  const sheet = sheetWords.value;
  const words = text.plan;
  return (
    <Dialog title={sheet?.title ?? words.title} onClose={onClose}>
      <ol class="parts">
        {parts(view, sheet).map((part, index) => (
          <li
            key={index}
            class={part.isNow ? "now" : part.isDone ? "past" : ""}
            aria-current={part.isNow ? "step" : undefined}
          >
            <b>{part.title}</b>
            <small>
              {[
                part.isNow
                  ? words.isNow
                  : part.isNext
                    ? words.isNext
                    : part.isDone
                      ? words.isDone
                      : "",
                part.lengthMs === null ? "" : text.aboutMinutes(part.lengthMs),
                part.isOptional ? words.optional : "",
              ]
                .filter(Boolean)
                .join(" · ")}
            </small>
            {part.words && !part.isDone && <span class="words">{part.words}</span>}
          </li>
        ))}
      </ol>
      {sheet?.source && <small>{words.source(sheet.source)}</small>}
    </Dialog>
  );
}
