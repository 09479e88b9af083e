import { useSignal } from "@preact/signals";
import type { Command } from "../net/socket";
import type { Role, SeatView, View } from "../protocol";
import { leadsBy } from "../state/circle";
import { type Names, nameOf } from "../state/reading";
import { text } from "../text/en";
import { Act } from "./Act";
import { Dialog } from "./Dialog";

interface Props {
  seat: SeatView;
  view: View;
  names: Names;
  onClose(): void;
}

type Choice = [label: string, command: Command];

/** What the server lets the viewer do for this seat, in words. For oneself only the turn is left. */
export function choices(seat: SeatView, view: View): Choice[] {
  const words = text.facilitator;
  const { id } = seat;
  const roles: Role[] = leadsBy(seat) ? [] : ["co-facilitator"];
  const all: Choice[] = [
    [words.give, { kind: "give_turn", turn: view.turns_given, seat: id }],
    [words.lowerHand, { kind: "lower_hand", seat: id }],
    [words.holdMic, { kind: "hold_mic", seat: id }],
    [words.releaseMic, { kind: "release_mic", seat: id }],
    [words.cover, { kind: "cover_camera", seat: id }],
    [words.uncover, { kind: "uncover_camera", seat: id }],
    [roles.length > 0 ? words.makeCo : words.makeMember, { kind: "set_roles", seat: id, roles }],
    [words.remove, { kind: "remove", seat: id }],
  ];
  const mine = (kind: string) => id !== view.you || kind === "give_turn";
  return all.filter(([, { kind }]) => seat.may.includes(kind) && mine(kind));
}

/** What a facilitator may do for one person. */
export function SeatMenu({ seat, view, names, onClose }: Props) {
  const sure = useSignal<Command | null>(null);
  const words = text.facilitator;
  const name = nameOf(seat.id, view, names);
  if (sure.value) {
    return (
      <Dialog key="sure" title={words.removeTitle(name)} closing={text.cancel} onClose={onClose}>
        <p>{words.removeBody}</p>
        <Act command={sure.value} onDone={onClose}>
          {words.removeYes}
        </Act>
      </Dialog>
    );
  }
  return (
    <Dialog key="menu" title={name} onClose={onClose}>
      <div class="stack">
        {choices(seat, view).map(([label, command]) =>
          command.kind === "remove" ? (
            <button
              key={label}
              type="button"
              onClick={() => {
                sure.value = command;
              }}
            >
              {label}
            </button>
          ) : (
            <Act key={label} command={command} onDone={onClose}>
              {label}
            </Act>
          ),
        )}
      </div>
    </Dialog>
  );
}
