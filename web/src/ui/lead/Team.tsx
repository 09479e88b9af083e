import { computed, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { tell } from "../../a11y/announce";
import type { View } from "../../protocol";
import { nameEver, written } from "../../state/circle";
import { say } from "../../state/writing";
import { text } from "../../text/en";
import { lead } from "../../text/lead";
import { Dialog } from "../Dialog";

/** Longer is refused by the server (protocol.py). */
const MAX_SAID = 1_000;

const fromTeam = computed(() => written.value.filter(({ to }) => to === "team"));
/** How much of it has been seen in this tab. */
const seen = signal(0);
const draft = signal("");
/** Of this page only: a reload or a closed tab forgets them, and no server ever has them. */
const notes = signal("");

export const hasTeamNews = computed(() => fromTeam.value.length > seen.value);

/** The channel of those who help, and private notes. */
export function TeamWindow({ view, onClose }: { view: View; onClose(): void }) {
  const words = lead.team;
  const all = fromTeam.value;
  useEffect(() => {
    seen.value = all.length;
  }, [all.length]);
  const send = async () => {
    const said = draft.value.trim();
    if (said === "") return;
    const outcome = await say("team", said);
    if (outcome.kind === "done") draft.value = "";
    else if (outcome.kind === "refused") tell(text.code(outcome.code));
  };
  return (
    <Dialog title={words.title} onClose={onClose}>
      <p>{words.body}</p>
      <ul class="written" aria-live="polite">
        {all.length === 0 && <li>{words.nothing}</li>}
        {all.map(({ seat, text: said, at }) => (
          <li key={`${at} ${seat}`}>
            <b>{seat === view.you ? words.you : (nameEver(seat) ?? text.someone)}</b> {said}
          </li>
        ))}
      </ul>
      <form
        class="stack"
        onSubmit={(event) => {
          event.preventDefault();
          void send();
        }}
      >
        <label for="to-team">{words.label}</label>
        <input
          id="to-team"
          autocomplete="off"
          maxLength={MAX_SAID}
          value={draft}
          onInput={(event) => {
            draft.value = event.currentTarget.value;
          }}
        />
        <button type="submit">{words.send}</button>
      </form>
      <label class="stack">
        <b>{words.notesLabel}</b>
        <small>{words.notesHint}</small>
        <textarea
          rows={5}
          value={notes}
          onInput={(event) => {
            notes.value = event.currentTarget.value;
          }}
        />
      </label>
    </Dialog>
  );
}
