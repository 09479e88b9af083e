import { useSignal } from "@preact/signals";
import type { Card, NoteContent, Topic, View } from "../../protocol";
import { ask } from "../../state/visit";
import { text } from "../../text/en";
import { lead } from "../../text/lead";
import { Act } from "../Act";
import { Dialog } from "../Dialog";

const CARDS = Object.keys(lead.card) as Card[];
const TOPICS = Object.keys(text.topic) as Topic[];

interface Props {
  view: View;
  /** For one person alone; else for everybody. */
  seat?: string;
  title?: string;
  hint?: string;
  onClose(): void;
}

/** Reminders of what the group agreed: to all without a name, or to one in private. */
export function Cards({ view, seat, title, hint, onClose }: Props) {
  const words = lead.cards;
  const card = (which: Card) => ({ kind: "show_card" as const, card: which, seat: seat ?? null });
  return (
    <Dialog title={title ?? words.title} onClose={onClose}>
      <p>{hint ?? words.all}</p>
      {!seat && view.card && (
        <>
          <p>{words.shown(lead.card[view.card])}</p>
          <Act command={{ kind: "withdraw_card" }}>{words.withdraw}</Act>
        </>
      )}
      <div class="stack">
        {CARDS.map((each) => (
          <Act key={each} command={card(each)} class="tall" onDone={onClose}>
            <span>
              <b>{lead.card[each]}</b>
              <small>{text.card[each]}</small>
            </span>
          </Act>
        ))}
      </div>
    </Dialog>
  );
}

const MINUTES: NonNullable<NoteContent["minutes"]>[] = [2, 5, 10, 15];

/** Says what comes, from a list, so that who wants to may step out. */
export function HardTopic({ onClose }: { onClose(): void }) {
  const words = lead.cards;
  const topic = useSignal<Topic>("other");
  const minutes = useSignal<NonNullable<NoteContent["minutes"]>>(5);
  return (
    <Dialog title={words.note} onClose={onClose}>
      <p>{words.noteBody}</p>
      <fieldset class="topics">
        <legend>{words.about}</legend>
        {TOPICS.map((each) => (
          <label key={each} class="choice">
            <input
              type="radio"
              name="topic"
              checked={each === topic.value}
              onChange={() => {
                topic.value = each;
              }}
            />
            <span>{text.topic[each]}</span>
          </label>
        ))}
      </fieldset>
      <fieldset>
        <legend>{words.minutes}</legend>
        <div class="row">
          {MINUTES.map((each) => (
            <label key={each} class="pill">
              <input
                type="radio"
                name="minutes"
                checked={each === minutes.value}
                onChange={() => {
                  minutes.value = each;
                }}
              />
              {each}
            </label>
          ))}
        </div>
      </fieldset>
      <button
        type="button"
        class="main"
        onClick={() => {
          void ask({ kind: "note_content", topic: topic.value, minutes: minutes.value });
          onClose();
        }}
      >
        {words.say}
      </button>
    </Dialog>
  );
}
