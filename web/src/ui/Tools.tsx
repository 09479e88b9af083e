import type { View } from "../protocol";
import { waiting } from "../state/circle";
import { switchCamera, switchMic } from "../state/own";
import { holderOf, micWords, seatOf } from "../state/reading";
import { settings } from "../state/session";
import { text } from "../text/en";

/** Microphone in words, camera as a switch. */
export function Tools({ view }: { view: View }) {
  const seat = seatOf(view, view.you);
  const isHolder = holderOf(view) === view.you;
  const camera = seat?.camera ?? "off";
  return (
    <div class="tools">
      {isHolder && seat?.mic === "on" ? (
        <button
          type="button"
          class="on"
          aria-label={`${text.mic.on}. ${text.camera.turnOff}`}
          onClick={() => void switchMic(false)}
        >
          {text.mic.on}
        </button>
      ) : (
        <span>{micWords(view)}</span>
      )}
      {camera === "covered" ? (
        <span>{text.camera.covered}</span>
      ) : (
        <button
          type="button"
          class={camera}
          aria-label={`${text.camera[camera]}. ${camera === "on" ? text.camera.turnOff : text.camera.turnOn}`}
          aria-disabled={waiting.value.has("set_camera")}
          onClick={() => void switchCamera(camera !== "on")}
        >
          {text.camera[camera]}
        </button>
      )}
      {camera === "on" && (
        <button
          type="button"
          class={`only-wide ${settings.selfView.value ? "on" : ""}`}
          aria-pressed={settings.selfView}
          onClick={() => {
            settings.selfView.value = !settings.selfView.value;
          }}
        >
          {text.camera.seeMe}
        </button>
      )}
    </div>
  );
}
