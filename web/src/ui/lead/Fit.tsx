import type { Fit, View } from "../../protocol";
import { words as sheetWords } from "../../state/circle";
import { misfits, peopleInTurns, titleOf } from "../../state/lead";
import { lead } from "../../text/lead";
import { Act } from "../Act";

/** In the panel: the first part to come that does not fit the people who are here. */
export function FitHint({ view }: { view: View }) {
  const [first] = misfits(view);
  const phase = first && view.sheet?.phases[first.index];
  if (!phase) return null;
  return (
    <div class="hint">
      <p>
        <b>{lead.fit.of(titleOf(phase, sheetWords.value))}</b>
      </p>
      <FitWords view={view} fit={first} />
    </div>
  );
}

/** What a part needs and has, and the shorter turn that would fit, one tap away. */
export function FitWords({ view, fit }: { view: View; fit: Fit }) {
  const { index, needed_ms, length_ms, turn_ms, shorter_ms, two_circles } = fit;
  const words = lead.fit;
  return (
    <>
      <p>
        {words.needs(peopleInTurns(view), turn_ms, needed_ms, length_ms)}{" "}
        {shorter_ms !== null && words.shorter(shorter_ms)}
        {two_circles && words.two}
      </p>
      {shorter_ms !== null && view.may.includes("change_phase") && (
        <Act command={{ kind: "change_phase", index, turn_ms: shorter_ms }}>
          {words.take(shorter_ms)}
        </Act>
      )}
    </>
  );
}
