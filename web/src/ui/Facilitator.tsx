import { useEffect, useState } from "preact/hooks";
import type { Command } from "../net/socket";
import type { View } from "../protocol";
import { view as current } from "../state/circle";
import { settings } from "../state/session";
import { ask } from "../state/visit";
import { text } from "../text/en";
import { Act } from "./Act";
import { Dialog } from "./Dialog";
import { StartRound } from "./StartRound";

interface Action {
  label: string;
  command: Command;
  key: string;
}

const words = text.facilitator;

/** The one thing to do next for somebody who leads, or null. "start" opens the sheet. */
export function facilitatorMain(view: View): Action | "start" | null {
  const may = (kind: string) => view.may.includes(kind);
  if (may("resume_circle"))
    return { label: words.resume, key: "P", command: { kind: "resume_circle" } };
  if (view.turn?.seat === view.you) return null;
  if (may("next_turn")) {
    const label = view.turn ? words.thank : words.giveNext;
    return { label, key: "N", command: { kind: "next_turn", turn: view.turns_given } };
  }
  const isBetween = view.phase.over || view.phase.number === 0;
  return isBetween && may("start_phase") ? "start" : null;
}

/** The quiet ones, of those the server permits. */
function others(view: View): Action[] {
  const turn = view.turns_given;
  const all: Action[] = [
    { label: words.plus, key: "+", command: { kind: "extend", turn, by_ms: 60_000 } },
    { label: words.hold, key: "H", command: { kind: "hold_clock", turn } },
    { label: words.release, key: "H", command: { kind: "release_clock", turn } },
    { label: words.back, key: "B", command: { kind: "back", turn } },
    { label: words.pause, key: "P", command: { kind: "pause_circle" } },
  ];
  return all.filter(({ command }) => view.may.includes(command.kind));
}

export function FacilitatorMain({ view, class: extra = "" }: { view: View; class?: string }) {
  const [isOpen, setOpen] = useState(false);
  const main = facilitatorMain(view);
  if (main === null) return null;
  if (main !== "start")
    return (
      <Act command={main.command} class={`main ${extra}`} shortcut={shown(main.key)}>
        {main.label}
      </Act>
    );
  return (
    <>
      <button type="button" class={`main ${extra}`} onClick={() => setOpen(true)}>
        {words.startRound}
      </button>
      {isOpen && <StartRound view={view} onClose={() => setOpen(false)} />}
    </>
  );
}

const shown = (key: string) => (settings.keys.value ? key : undefined);

export function Facilitator({ view }: { view: View }) {
  const [open, setOpen] = useState<"more" | "start" | "end" | null>(null);
  const close = () => setOpen(null);
  useKeys();
  return (
    <section class="fac" aria-label={words.title}>
      <h2>{words.title}</h2>
      <FacilitatorMain view={view} class="only-wide" />
      <div class="pairs">
        {others(view).map(({ label, command, key }) => (
          <Act key={label} command={command} shortcut={shown(key)}>
            {label}
          </Act>
        ))}
        <button type="button" onClick={() => setOpen("more")}>
          {words.more}
        </button>
      </div>
      <small>{words.faces}</small>
      {open === "more" && (
        <More
          view={view}
          onClose={close}
          onStart={() => setOpen("start")}
          onEnd={() => setOpen("end")}
        />
      )}
      {open === "start" && <StartRound view={view} onClose={close} />}
      {open === "end" && (
        <Dialog title={words.endTitle} closing={words.endNo} onClose={close}>
          <p>{words.endBody}</p>
          <Act command={{ kind: "end_circle" }} onDone={close}>
            {words.endYes}
          </Act>
        </Dialog>
      )}
    </section>
  );
}

interface MoreProps {
  view: View;
  onClose(): void;
  onStart(): void;
  onEnd(): void;
}

function More({ view, onClose, onStart, onEnd }: MoreProps) {
  const may = (kind: string) => view.may.includes(kind);
  const silence = (minutes: number): Command => ({
    kind: "start_phase",
    mode: "silence",
    length_ms: minutes * 60_000,
  });
  return (
    <Dialog title={words.title} onClose={onClose}>
      {may("start_phase") && (
        <>
          <button type="button" onClick={onStart}>
            {words.startRound}
          </button>
          <Act command={{ kind: "start_phase", mode: "talk" }} onDone={onClose}>
            {words.talk}
          </Act>
          <fieldset>
            <legend>{words.silence}</legend>
            <div class="row">
              {[1, 2, 3].map((minutes) => (
                <Act key={minutes} command={silence(minutes)} onDone={onClose}>
                  {words.minutesOf(minutes)}
                </Act>
              ))}
            </div>
          </fieldset>
        </>
      )}
      {view.hands.includes(view.you) ? (
        <Act command={{ kind: "lower_hand" }} onDone={onClose}>
          {text.act.lower}
        </Act>
      ) : (
        <Act command={{ kind: "raise_hand" }} onDone={onClose}>
          {text.act.raise}
        </Act>
      )}
      {may("close_door") && (
        <Act command={{ kind: "close_door", after_ms: 0 }} onDone={onClose}>
          {words.closeDoor}
        </Act>
      )}
      {may("open_door") && (
        <Act command={{ kind: "open_door" }} onDone={onClose}>
          {words.openDoor}
        </Act>
      )}
      <small>{words.doorHint}</small>
      {may("end_circle") && (
        <button type="button" onClick={onEnd}>
          {words.end}
        </button>
      )}
    </Dialog>
  );
}

/** Single keys, silent while somebody types or a dialog is open. */
function useKeys(): void {
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      // What holds now and not what was drawn last: effects run a moment after the drawing.
      const view = current.value;
      if (!view) return;
      if (!settings.keys.value || event.repeat || event.ctrlKey || event.metaKey || event.altKey)
        return;
      if (document.querySelector("dialog[open]") || isTyping(event.target)) return;
      const main = facilitatorMain(view);
      const actions = main === null || main === "start" ? others(view) : [main, ...others(view)];
      const action = actions.find(({ key }) => key === event.key.toUpperCase());
      if (action) void ask(action.command);
    };
    document.addEventListener("keydown", hear);
    return () => document.removeEventListener("keydown", hear);
  }, []);
}

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement && target.matches("input, select, textarea, [contenteditable]");
