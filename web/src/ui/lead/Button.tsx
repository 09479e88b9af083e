import { signal } from "@preact/signals";
import { waiting } from "../../state/circle";
import type { Control, Opens } from "../../state/lead";
import { settings } from "../../state/session";
import { insert } from "../../state/sheets";
import { ask } from "../../state/visit";

/** Which window of the facilitator's side is open; only ever one. */
export const opened = signal<Opens | null>(null);

/** Does what a control's button or its key does. */
export function run({ does }: Control): void {
  if ("command" in does) void ask(does.command);
  else if ("opens" in does) opened.value = does.opens;
  else void insert(does.inserts);
}

interface Props {
  control: Control;
  class?: string;
}

/** A control as a button, with its key beside it. Another control in its place keeps the focus. */
export function ControlButton({ control, class: extra = "" }: Props) {
  const { does, key, label } = control;
  return (
    <button
      type="button"
      class={extra}
      aria-disabled={"command" in does && waiting.value.has(does.command.kind)}
      onClick={() => run(control)}
    >
      {label}
      {settings.keys.value && <kbd>{key}</kbd>}
    </button>
  );
}
