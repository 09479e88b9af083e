import { useState } from "preact/hooks";
import type { View } from "../protocol";
import { profiles } from "../state/circle";
import { nameOf } from "../state/reading";
import { ask } from "../state/visit";
import { text } from "../text/en";
import { Dialog } from "./Dialog";

const MINUTES = [1, 2, 3, 5];
const PASSING_MS = 8_000;

/** The small sheet before a round: how long, how strict, who begins. */
export function StartRound({ view, onClose }: { view: View; onClose(): void }) {
  const words = text.facilitator;
  const [minutes, setMinutes] = useState(3);
  const [timeout, setTimeout] = useState<"soft" | "firm">("soft");
  const [first, setFirst] = useState("");
  const present = view.seats.filter((seat) => seat.present);
  const whole = Math.ceil((present.length * (minutes * 60_000 + PASSING_MS)) / 60_000);
  const begin = () => {
    const turn_ms = minutes * 60_000;
    void ask({ kind: "start_phase", mode: "round", turn_ms, timeout, first: first || null });
    onClose();
  };
  return (
    <Dialog title={words.startRound} closing={text.cancel} onClose={onClose}>
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
            <span>{words[each]}</span>
          </label>
        ))}
      </fieldset>
      <label class="stack">
        {words.first}
        <select value={first} onChange={(event) => setFirst(event.currentTarget.value)}>
          <option value="">{words.asArrived}</option>
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
    </Dialog>
  );
}
