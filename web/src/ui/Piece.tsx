import { useSignalEffect } from "@preact/signals";
import { useRef } from "preact/hooks";
import { news } from "../a11y/announce";
import type { View } from "../protocol";
import { words } from "../state/circle";
import { used, usedStep } from "../state/clock";
import { lineNow } from "../state/plan";
import type { Names } from "../state/reading";
import { sentence } from "../state/sentence";
import { settings } from "../state/session";
import { text } from "../text/en";
import { Captions, useCaptions } from "./Writing";

/** The middle: a ring that fills, and one sentence about who speaks and what that means for you. */
export function Piece({ view, names }: { view: View; names: Names }) {
  const { head, sub } = sentence(view, names);
  const captions = useCaptions(view);
  const line = view.paused || view.safe ? null : lineNow(view, words.value);
  const isResting =
    view.paused || view.pair?.step === "silence" || (view.phase.mode === "silence" && !view.safe);
  const isTimed = !view.paused && !view.safe && !view.quiet.with_you;
  return (
    <div class={`piece${line ? " reads" : ""}${captions.length > 0 ? " captioned" : ""}`}>
      {isResting && !view.phase.over ? <div class="breath" aria-hidden="true" /> : null}
      {settings.ring.value && isTimed && <Ring />}
      <div>
        <h2>{head}</h2>
        {line && <blockquote>{line}</blockquote>}
        <p class="sub">{sub}</p>
        {settings.words.value && isTimed && <TimeWords />}
        <p class="news" aria-hidden="true">
          {news}
        </p>
      </div>
      <Captions lines={captions} />
    </div>
  );
}

function TimeWords() {
  const step = usedStep.value;
  return step === null ? null : <p class="sub">{text.time[step]}</p>;
}

/** Drawn without a new render: the clock sets one custom property a few times a second. */
function Ring() {
  const svg = useRef<SVGSVGElement>(null);
  useSignalEffect(() => svg.current?.style.setProperty("--used", `${used.value ?? 0}`));
  const step = usedStep.value;
  return (
    <svg
      ref={svg}
      class="ring"
      viewBox="0 0 100 100"
      role="img"
      aria-label={step === null ? "" : text.time[step]}
      aria-hidden={step === null}
    >
      <circle class="track" cx="50" cy="50" r="42" />
      <circle class="fill" cx="50" cy="50" r="42" pathLength={100} />
      <path
        class="stone"
        d="M31 55c-1-13 8-23 20-24 12 0 20 9 19 21-1 11-9 18-20 18-10 0-18-5-19-15z"
      />
      <path class="glint" d="M37 50c2-8 8-12 15-12" />
    </svg>
  );
}
