import { useState } from "preact/hooks";
import type { View } from "../protocol";
import { leads, waiting } from "../state/circle";
import { listenOnly, switchCamera, switchMic } from "../state/own";
import { type MainAction, mainAction, micWords } from "../state/reading";
import { settings } from "../state/session";
import { leave } from "../state/visit";
import { text } from "../text/en";
import { Act } from "./Act";
import { Dialog } from "./Dialog";
import { FacilitatorMain, facilitatorMain } from "./Facilitator";
import { Settings } from "./Settings";

/** What this person can do now: one main button, and the devices in words. */
export function Foot({ view }: { view: View }) {
  const seat = view.seats.find((each) => each.id === view.you);
  const main = mainAction(view, listenOnly.value);
  const isHolder = view.turn?.seat === view.you;
  // One main button at a time: a facilitator's stands in the panel unless it is their own turn.
  // In a silence or a pause nothing calls for attention.
  const isResting = view.paused || view.phase.mode === "silence";
  const isMain = isHolder || (!isResting && !(leads.value && facilitatorMain(view) !== null));
  const isHand = main === "raise" || main === "lower";
  const turn = view.turns_given;
  return (
    <footer class="foot">
      {leads.value && !isHolder && <FacilitatorMain view={view} class="only-narrow" />}
      {main && (
        <Main action={main} view={view} class={isMain ? "main" : isHand ? "only-wide" : ""} />
      )}
      {isHolder && main === "ready" && (
        <Act command={{ kind: "pass_turn", turn }}>{text.act.passUnspoken}</Act>
      )}
      {listenOnly.value && seat?.mic === "off" && view.may.includes("set_mic") && (
        <button type="button" onClick={() => void switchMic(true)}>
          {text.act.speakAfterAll}
        </button>
      )}
      {isHolder && view.may.includes("later") && (
        <Act command={{ kind: "later", turn }} class="quiet">
          {text.act.later}
        </Act>
      )}
      <Tools view={view} />
    </footer>
  );
}

/** The quiet ways out of the picture: how things are shown, and leaving. */
export function Ways() {
  const [open, setOpen] = useState<"settings" | "leave" | null>(null);
  const close = () => setOpen(null);
  return (
    <div class="ways">
      <button type="button" class="quiet" onClick={() => setOpen("settings")}>
        {text.settings.button}
      </button>
      <button type="button" class="quiet" onClick={() => setOpen("leave")}>
        {text.act.leave}
      </button>
      {open === "settings" && <Settings onClose={close} />}
      {open === "leave" && (
        <Dialog title={text.leave.title} closing={text.leave.no} onClose={close}>
          <p>{text.leave.body}</p>
          <button type="button" class="main" onClick={() => void leave()}>
            {text.leave.yes}
          </button>
        </Dialog>
      )}
    </div>
  );
}

interface MainProps {
  action: MainAction;
  view: View;
  class: string;
}

function Main({ action, view, class: look }: MainProps) {
  const isOn = view.seats.find((each) => each.id === view.you)?.mic === "on";
  switch (action) {
    case "pass":
      return (
        <Act command={{ kind: "pass_turn", turn: view.turns_given }} class={look}>
          {text.act.pass}
        </Act>
      );
    case "raise":
      return (
        <Act command={{ kind: "raise_hand" }} class={look}>
          {text.act.raise}
        </Act>
      );
    case "lower":
      return (
        <Act command={{ kind: "lower_hand" }} class={look}>
          {text.act.lower}
        </Act>
      );
    default:
      return (
        <button
          type="button"
          class={look}
          aria-disabled={waiting.value.has("set_mic")}
          onClick={() => void switchMic(!isOn)}
        >
          {action === "ready" ? text.act.ready : isOn ? text.act.micOff : text.act.micOn}
        </button>
      );
  }
}

/** Microphone in words, camera as a switch. */
function Tools({ view }: { view: View }) {
  const seat = view.seats.find((each) => each.id === view.you);
  const isHolder = view.turn?.seat === view.you;
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
        <span>{micWords(view, listenOnly.value)}</span>
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
