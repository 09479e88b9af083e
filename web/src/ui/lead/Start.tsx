import { useState } from "preact/hooks";
import type { Command } from "../../net/socket";
import type { View } from "../../protocol";
import { profiles } from "../../state/circle";
import { nameOf } from "../../state/reading";
import { ask } from "../../state/visit";
import { text } from "../../text/en";
import { lead } from "../../text/lead";
import { Act } from "../Act";
import { Dialog } from "../Dialog";

const MINUTES = [1, 2, 3, 5] as const;
/** Passing on takes a few seconds each (circle.md §2); only for the hint. */
const PASSING_MS = 8_000;
const words = lead.start;

/** Begins a part that stands in no run sheet: a round, open talk, a silence. */
export function Start({ view, onClose }: { view: View; onClose(): void }) {
  const [minutes, setMinutes] = useState<number>(3);
  const [timeout, setTimeout] = useState<"soft" | "firm">("soft");
  const [first, setFirst] = useState("");
  const present = view.seats.filter((seat) => seat.present && !seat.waiting);
  const whole = Math.ceil((present.length * (minutes * 60_000 + PASSING_MS)) / 60_000);
  const begin = () => {
    const turn_ms = minutes * 60_000;
    void ask({ kind: "start_phase", mode: "round", turn_ms, timeout, first: first || null });
    onClose();
  };
  return (
    <Dialog title={words.title} closing={text.cancel} onClose={onClose}>
      <fieldset>
        <legend>{words.minutes}</legend>
        <div class="row">
          {MINUTES.map((each) => (
            <label key={each} class="pill">
              <input
                type="radio"
                name="minutes"
                checked={each === minutes}
                onChange={() => setMinutes(each)}
              />
              {each}
            </label>
          ))}
        </div>
        <small>{words.fits(present.length, whole)}</small>
      </fieldset>
      <fieldset>
        <legend>{words.timeout}</legend>
        {(["soft", "firm"] as const).map((each) => (
          <label key={each} class="choice">
            <input
              type="radio"
              name="timeout"
              checked={each === timeout}
              onChange={() => setTimeout(each)}
            />
            <span>{lead.timeout[each]}</span>
          </label>
        ))}
      </fieldset>
      <label class="stack">
        {words.first}
        <select value={first} onChange={(event) => setFirst(event.currentTarget.value)}>
          <option value="">{words.asPlanned}</option>
          {present.map((seat) => (
            <option key={seat.id} value={seat.id}>
              {nameOf(seat.id, view, profiles.value)}
            </option>
          ))}
        </select>
      </label>
      <button type="button" class="main" onClick={begin}>
        {words.begin}
      </button>
      <h3>{words.or}</h3>
      <Act command={{ kind: "start_phase", mode: "talk" }} onDone={onClose}>
        {lead.act.talk}
      </Act>
      <fieldset>
        <legend>{lead.act.silence}</legend>
        <div class="row">
          {[1, 2, 3].map((each) => (
            <Act key={each} command={silence(each)} onDone={onClose}>
              {words.minutesOf(each)}
            </Act>
          ))}
        </div>
      </fieldset>
    </Dialog>
  );
}

const silence = (minutes: number): Command => ({
  kind: "start_phase",
  mode: "silence",
  length_ms: minutes * 60_000,
});
