import { useState } from "preact/hooks";
import type { View } from "../protocol";
import { wishes } from "../state/choices";
import { leave } from "../state/visit";
import { text } from "../text/en";
import { Dialog } from "./Dialog";
import { Need } from "./Need";
import { Settings } from "./Settings";

/** The quiet ways: what one needs for oneself, how things are shown, and leaving. */
export function Ways({ view, needs = true }: { view: View; needs?: boolean }) {
  const [open, setOpen] = useState<"need" | "settings" | "leave" | null>(null);
  const close = () => setOpen(null);
  return (
    <div class="ways">
      {needs && wishes(view).length > 0 && (
        <button type="button" class="quiet" onClick={() => setOpen("need")}>
          {text.need.button}
        </button>
      )}
      <button type="button" class="quiet" onClick={() => setOpen("settings")}>
        {text.settings.button}
      </button>
      <button type="button" class="quiet" onClick={() => setOpen("leave")}>
        {text.act.leave}
      </button>
      {open === "need" && <Need view={view} onClose={close} />}
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
