import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import type { SheetFault } from "../../protocol";
import { chooseText, saveFile } from "../../state/sheets";
import { text } from "../../text/en";
import { lead } from "../../text/lead";
import { Dialog } from "../Dialog";

interface Props {
  text: string;
  onBack(): void;
  onChosen(): void;
}

/** A run sheet as text to change. What the server does not understand stands beside it by line. */
export function SheetWriter({ text: given, onBack, onChosen }: Props) {
  const written = useSignal(given);
  const faults = useSignal<SheetFault[]>([]);
  const area = useRef<HTMLTextAreaElement>(null);
  const words = lead.library;
  const use = async () => {
    const found = await chooseText(written.value);
    if (found === null) return;
    faults.value = found;
    if (found.length === 0) onChosen();
    else toLine(area.current, found[0]?.line ?? 1);
  };
  return (
    <Dialog title={words.edit} closing={text.back} onClose={onBack} isWide>
      <label for="sheet-text">
        {words.editLabel}
        <small>{words.editHint}</small>
      </label>
      <div class="writer">
        <textarea
          id="sheet-text"
          ref={area}
          spellcheck={false}
          rows={16}
          aria-describedby="sheet-faults"
          aria-invalid={faults.value.length > 0}
          value={written}
          onInput={(event) => {
            written.value = event.currentTarget.value;
          }}
        />
        <div id="sheet-faults" role="status">
          {faults.value.length > 0 && (
            <>
              <b>{words.faults(faults.value.length)}</b>
              <ul class="faults">
                {faults.value.map(({ line, words: says }) => (
                  <li key={`${line} ${says}`}>
                    <button type="button" onClick={() => toLine(area.current, line)}>
                      {words.fault(line, says)}
                    </button>
                  </li>
                ))}
              </ul>
            </>
          )}
        </div>
      </div>
      <button type="button" class="main" onClick={() => void use()}>
        {words.use}
      </button>
      <button type="button" onClick={() => saveFile(titleIn(written.value), written.value)}>
        {words.carry}
      </button>
    </Dialog>
  );
}

/** Puts the writer where the mistake is, with the line selected and in sight. */
function toLine(area: HTMLTextAreaElement | null, line: number): void {
  if (!area) return;
  const lines = area.value.split("\n");
  const from = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  area.focus();
  area.setSelectionRange(from, from + (lines[line - 1]?.length ?? 0));
  area.scrollTop = (area.scrollHeight / Math.max(1, lines.length)) * Math.max(0, line - 3);
}

/** Only for the name of a file; reading run sheets is the server's. */
const titleIn = (sheet: string) => /^title\s*=\s*"([^"\n]*)"/m.exec(sheet)?.[1] ?? "";
