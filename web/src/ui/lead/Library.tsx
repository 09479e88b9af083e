import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { SheetEntry } from "../../protocol";
import { view } from "../../state/circle";
import { choose, forget, getLibrary, insert, library, readFile } from "../../state/sheets";
import { text } from "../../text/en";
import { lead } from "../../text/lead";
import { Dialog } from "../Dialog";
import { SheetLook } from "./SheetLook";
import { SheetWriter } from "./SheetWriter";

type Step =
  | { of: "list" }
  | { of: "look"; entry: SheetEntry }
  | { of: "forget"; entry: SheetEntry }
  | { of: "write"; text: string };

/** All run sheets there are; one leads to its inside, and from there it is chosen or changed. */
export function Library({ onClose }: { onClose(): void }) {
  const step = useSignal<Step>({ of: "list" });
  const words = lead.library;
  const go = (to: Step) => {
    step.value = to;
  };
  const toList = () => go({ of: "list" });
  useEffect(() => void getLibrary(), []);
  const at = step.value;
  switch (at.of) {
    case "look":
      return (
        <SheetLook
          key={at.entry.id}
          entry={at.entry}
          onBack={toList}
          onChoose={async () => (await choose(at.entry.id)) && onClose()}
          {...(mayInsert()
            ? { onInsert: async () => (await insert(at.entry.id)) && onClose() }
            : {})}
          onCopy={(written) => go({ of: "write", text: written })}
          {...(at.entry.own ? { onForget: () => go({ of: "forget", entry: at.entry }) } : {})}
        />
      );
    case "forget":
      return (
        <Dialog
          key="forget"
          title={words.forgetTitle(at.entry.title)}
          closing={text.cancel}
          onClose={toList}
        >
          <p>{words.forgetBody}</p>
          <button
            type="button"
            onClick={async () => {
              await forget(at.entry.id);
              toList();
            }}
          >
            {words.forgetYes}
          </button>
        </Dialog>
      );
    case "write":
      return <SheetWriter key="write" text={at.text} onBack={toList} onChosen={onClose} />;
  }
  const all = library.value;
  return (
    <Dialog key="list" title={words.title} onClose={onClose} isWide>
      <p>{words.body}</p>
      {all === null ? (
        <p>{words.waiting}</p>
      ) : (
        <>
          <Shelf
            title={words.own}
            entries={all.filter(({ own }) => own)}
            onLook={(entry) => go({ of: "look", entry })}
          />
          <Shelf
            title={words.shipped}
            entries={all.filter(({ own }) => !own)}
            onLook={(entry) => go({ of: "look", entry })}
          />
        </>
      )}
      <div class="row">
        <button type="button" onClick={() => go({ of: "write", text: words.skeleton })}>
          {words.write}
        </button>
        <label class="pill file">
          {words.bring}
          <input
            type="file"
            accept=".toml,text/plain"
            title={words.bringHint}
            onChange={async (event) => {
              const file = event.currentTarget.files?.[0];
              const brought = file ? await readFile(file) : null;
              if (brought !== null) go({ of: "write", text: brought });
            }}
          />
        </label>
      </div>
    </Dialog>
  );
}

const mayInsert = () => {
  const now = view.value;
  return now !== null && now.phase.number > 0 && !now.phase.insert;
};

interface ShelfProps {
  title: string;
  entries: SheetEntry[];
  onLook(entry: SheetEntry): void;
}

function Shelf({ title, entries, onLook }: ShelfProps) {
  if (entries.length === 0) return null;
  return (
    <section>
      <h3>{title}</h3>
      <ul class="shelf">
        {entries.map((entry) => (
          <li key={entry.id}>
            <button type="button" onClick={() => onLook(entry)}>
              <b>
                <span class="unseen">{lead.library.look} </span>
                {entry.title}
              </b>
              <span>{lead.library.minutes(entry.minutes)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}
