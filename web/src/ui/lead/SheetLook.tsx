import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { SheetEntry } from "../../protocol";
import { getText, saveFile } from "../../state/sheets";
import { text } from "../../text/en";
import { lead } from "../../text/lead";
import { Dialog } from "../Dialog";

interface Props {
  entry: SheetEntry;
  onBack(): void;
  onChoose(): void;
  onInsert?(): void;
  onCopy(text: string): void;
  onForget?(): void;
}

/** A run sheet from inside: its text, where its form comes from, and what to do with it. */
export function SheetLook({ entry, onBack, onChoose, onInsert, onCopy, onForget }: Props) {
  const inside = useSignal<string | null>(null);
  const words = lead.library;
  useEffect(() => {
    void getText(entry.id).then((found) => {
      inside.value = found;
    });
  }, [entry.id]);
  const written = inside.value;
  return (
    <Dialog title={entry.title} closing={text.back} onClose={onBack} isWide>
      {entry.minutes > 0 && <p>{words.minutes(entry.minutes)}</p>}
      {entry.source && <small>{words.source(entry.source)}</small>}
      <button type="button" class="main" onClick={onChoose}>
        {words.choose}
      </button>
      <div class="row">
        {onInsert && (
          <button type="button" onClick={onInsert}>
            {words.insert}
          </button>
        )}
        {written !== null && (
          <>
            <button type="button" onClick={() => onCopy(written)}>
              {words.copy}
            </button>
            <button type="button" onClick={() => saveFile(entry.title, written)}>
              {words.carry}
            </button>
          </>
        )}
        {onForget && (
          <button type="button" onClick={onForget}>
            {words.forget}
          </button>
        )}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: whoever has no mouse must scroll it. */}
      <pre class="sheet-text" tabIndex={0}>
        {written ?? words.waiting}
      </pre>
    </Dialog>
  );
}
