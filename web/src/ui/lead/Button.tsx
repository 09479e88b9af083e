import { signal } from "@preact/signals";
import type { Control, Opens } from "../../state/lead";
import { settings } from "../../state/session";
import { insert } from "../../state/sheets";
import { ask } from "../../state/visit";
import { Act } from "../Act";

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
  onDone?(): void;
}

/** A control as a button, with its key beside it. */
export function ControlButton({ control, class: extra = "", onDone }: Props) {
  const shortcut = settings.keys.value ? control.key : undefined;
  if ("command" in control.does)
    return (
      <Act
        command={control.does.command}
        class={extra}
        shortcut={shortcut}
        {...(onDone ? { onDone } : {})}
      >
        {control.label}
      </Act>
    );
  return (
    <button
      type="button"
      class={extra}
      onClick={() => {
        onDone?.();
        run(control);
      }}
    >
      {control.label}
      {shortcut && <kbd>{shortcut}</kbd>}
    </button>
  );
}
