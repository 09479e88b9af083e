import { allowChime, chime } from "../a11y/chime";
import { leads } from "../state/circle";
import { type Setting, settings } from "../state/session";
import { text } from "../text/en";
import { Dialog } from "./Dialog";

export function Settings({ onClose }: { onClose(): void }) {
  const names: Setting[] = ["sound", "ring", "words", "selfView"];
  if (leads.value) names.push("keys");
  return (
    <Dialog title={text.settings.title} onClose={onClose}>
      {names.map((name) => (
        <label key={name} class="choice">
          <input
            type="checkbox"
            checked={settings[name]}
            onChange={(event) => {
              settings[name].value = event.currentTarget.checked;
            }}
          />
          <span>{text.settings[name]}</span>
        </label>
      ))}
      <button
        type="button"
        onClick={() => {
          allowChime();
          chime();
        }}
      >
        {text.settings.preview}
      </button>
    </Dialog>
  );
}
