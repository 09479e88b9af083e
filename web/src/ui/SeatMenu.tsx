import { useSignal } from "@preact/signals";
import type { Command } from "../net/socket";
import type { SeatView, View } from "../protocol";
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

/** What a facilitator may do for one person. */
export function SeatMenu({ seat, view, names, onClose }: Props) {
  const isSure = useSignal(false);
  const words = text.facilitator;
  const name = nameOf(seat.id, view, names);
  const may = (kind: string) => seat.may.includes(kind);
  const remove: Command = { kind: "remove", seat: seat.id };
  if (isSure.value) {
    return (
      <Dialog title={words.removeTitle(name)} closing={text.cancel} onClose={onClose}>
        <p>{words.removeBody}</p>
        <Act command={remove} onDone={onClose}>
          {words.removeYes}
        </Act>
      </Dialog>
    );
  }
  const role = seat.role === "member" ? ("co-facilitator" as const) : ("member" as const);
  const choices: [string, Command][] = [
    [words.give, { kind: "give_turn", turn: view.turns_given, seat: seat.id }],
    [words.lowerHand, { kind: "lower_hand", seat: seat.id }],
    [words.holdMic, { kind: "hold_mic", seat: seat.id }],
    [words.releaseMic, { kind: "release_mic", seat: seat.id }],
    [words.cover, { kind: "cover_camera", seat: seat.id }],
    [words.uncover, { kind: "uncover_camera", seat: seat.id }],
    [
      role === "member" ? words.makeMember : words.makeCo,
      { kind: "set_role", seat: seat.id, role },
    ],
  ];
  return (
    <Dialog title={name} onClose={onClose}>
      <div class="stack">
        {choices
          .filter(([, command]) => may(command.kind))
          .map(([label, command]) => (
            <Act key={label} command={command} onDone={onClose}>
              {label}
            </Act>
          ))}
        {may("remove") && (
          <button
            type="button"
            onClick={() => {
              isSure.value = true;
            }}
          >
            {words.remove}
          </button>
        )}
      </div>
    </Dialog>
  );
}
