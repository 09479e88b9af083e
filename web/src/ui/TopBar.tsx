import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";
import { quickExit } from "../state/visit";
import { crisis, text } from "../text/en";
import { Dialog } from "./Dialog";

/** The head of every page: help and the way out are always here, in the same place. */
export function TopBar({
  title,
  sub,
  heading,
  children,
}: {
  title: string;
  sub?: string;
  heading?: boolean;
  children?: ComponentChildren;
}) {
  return (
    <header class="top">
      <div class="what">
        {heading ? <h1 tabIndex={-1}>{title}</h1> : <b>{title}</b>}
        {sub && <small>{sub}</small>}
      </div>
      {children}
      <div class="safety">
        <HelpInACrisis />
        <QuickExit />
      </div>
    </header>
  );
}

/** The button and its panel, on every page and in every dialog. */
export function HelpInACrisis() {
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        {crisis.button}
      </button>
      {isOpen && <Crisis onClose={() => setOpen(false)} />}
    </>
  );
}

export function QuickExit() {
  return (
    <button type="button" title={text.quickExitHint} onClick={quickExit}>
      {text.quickExit}
    </button>
  );
}

/** No request, no logging: nobody learns that this was opened. */
function Crisis({ onClose }: { onClose(): void }) {
  return (
    <Dialog title={crisis.title} onClose={onClose} isHelp>
      <p>{crisis.near}</p>
      <Numbers title={crisis.emergency} rows={crisis.numbers} />
      <Numbers title={crisis.talk} rows={crisis.lines} />
      <small>{crisis.verify}</small>
      <small>{crisis.not}</small>
    </Dialog>
  );
}

type Row = readonly [where: string, number: string];

function Numbers({ title, rows }: { title: string; rows: readonly Row[] }) {
  return (
    <section>
      <h3>{title}</h3>
      <dl class="numbers">
        {rows.map(([where, number]) => (
          <div key={where}>
            <dt>{where}</dt>
            <dd>{number}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
