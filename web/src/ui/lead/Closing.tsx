import { signal, useSignalEffect } from "@preact/signals";
import { shown } from "../../state/circle";
import { lead } from "../../text/lead";

/** Set by the notice, which comes to those who lead; put away by its reader. */
const closingSoon = signal(false);

/** A quarter of an hour before the planned end. */
export function Closing() {
  useSignalEffect(() => {
    if (shown.value?.notices?.some(({ kind }) => kind === "closing_soon")) closingSoon.value = true;
  });
  if (!closingSoon.value) return null;
  return (
    <div class="hint">
      <p>
        <b>{lead.closing.title}</b>. {lead.closing.body}
      </p>
      <button
        type="button"
        class="quiet"
        onClick={() => {
          closingSoon.value = false;
        }}
      >
        {lead.closing.ok}
      </button>
    </div>
  );
}
