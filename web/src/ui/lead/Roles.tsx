import { useSignal } from "@preact/signals";
import type { Role, SeatView } from "../../protocol";
import { ask } from "../../state/visit";
import { text } from "../../text/en";
import { person } from "../../text/people";
import { Act } from "../Act";
import { Dialog } from "../Dialog";

interface Props {
  seat: SeatView;
  name: string;
  onClose(): void;
}

/** The facilitator's own role is not given here but handed over. */
const GIVEN = (Object.keys(person.role) as Role[]).filter((role) => role !== "facilitator");

export function Roles({ seat, name, onClose }: Props) {
  const chosen = useSignal<readonly Role[]>(seat.roles);
  return (
    <Dialog title={person.rolesTitle(name)} closing={text.cancel} onClose={onClose}>
      <p>{person.rolesBody}</p>
      {GIVEN.map((role) => (
        <label key={role} class="choice">
          <input
            type="checkbox"
            checked={chosen.value.includes(role)}
            onChange={(event) => {
              const rest = chosen.value.filter((each) => each !== role);
              chosen.value = event.currentTarget.checked ? [...rest, role] : rest;
            }}
          />
          <span>
            <b>{person.role[role][0]}</b>
            <small>{person.role[role][1]}</small>
          </span>
        </label>
      ))}
      <button
        type="button"
        class="main"
        onClick={() => {
          void ask({ kind: "set_roles", seat: seat.id, roles: [...chosen.value] });
          onClose();
        }}
      >
        {person.rolesSave}
      </button>
    </Dialog>
  );
}

/** Gives the circle into somebody else's hands; the one who gives stays co-facilitator. */
export function HandOver({ seat, name, onClose }: Props) {
  const roles: Role[] = [
    "facilitator",
    ...seat.roles.filter((role) => role !== "facilitator" && role !== "co-facilitator"),
  ];
  return (
    <Dialog title={person.handOverTitle(name)} closing={text.cancel} onClose={onClose}>
      <p>{person.handOverBody(name)}</p>
      <Act command={{ kind: "set_roles", seat: seat.id, roles }} onDone={onClose}>
        {person.handOverYes}
      </Act>
    </Dialog>
  );
}
