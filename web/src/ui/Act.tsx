import type { ComponentChildren } from "preact";
import type { Command } from "../net/socket";
import { waiting } from "../state/circle";
import { ask } from "../state/visit";

interface Props {
  command: Command;
  class?: string;
  shortcut?: string | undefined;
  /** What it says to a screen reader, where the words beside it are needed to understand it. */
  label?: string;
  onDone?(): void;
  children: ComponentChildren;
}

/** A button that sends one command and rests until it is answered. It never loses the focus. */
export function Act({ command, class: extra = "", shortcut, label, onDone, children }: Props) {
  return (
    <button
      type="button"
      class={extra}
      aria-label={label}
      aria-disabled={waiting.value.has(command.kind)}
      onClick={() => {
        void ask(command);
        onDone?.();
      }}
    >
      {children}
      {shortcut && <kbd>{shortcut}</kbd>}
    </button>
  );
}
