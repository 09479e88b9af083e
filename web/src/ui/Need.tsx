import { useState } from "preact/hooks";
import type { Command } from "../net/socket";
import type { View } from "../protocol";
import { wishes } from "../state/choices";
import { ask } from "../state/visit";
import { text } from "../text/en";
import { Dialog } from "./Dialog";
import { HardTopic } from "./lead/Cards";

/** What somebody may ask for themselves, each with a line that says what then happens. */
export function Need({ view, onClose }: { view: View; onClose(): void }) {
  const [isNoting, setNoting] = useState(false);
  if (isNoting) return <HardTopic key="note" onClose={onClose} />;
  const choose = (command: Command | "note") => {
    if (command === "note") return setNoting(true);
    void ask(command);
    onClose();
  };
  return (
    <Dialog key="need" title={text.need.title} onClose={onClose}>
      <div class="stack">
        {wishes(view).map(({ label, hint, command }, index) => (
          <div key={label} class="wish">
            <button
              type="button"
              aria-describedby={`wish-${index}`}
              onClick={() => choose(command)}
            >
              {label}
            </button>
            <small id={`wish-${index}`}>{hint}</small>
          </div>
        ))}
      </div>
    </Dialog>
  );
}
