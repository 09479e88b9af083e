import { useRef } from "preact/hooks";
import type { View } from "../protocol";
import { text } from "../text/en";
import { Act } from "./Act";
import { TopBar } from "./TopBar";
import { Ways } from "./Ways";

/** Why somebody is not in the circle just now, or null. */
export function whyAway(view: View): "waiting" | "out" | "safe" | null {
  if (view.waiting) return "waiting";
  if (view.seats.find(({ id }) => id === view.you)?.veiled) return "safe";
  return view.stepped_out ? "out" : null;
}

/** A calm page in place of the circle, of which nothing can be seen. */
export function Away({ view, why }: { view: View; why: "waiting" | "out" | "safe" }) {
  const words = text.away;
  const hasSeenNote = useRef(false);
  hasSeenNote.current ||= view.note !== null;
  return (
    <>
      <TopBar title={text.title} />
      <main class="narrow">
        <h1 tabIndex={-1}>{words[`${why}Title`]}</h1>
        {words[why].map((line) => (
          <p key={line}>{line}</p>
        ))}
        {why === "out" && (
          <>
            <div class="breath" aria-hidden="true" />
            {hasSeenNote.current && <p>{view.note ? words.noteGoesOn : words.noteIsOver}</p>}
            <Act command={{ kind: "step_in" }} class="main">
              {words.comeIn}
            </Act>
          </>
        )}
        <Ways view={view} needs={false} />
      </main>
    </>
  );
}
