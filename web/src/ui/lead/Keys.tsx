import { useEffect } from "preact/hooks";
import type { View } from "../../protocol";
import { view as current, helps, words } from "../../state/circle";
import { allControls } from "../../state/lead";
import { settings } from "../../state/session";
import { ask } from "../../state/visit";
import { lead } from "../../text/lead";
import { Dialog } from "../Dialog";
import { run } from "./Button";

const SAFE = "S";

/**
 * Single keys, silent while somebody writes or a window is open. Only "Safe the room" works then
 * too: nobody should have to close a window first.
 */
export function useKeys(): void {
  useEffect(() => {
    const hear = (event: KeyboardEvent) => {
      // What holds now and not what was drawn last: effects run a moment after the drawing.
      const view = current.value;
      if (!view || !helps.value || !settings.keys.value) return;
      if (event.repeat || event.ctrlKey || event.metaKey || event.altKey) return;
      if (isTyping(event.target)) return;
      const key = keyOf(event);
      if (document.querySelector("dialog[open]")) {
        if (key === SAFE && view.may.includes("safe_room")) void ask({ kind: "safe_room" });
        return;
      }
      const control = allControls(view, words.value).find((each) => each.key === key);
      if (!control) return;
      event.preventDefault();
      run(control);
    };
    document.addEventListener("keydown", hear);
    return () => document.removeEventListener("keydown", hear);
  }, []);
}

/** A Latin letter as written; on other alphabets what stands in its place on the keyboard. */
function keyOf({ key, code }: KeyboardEvent): string {
  const isLatin = key.length === 1 && key <= "~";
  return isLatin ? key.toUpperCase() : code.replace(/^Key(?=[A-Z]$)/, "");
}

const isTyping = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  target.matches(
    "input:not([type='radio'], [type='checkbox']), select, textarea, [contenteditable]",
  );

/** Every key that does something now. */
export function KeysHelp({ view, onClose }: { view: View; onClose(): void }) {
  const all = allControls(view, words.value);
  const safe = all.find(({ key }) => key === SAFE);
  return (
    <Dialog title={lead.keys.title} onClose={onClose}>
      <p>{lead.keys.body}</p>
      <dl class="numbers">
        {all.map(({ key, label, does }) => (
          <div key={key}>
            <dt>{"opens" in does && does.opens === "keys" ? lead.keys.here : label}</dt>
            <dd>
              <kbd>{key}</kbd>
            </dd>
          </div>
        ))}
      </dl>
      {safe && (
        <p>
          {lead.keys.always} {safe.label} <kbd>{safe.key}</kbd>
        </p>
      )}
      <p>{lead.keys.exit}</p>
    </Dialog>
  );
}
