// What somebody who helps the circle can do now, read from the view: which one button matters, and
// which quiet ones there are. Nothing is asked or drawn here; what is permitted is the server's word, in `may`.

import type { Command } from "../net/socket";
import type { Fit, PlannedPhase, SheetWords, View } from "../protocol";
import { text } from "../text/en";
import { lead } from "../text/lead";
import { keys } from "../text/secrecy";
import { hushed } from "./hush";
import { isPractising } from "./practice";

/** What a button opens instead of sending a command. */
export type Opens =
  | "library"
  | "sheet"
  | "give"
  | "silence"
  | "cards"
  | "note"
  | "door"
  | "invite"
  | "team"
  | "start"
  | "lines"
  | "keys"
  | "end";

/** A button with its key. `main` stands out; there is never more than one of it. */
export interface Control {
  label: string;
  key: string;
  does: { command: Command } | { opens: Opens } | { inserts: string };
}

/** The grounding that is shipped with the server. */
const GROUNDING = "grounding";

export function titleOf(phase: PlannedPhase, words: SheetWords | null): string {
  const named = phase.words === null ? undefined : words?.phases[phase.words]?.title;
  return named || text.phase[phase.mode];
}

/** The phase that comes next in the run sheet, if any. */
export function nextIndex(view: View): number | null {
  if (!view.sheet) return null;
  const next = view.sheet.index === null ? 0 : view.sheet.index + 1;
  return next < view.sheet.phases.length ? next : null;
}

const command = (label: string, key: string, asked: Command): Control => ({
  label,
  key,
  does: { command: asked },
});
const opens = (label: string, key: string, what: Opens): Control => ({
  label,
  key,
  does: { opens: what },
});

/** The one thing to do next, or null when nothing calls for it. */
export function leadMain(view: View, words: SheetWords | null): Control | null {
  const may = (kind: string) => view.may.includes(kind);
  // Elsewhere with one person, or gone out for a moment: those pages have their own way back.
  if (view.waiting || view.quiet.with_you !== null || view.stepped_out) return null;
  if (view.safe) {
    return may("lift_safety") ? command(lead.main.goOn, "N", { kind: "lift_safety" }) : null;
  }
  if (may("resume_circle")) return command(lead.main.goOn, "P", { kind: "resume_circle" });
  if (view.pause_asked && may("pause_circle")) return pause(view, lead.main.pauseNow, "P");
  if (view.turn?.seat === view.you) return null;
  const { turn, turns_given, phase } = view;
  if (may("next_turn"))
    return command(turn ? lead.main.thank : lead.main.next, "N", {
      kind: "next_turn",
      turn: turns_given,
    });
  if (phase.over && view.phase.insert) return goBack(view);
  const givesFloor = phase.who === "speaker" && phase.mode !== "talk";
  if (givesFloor && !turn && !phase.over && canGive(view))
    return opens(lead.main.giveTo, "N", "give");
  return isBetween(view) ? whatComes(view, words) : null;
}

/** Nobody is in the middle of anything: open talk, or a part that is complete. */
const isBetween = ({ phase }: View) => phase.over || phase.number === 0 || phase.mode === "talk";

const canGive = (view: View) => view.seats.some((seat) => seat.may.includes("give_turn"));

function whatComes(view: View, words: SheetWords | null): Control | null {
  const may = (kind: string) => view.may.includes(kind);
  if (view.phase.insert) return openNext(view, words) ?? goBack(view);
  const next = openNext(view, words);
  if (next) return next;
  if (!view.sheet) return may("start_phase") ? opens(lead.main.choose, "N", "library") : null;
  return view.phase.over && may("end_circle") ? opens(lead.main.end, "N", "end") : null;
}

const goBack = (view: View): Control | null =>
  view.may.includes("return_to_phase")
    ? command(lead.main.return, "I", { kind: "return_to_phase", after: view.phase.number })
    : null;

/** Opens the next part of the run sheet. */
export function openNext(view: View, words: SheetWords | null): Control | null {
  const index = nextIndex(view);
  if (index === null || !view.may.includes("open_phase")) return null;
  const phase = view.sheet?.phases[index];
  if (!phase) return null;
  return command(lead.main.open(titleOf(phase, words)), "O", openAt(view, index));
}

export const openAt = (view: View, index: number): Command => ({
  kind: "open_phase",
  after: view.phase.number,
  index,
});

/** A pause; while a holder is silent it asks once more, because silence may be part of a turn. */
function pause(view: View, label: string, key: string): Control {
  return isSilentTurn(view, hushed.value)
    ? opens(label, key, "silence")
    : command(label, key, { kind: "pause_circle" });
}

/** Somebody else holds the piece and is not heard: not ready yet, or hushed for a while. */
export function isSilentTurn(view: View, isHushed: boolean): boolean {
  const { turn } = view;
  if (!turn || turn.seat === view.you) return false;
  const holder = view.seats.find((seat) => seat.id === turn.seat);
  return holder?.present === true && (isHushed || holder.mic !== "on");
}

/** What concerns the turn that runs. */
export function turnControls(view: View): Control[] {
  const turn = view.turns_given;
  return permitted(view, [
    command(lead.act.plus, "+", { kind: "extend", turn, by_ms: 60_000 }),
    command(lead.act.plus3, "3", { kind: "extend", turn, by_ms: 180_000 }),
    command(lead.act.hold, "H", { kind: "hold_clock", turn }),
    command(lead.act.release, "H", { kind: "release_clock", turn }),
    ...(view.turn?.seat === view.you
      ? []
      : [command(lead.act.signal, "G", { kind: "signal_gently", turn })]),
    command(lead.act.back, "B", { kind: "back", turn }),
  ]);
}

const start = opens(lead.act.start, "A", "start");

/** Without a plan and in the middle of nothing, beginning by hand is as near as choosing one. */
const isFree = (view: View) =>
  !view.sheet && isBetween(view) && !view.turn && view.may.includes("start_phase");

/** Links for others; nobody comes to a circle that is for practising. */
const invites = (view: View): Control[] =>
  view.may.includes("end_circle") && !isPractising() ? [opens(keys.invite, "U", "invite")] : [];

/** The key of the other answer to who asks for a pause. */
export const NO_PAUSE = "V";

/** What concerns everybody, and the ways to the rest. knocks: who waits at the door. */
export function circleControls(view: View, hasTeamNews: boolean): Control[] {
  const knocks = view.seats.filter((seat) => seat.waiting).length;
  const asks = view.pause_asked && view.may.includes("pause_circle");
  return permitted(view, [
    ...(asks
      ? [command(lead.act.noPause, NO_PAUSE, { kind: "decline_pause" })]
      : view.may.includes("pause_circle")
        ? [pause(view, lead.act.pause, "P")]
        : []),
    ...(view.safe ? [] : [command(lead.act.safe, "S", { kind: "safe_room" })]),
    command(lead.act.callBack, "K", { kind: "call_back" }),
    ...[goBack(view)].filter((it) => it !== null),
    ...(view.may.includes("start_phase") ? [opens(lead.act.sheet, "R", "sheet")] : []),
    ...(isFree(view) ? [start] : []),
    ...(view.may.includes("close_door") || view.may.includes("open_door")
      ? [opens(knocks > 0 ? lead.act.knocks(knocks) : lead.act.door, "D", "door")]
      : []),
    ...(view.phase.number === 0 ? invites(view) : []),
    ...(view.may.includes("show_card") ? [opens(lead.act.cards, "C", "cards")] : []),
    ...(view.write.includes("team")
      ? [opens(hasTeamNews ? lead.act.teamNews : lead.act.team, "W", "team")]
      : []),
  ]);
}

/** What is needed now and then. */
export function moreControls(view: View): Control[] {
  const canInsert = view.may.includes("start_phase") && !view.phase.insert;
  const apart = view.phase.mode === "pairs" && !view.phase.over;
  const isUp = view.hands.includes(view.you);
  return permitted(view, [
    ...(view.may.includes("start_phase") && !isFree(view) ? [start] : []),
    ...(canInsert && !apart
      ? [{ label: lead.act.insert, key: "I", does: { inserts: GROUNDING } }]
      : []),
    ...(view.may.includes("note_content") ? [opens(lead.act.note, "T", "note")] : []),
    isUp
      ? command(lead.act.handDown, "M", { kind: "lower_hand" })
      : command(lead.act.hand, "M", { kind: "raise_hand" }),
    ...(view.phase.number === 0 ? [] : invites(view)),
    opens(text.lines.button, "L", "lines"),
    opens(lead.act.keys, "?", "keys"),
    ...(view.may.includes("end_circle") ? [opens(lead.act.end, "E", "end")] : []),
  ]);
}

/** Of controls that send a command, those the server would not refuse. */
function permitted(view: View, all: Control[]): Control[] {
  return all.filter(({ does }) => {
    if (!("command" in does)) return true;
    const { kind } = does.command;
    // One's own hand can always come down again.
    return kind === "lower_hand" || view.may.includes(kind);
  });
}

/** Everything that has a key now, each key once; the main button comes first. */
export function allControls(view: View, words: SheetWords | null, hasTeamNews = false): Control[] {
  const main = leadMain(view, words);
  const all = [
    ...(main ? [main] : []),
    ...turnControls(view),
    ...circleControls(view, hasTeamNews),
    ...[openNext(view, words)].filter((it) => it !== null),
    ...moreControls(view),
  ];
  return all.filter((one, index) => all.findIndex(({ key }) => key === one.key) === index);
}

/** How many people a turn is for, in the words beside the fit. */
export function peopleInTurns(view: View): number {
  const outside = new Set(["interpreter", "listener"]);
  return view.seats.filter((seat) => !seat.waiting && !seat.roles.some((r) => outside.has(r)))
    .length;
}

/** Phases still to come whose plan does not fit the people who are here. */
export function misfits(view: View): Fit[] {
  const now = view.sheet?.index ?? -1;
  return view.fit.filter(
    ({ index, shorter_ms, two_circles }) => index > now && (shorter_ms !== null || two_circles),
  );
}

/** Whether people notice how long a turn is in this mode. */
export const hasTurns = ({ mode }: PlannedPhase) =>
  mode === "round" || mode === "queue" || mode === "pairs";

/** The next length of a turn, up or down, in steps that people think in. */
export function stepTurn(ms: number, up: boolean): number {
  const step = ms < 60_000 || (ms === 60_000 && !up) ? 15_000 : ms < 300_000 ? 30_000 : 60_000;
  return Math.max(15_000, Math.min(3_600_000, ms + (up ? step : -step)));
}

export function stepLength(ms: number, up: boolean): number {
  const step = ms < 5 * 60_000 || (ms === 5 * 60_000 && !up) ? 60_000 : 5 * 60_000;
  return Math.max(60_000, Math.min(7_200_000, ms + (up ? step : -step)));
}
