import type { View } from "../../protocol";
import { profiles } from "../../state/circle";
import { nameOf } from "../../state/reading";
import { lead } from "../../text/lead";
import { Act } from "../Act";
import { Connection } from "../Connection";
import { Dialog } from "../Dialog";
import { opened } from "./Button";
import { Cards, HardTopic } from "./Cards";
import { DoorWindow } from "./Door";
import { InviteWindow } from "./Invite";
import { KeysHelp } from "./Keys";
import { Library } from "./Library";
import { RunSheetWindow } from "./RunSheet";
import { Start } from "./Start";
import { TeamWindow } from "./Team";

/** The one window of the facilitator's side that is open, whichever button or key opened it. */
export function LeadWindows({ view }: { view: View }) {
  const open = opened.value;
  const close = () => {
    // A window tells a moment late that it has closed; by then a key may have opened another.
    if (opened.value === open) opened.value = null;
  };
  switch (open) {
    case "library":
      return <Library key="library" onClose={close} />;
    case "sheet":
      return <RunSheetWindow key="sheet" view={view} onClose={close} />;
    case "give":
      return <Give key="give" view={view} onClose={close} />;
    case "silence":
      return <Silence key="silence" view={view} onClose={close} />;
    case "cards":
      return <Cards key="cards" view={view} onClose={close} />;
    case "note":
      return <HardTopic key="note" onClose={close} />;
    case "door":
      return <DoorWindow key="door" view={view} onClose={close} />;
    case "invite":
      return <InviteWindow key="invite" onClose={close} />;
    case "team":
      return <TeamWindow key="team" view={view} onClose={close} />;
    case "start":
      return <Start key="start" view={view} onClose={close} />;
    case "lines":
      return <Connection key="lines" onClose={close} />;
    case "keys":
      return <KeysHelp key="keys" view={view} onClose={close} />;
    case "end":
      return <End key="end" onClose={close} />;
    default:
      return null;
  }
}

interface Props {
  view: View;
  onClose(): void;
}

/** Hands the floor to somebody by name; they can always pass. */
function Give({ view, onClose }: Props) {
  const who = view.seats.filter((seat) => seat.may.includes("give_turn"));
  return (
    <Dialog title={lead.giveTitle} onClose={onClose}>
      <p>{who.length > 0 ? lead.giveBody : lead.giveNobody}</p>
      <div class="stack">
        {who.map(({ id }) => (
          <Act
            key={id}
            command={{ kind: "give_turn", turn: view.turns_given, seat: id }}
            onDone={onClose}
          >
            {nameOf(id, view, profiles.value)}
          </Act>
        ))}
      </div>
    </Dialog>
  );
}

/** Before a pause into somebody's silence. */
function Silence({ view, onClose }: Props) {
  const name = view.turn ? nameOf(view.turn.seat, view, profiles.value) : "";
  return (
    <Dialog title={lead.silenceTitle} closing={lead.silenceWait} onClose={onClose}>
      <p>{lead.silenceBody(name)}</p>
      <Act command={{ kind: "pause_circle" }} onDone={onClose}>
        {lead.silencePause}
      </Act>
    </Dialog>
  );
}

/** The second of two steps. */
function End({ onClose }: { onClose(): void }) {
  return (
    <Dialog title={lead.end.title} closing={lead.end.no} onClose={onClose}>
      <p>{lead.end.body}</p>
      <Act command={{ kind: "end_circle" }} onDone={onClose}>
        {lead.end.yes}
      </Act>
    </Dialog>
  );
}
