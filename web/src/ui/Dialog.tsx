import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef } from "preact/hooks";
import { text } from "../text/en";
import { HelpInACrisis, QuickExit } from "./TopBar";

interface Props {
  title: string;
  onClose(): void;
  /** What the closing button says. */
  closing?: string;
  /** This is the help itself. */
  isHelp?: boolean;
  /** It holds more than a few buttons. */
  isWide?: boolean;
  children: ComponentChildren;
}

/** The browser's own modal dialog; it keeps and gives back the focus. */
export function Dialog({ title, onClose, closing = text.close, isHelp, isWide, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const heading = useRef<HTMLHeadingElement>(null);
  const isGone = useRef(false);
  const id = useId();
  useLayoutEffect(() => {
    const element = dialog.current;
    element?.showModal();
    // It is read from its title, and Enter does nothing by accident.
    heading.current?.focus();
    return () => {
      // Taken away by what was chosen in it: only a dialog that closes gives the focus back.
      isGone.current = true;
      element?.close();
    };
  }, []);
  return (
    <dialog
      ref={dialog}
      class={isWide ? "wide" : ""}
      aria-labelledby={id}
      onClose={() => isGone.current || onClose()}
    >
      <div class="dialog-top">
        <h2 id={id} ref={heading} tabIndex={-1}>
          {title}
        </h2>
        <div class="safety">
          {!isHelp && <HelpInACrisis />}
          <QuickExit />
        </div>
      </div>
      {children}
      <button type="button" class="quiet" onClick={() => dialog.current?.close()}>
        {closing}
      </button>
    </dialog>
  );
}
