import type { ComponentChildren } from "preact";
import type { View } from "../protocol";
import { type Names, nameOf } from "../state/reading";
import { text } from "../text/en";
import { Act } from "./Act";
import { HelpInACrisis } from "./TopBar";

const words = text.sign;

/** What somebody should know or answer now: cards, a hard topic, an offer of a quiet word. */
export function Signs({ view, names }: { view: View; names: Names }) {
  const { card, your_card, note, quiet } = view;
  return (
    <div class="signs">
      {view.holding && (
        <Sign head={view.turn ? words.holding : words.help}>
          <HelpInACrisis />
        </Sign>
      )}
      {quiet.asked_by.map((seat) => (
        <Sign key={seat} head={words.asks(nameOf(seat, view, names))} sub={words.asksSub}>
          <Act command={{ kind: "accept_quiet", seat }}>{words.accept}</Act>
          <Act command={{ kind: "decline_quiet", seat }} class="quiet">
            {words.decline}
          </Act>
        </Sign>
      ))}
      {quiet.asked && (
        <Sign head={words.asked(quiet.to && nameOf(quiet.to, view, names))}>
          <Act command={{ kind: "decline_quiet", seat: view.you }} class="quiet">
            {words.takeBack}
          </Act>
        </Sign>
      )}
      {your_card && (
        <Sign small={words.yourCard} head={text.card[your_card]}>
          <Act command={{ kind: "put_away_card" }} class="quiet">
            {words.putAway}
          </Act>
        </Sign>
      )}
      {card && <Sign small={words.card} head={text.card[card]} />}
      {note && <Note view={view} note={note} names={names} />}
    </div>
  );
}

function Note({
  view,
  note,
  names,
}: {
  view: View;
  note: NonNullable<View["note"]>;
  names: Names;
}) {
  const isMine = note.seat === view.you;
  const topic = text.topic[note.topic];
  const head = isMine ? words.yourNote(topic) : words.note(nameOf(note.seat, view, names), topic);
  return (
    <Sign head={head} {...(isMine ? {} : { sub: words.noteStep })}>
      {!isMine && view.may.includes("step_out") && (
        <Act command={{ kind: "step_out" }}>{words.stepOut}</Act>
      )}
      {view.may.includes("end_note") && (
        <Act command={{ kind: "end_note" }} class="quiet">
          {words.noteOver}
        </Act>
      )}
    </Sign>
  );
}

interface SignProps {
  small?: string;
  head: string;
  sub?: string;
  children?: ComponentChildren;
}

function Sign({ small, head, sub, children }: SignProps) {
  return (
    <section class="sign">
      {small && <small>{small}</small>}
      <p>
        <b>{head}</b>
      </p>
      {sub && <small>{sub}</small>}
      {children && <div class="row">{children}</div>}
    </section>
  );
}
