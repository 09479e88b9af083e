import type { ComponentChildren } from "preact";
import type { Command } from "../../net/socket";
import type { View } from "../../protocol";
import { nameEver, profiles, shown } from "../../state/circle";
import { nameOf } from "../../state/reading";
import { text } from "../../text/en";
import { lead } from "../../text/lead";
import { Act } from "../Act";
import { Dialog } from "../Dialog";

interface Props {
  view: View;
  onClose(): void;
}

const LATER = [5, 10, 15] as const;

/** The door, who waits at it, and who was removed today. */
export function DoorWindow({ view, onClose }: Props) {
  const words = lead.door;
  const may = (kind: string) => view.may.includes(kind);
  const closing = view.door_closes_in_ms;
  return (
    <Dialog title={words.title} onClose={onClose}>
      <p>
        {words.state[view.door]} {closing !== null && words.closing(closing)}
      </p>
      <div class="row">
        {may("open_door") && (view.door !== "open" || closing !== null) && (
          <Act command={{ kind: "open_door" }}>{words.open}</Act>
        )}
        {may("ask_at_door") && view.door !== "ask" && (
          <Act command={{ kind: "ask_at_door" }}>{words.ask}</Act>
        )}
        {may("close_door") && view.door !== "closed" && (
          <>
            <Act command={close(0)}>{words.close}</Act>
            {LATER.map((minutes) => (
              <Act key={minutes} command={close(minutes)}>
                {words.closeIn(minutes)}
              </Act>
            ))}
          </>
        )}
      </div>
      <small>{words.back}</small>
      <Waiting view={view} />
      <Removed view={view} />
    </Dialog>
  );
}

const close = (minutes: 0 | 5 | 10 | 15): Command => ({
  kind: "close_door",
  after_ms: (minutes * 60_000) as 0 | 300_000 | 600_000 | 900_000,
});

function Waiting({ view }: { view: View }) {
  const waiting = view.seats.filter((seat) => seat.waiting);
  return (
    <Listed title={lead.door.waiting}>
      {waiting.length === 0 && <p>{lead.door.nobody}</p>}
      {waiting.map(({ id }) => (
        <Act key={id} command={{ kind: "admit", seat: id }}>
          {lead.door.admit(nameOf(id, view, profiles.value))}
        </Act>
      ))}
    </Listed>
  );
}

function Removed({ view }: { view: View }) {
  const links = shown.value?.links ?? {};
  if (view.removed.length === 0) return null;
  return (
    <Listed title={lead.door.removed}>
      {view.removed.map((seat) => (
        <div key={seat} class="stack">
          <Act command={{ kind: "take_back_removal", seat }}>
            {lead.door.letBack(nameEver(seat) ?? text.someone)}
          </Act>
          {links[seat] && <small>{lead.door.code(links[seat])}</small>}
        </div>
      ))}
    </Listed>
  );
}

function Listed({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section class="stack">
      <h3>{title}</h3>
      {children}
    </section>
  );
}
