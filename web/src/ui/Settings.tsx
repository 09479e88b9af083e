import { useState } from "preact/hooks";
import { buzz, canBuzz } from "../a11y/buzz";
import { allowChime, chime } from "../a11y/chime";
import { helps } from "../state/circle";
import { PICTURES, pictures, type Setting, SIGNALS, settings } from "../state/session";
import { text } from "../text/en";
import { Connection } from "./Connection";
import { Dialog } from "./Dialog";

/** How this person notices the time, and what is shown; kept on this device. */
export function Settings({ onClose }: { onClose(): void }) {
  const [isConnection, setConnection] = useState(false);
  const words = text.settings;
  const signals = SIGNALS.filter((name) => name !== "vibration" || canBuzz());
  const isQuiet = !SIGNALS.some((name) => settings[name].value);
  const others: Setting[] = helps.value ? ["selfView", "keys"] : ["selfView"];
  return (
    <Dialog title={words.title} onClose={onClose}>
      <fieldset>
        <legend>{words.time}</legend>
        {signals.map((name) => (
          <Choice key={name} name={name} />
        ))}
        <label class="choice">
          <input
            type="checkbox"
            checked={isQuiet}
            onChange={(event) => {
              // Unticked with nothing else chosen it would mean nothing: the ring comes back.
              const isNone = event.currentTarget.checked;
              for (const name of SIGNALS) settings[name].value = !isNone && name === "ring";
            }}
          />
          <span>{words.none}</span>
        </label>
        <div class="row">
          <button
            type="button"
            onClick={() => {
              allowChime();
              chime();
            }}
          >
            {words.preview}
          </button>
          {canBuzz() && (
            <button type="button" onClick={buzz}>
              {words.feel}
            </button>
          )}
        </div>
      </fieldset>
      <fieldset>
        <legend>{text.lines.pictures.title}</legend>
        {PICTURES.map((choice) => (
          <label key={choice} class="choice">
            <input
              type="radio"
              name="pictures"
              checked={pictures.value === choice}
              onChange={() => {
                pictures.value = choice;
              }}
            />
            <span>{text.lines.pictures[choice]}</span>
          </label>
        ))}
        <div class="row">
          <button type="button" onClick={() => setConnection(true)}>
            {text.lines.button}
          </button>
        </div>
        {isConnection && <Connection onClose={() => setConnection(false)} />}
      </fieldset>
      <fieldset>
        <legend>{words.shown}</legend>
        {others.map((name) => (
          <Choice key={name} name={name} />
        ))}
      </fieldset>
    </Dialog>
  );
}

function Choice({ name }: { name: Setting }) {
  return (
    <label class="choice">
      <input
        type="checkbox"
        checked={settings[name]}
        onChange={(event) => {
          settings[name].value = event.currentTarget.checked;
        }}
      />
      <span>{text.settings[name]}</span>
    </label>
  );
}
