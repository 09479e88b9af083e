import { useSignal } from "@preact/signals";
import type { Command } from "../net/socket";
import type { Reason, SeatView, View } from "../protocol";
import { leadsIn, type Names, nameOf } from "../state/reading";
import { text } from "../text/en";
import { lead } from "../text/lead";
import { person } from "../text/people";
import { Act } from "./Act";
import { Dialog } from "./Dialog";
import { Cards } from "./lead/Cards";
import { HandOver, Roles } from "./lead/Roles";

interface Props {
  seat: SeatView;
  view: View;
  names: Names;
  onClose(): void;
}

type Step = "menu" | "remove" | "cover" | "card" | "roles" | "hand over";
type Choice = [label: string, does: Command | Step];

/** What the server lets the viewer do for this seat, in words. */
export function choices(seat: SeatView, view: View): Choice[] {
  const { id } = seat;
  const isMine = id === view.you;
  const all: [string, string, Command | Step][] = [
    ["give_turn", person.give, { kind: "give_turn", turn: view.turns_given, seat: id }],
    ["admit", person.admit, { kind: "admit", seat: id }],
    ["readmit", person.readmit, { kind: "readmit", seat: id }],
  ];
  const others: [string, string, Command | Step][] = [
    ["lower_hand", person.lowerHand, { kind: "lower_hand", seat: id }],
    ["hold_mic", person.holdMic, { kind: "hold_mic", seat: id }],
    ["release_mic", person.releaseMic, { kind: "release_mic", seat: id }],
    ["cover_camera", person.cover, "cover"],
    ["uncover_camera", person.uncover, { kind: "uncover_camera", seat: id }],
    ["stop_share", person.endScreen, { kind: "stop_share", seat: id }],
    ["show_card", person.card, "card"],
    ["withdraw_card", person.withdraw, { kind: "withdraw_card", seat: id }],
    [
      "offer_quiet",
      leadsIn(view) ? person.quiet : text.need.quiet,
      { kind: "offer_quiet", seat: id },
    ],
    ["move_to_waiting", person.waiting, { kind: "move_to_waiting", seat: id }],
    ["set_roles", person.handOver, "hand over"],
    ["remove", person.remove, "remove"],
  ];
  const roles: [string, string, Command | Step][] = [["set_roles", person.roles, "roles"]];
  const mine = isMine
    ? [...all, ...roles]
    : [...all, ...others.slice(0, -2), ...roles, ...others.slice(-2)];
  return mine
    .filter(([kind]) => seat.may.includes(kind))
    .map(([, label, does]): Choice => [label, does]);
}

/** What somebody who helps may do for one person. */
export function SeatMenu({ seat, view, names, onClose }: Props) {
  const step = useSignal<Step>("menu");
  const name = nameOf(seat.id, view, names);
  switch (step.value) {
    case "remove":
      return <Sure seat={seat} name={name} onClose={onClose} />;
    case "cover":
      return <Cover seat={seat} name={name} onClose={onClose} />;
    case "card":
      return (
        <Cards
          key="card"
          view={view}
          seat={seat.id}
          title={person.cardTitle(name)}
          hint={lead.cards.one(name)}
          onClose={onClose}
        />
      );
    case "roles":
      return <Roles key="roles" seat={seat} name={name} onClose={onClose} />;
    case "hand over":
      return <HandOver key="hand over" seat={seat} name={name} onClose={onClose} />;
  }
  return (
    <Dialog key="menu" title={name} onClose={onClose}>
      <div class="stack">
        {choices(seat, view).map(([label, does]) =>
          typeof does === "string" ? (
            <button
              key={label}
              type="button"
              onClick={() => {
                step.value = does;
              }}
            >
              {label}
            </button>
          ) : (
            <Act key={label} command={does} onDone={onClose}>
              {label}
            </Act>
          ),
        )}
      </div>
    </Dialog>
  );
}

interface AboutOne {
  seat: SeatView;
  name: string;
  onClose(): void;
}

function Sure({ seat, name, onClose }: AboutOne) {
  return (
    <Dialog key="remove" title={person.removeTitle(name)} closing={text.cancel} onClose={onClose}>
      <p>{person.removeBody}</p>
      <Act command={{ kind: "remove", seat: seat.id }} onDone={onClose}>
        {person.removeYes}
      </Act>
    </Dialog>
  );
}

function Cover({ seat, name, onClose }: AboutOne) {
  return (
    <Dialog key="cover" title={person.coverTitle(name)} closing={text.cancel} onClose={onClose}>
      <p>{person.coverBody(name)}</p>
      <div class="stack">
        {(Object.entries(person.reason) as [Reason, string][]).map(([reason, words]) => (
          <Act
            key={reason}
            command={{ kind: "cover_camera", seat: seat.id, reason }}
            onDone={onClose}
          >
            {words}
          </Act>
        ))}
      </div>
    </Dialog>
  );
}
