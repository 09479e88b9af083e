import { useState } from "preact/hooks";
import type { Command } from "../net/socket";
import type { View } from "../protocol";
import { type Choice, type MainAction, mainAction, namesNext, turnChoices } from "../state/choices";
import { helps, profiles, waiting } from "../state/circle";
import { micTrouble, switchMic } from "../state/own";
import { isApart, nameOf, seatOf } from "../state/reading";
import { ask } from "../state/visit";
import { text } from "../text/en";
import { Act } from "./Act";
import { Dialog } from "./Dialog";
import { FacilitatorMain, facilitatorMain } from "./Facilitator";
import { OwnScreen, ShowScreen } from "./Screen";
import { Tools } from "./Tools";

/** What this person can do now: one main button, and the devices in words. */
export function Foot({ view }: { view: View }) {
  const main = mainAction(view);
  const isHolder = view.turn?.seat === view.you;
  // One main button at a time: a facilitator's stands in the panel unless it is their own turn.
  // In a silence or a pause nothing calls for attention.
  const isStill = view.paused || view.safe || view.holding || view.phase.mode === "silence";
  const isResting = isStill && !isApart(view);
  const isLed = helps.value && facilitatorMain(view) !== null;
  const isMain = !isLed && (isHolder || !isResting);
  const isHand = main === "raise" || main === "lower";
  return (
    <footer class="foot">
      <OwnScreen view={view} />
      {isLed && <FacilitatorMain view={view} class="only-narrow" />}
      {main && (
        <Main action={main} view={view} class={isMain ? "main" : isHand ? "only-wide" : ""} />
      )}
      {isHolder && view.turn?.ready === false && micTrouble.value && (
        <Act command={{ kind: "begin_turn", turn: view.turns_given }}>{text.act.begin}</Act>
      )}
      <Choices all={turnChoices(view)} />
      {isApart(view) && (
        <Act command={{ kind: "leave_space" }}>
          {view.pair ? text.act.leavePair : text.act.backToCircle}
        </Act>
      )}
      <Tools view={view} />
      <ShowScreen view={view} />
    </footer>
  );
}

interface MainProps {
  action: NonNullable<MainAction>;
  view: View;
  class: string;
}

/** The main button stays the same element whatever it does, so that the focus stays on it. */
function Main({ action, view, class: look }: MainProps) {
  const [isNaming, setNaming] = useState(false);
  const { label, command } = mainButton(action, view);
  const act = () => {
    if (action === "name") setNaming(true);
    else if (command?.kind === "set_mic") void switchMic(command.on);
    else if (command) void ask(command);
  };
  return (
    <>
      <button
        type="button"
        class={look}
        aria-disabled={command !== null && waiting.value.has(command.kind)}
        onClick={act}
      >
        {label}
      </button>
      {isNaming && action === "name" && <NameNext view={view} onClose={() => setNaming(false)} />}
    </>
  );
}

interface MainButton {
  label: string;
  command: Command | null;
}

function mainButton(action: NonNullable<MainAction>, view: View): MainButton {
  const words = text.act;
  const isOn = seatOf(view, view.you)?.mic === "on";
  switch (action) {
    case "done":
      return { label: words.done, command: { kind: "pass_turn", turn: view.turns_given } };
    case "name":
      return { label: words.nameNext, command: null };
    case "raise":
      return { label: words.raise, command: { kind: "raise_hand" } };
    case "lower":
      return { label: words.lower, command: { kind: "lower_hand" } };
    case "ready":
      return { label: words.ready, command: { kind: "set_mic", on: true } };
    case "mic":
      return {
        label: isOn ? words.micOff : words.micOn,
        command: { kind: "set_mic", on: !isOn },
      };
  }
}

/** As many as fit beside the main button without covering the circle. */
const BESIDE = 2;

/** What else may be done with one's own turn; the rarer things in a window. */
function Choices({ all }: { all: Choice[] }) {
  const [isOpen, setOpen] = useState(false);
  const close = () => setOpen(false);
  const rest = all.slice(BESIDE);
  return (
    <>
      {all.slice(0, BESIDE).map(({ label, command }) => (
        <Act key={command.kind} command={command}>
          {label}
        </Act>
      ))}
      {rest.length > 0 && (
        <button type="button" onClick={() => setOpen(true)}>
          {text.act.more}
        </button>
      )}
      {isOpen && rest.length > 0 && (
        <Dialog title={text.act.moreTitle} onClose={close}>
          {rest.map(({ label, command }) => (
            <Act key={command.kind} command={command} onDone={close}>
              {label}
            </Act>
          ))}
        </Dialog>
      )}
    </>
  );
}

/** One's turn ends by naming who comes next. */
function NameNext({ view, onClose }: { view: View; onClose(): void }) {
  return (
    <Dialog title={text.act.nameTitle} closing={text.cancel} onClose={onClose}>
      <p>{text.act.nameBody}</p>
      {namesNext(view).map(({ id }) => (
        <Act
          key={id}
          command={{ kind: "name_next", turn: view.turns_given, seat: id }}
          onDone={onClose}
        >
          {nameOf(id, view, profiles.value)}
        </Act>
      ))}
    </Dialog>
  );
}
