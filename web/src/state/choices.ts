// What this person can do now, of what the server permits: one main action, and quiet ones beside
// it. Pure functions.

import type { Command } from "../net/socket";
import type { SeatView, View } from "../protocol";
import { text } from "../text/en";
import { isApart, seatOf } from "./reading";

/** name: one's turn ends by naming who is next. mic: on and off, in open talk. */
export type MainAction = "ready" | "done" | "name" | "mic" | "raise" | "lower" | null;

/** The one button that matters now for this person. */
export function mainAction(view: View): MainAction {
  const seat = seatOf(view, view.you);
  if (!seat) return null;
  const may = (kind: string) => view.may.includes(kind);
  if (view.turn?.seat === view.you && may("pass_turn")) {
    if (seat.mic === "off" && may("set_mic")) return "ready";
    return namesNext(view).length > 0 ? "name" : "done";
  }
  if (view.pair?.speaker === view.you && seat.mic === "off" && may("set_mic")) return "ready";
  if (may("set_mic") && seat.mic !== "held") return "mic";
  if (isApart(view)) return null;
  if (seat.hand) return "lower";
  return may("raise_hand") ? "raise" : null;
}

/** Whom one may name to come next. */
export const namesNext = (view: View): SeatView[] =>
  view.seats.filter((seat) => seat.may.includes("name_next"));

export interface Choice {
  label: string;
  command: Command;
}

/** What else may be done with one's own turn. */
export function turnChoices(view: View): Choice[] {
  if (view.turn?.seat !== view.you) return [];
  const turn = view.turns_given;
  const main = mainAction(view);
  const { welcomes } = view.turn;
  const all: Choice[] = [
    {
      label: main === "ready" ? text.act.passUnspoken : text.act.done,
      command: { kind: "pass_turn", turn },
    },
    { label: text.act.later, command: { kind: "later", turn } },
    { label: text.act.toAnyone, command: { kind: "pass_to_anyone", turn } },
    { label: text.act.firstNext, command: { kind: "first_next_round", turn } },
    {
      label: welcomes ? text.act.unwelcome : text.act.welcome,
      command: { kind: "welcome_responses", turn, on: !welcomes },
    },
  ];
  return all.filter(
    ({ command }) =>
      view.may.includes(command.kind) && !(main === "done" && command.kind === "pass_turn"),
  );
}

export interface Wish {
  label: string;
  hint: string;
  command: Command | "note";
}

/** What one may ask for oneself at any time. */
export function wishes(view: View): Wish[] {
  const words = text.need;
  const may = (kind: string) => view.may.includes(kind);
  const listens = seatOf(view, view.you)?.roles.includes("listener") ?? false;
  const all: (Wish | false)[] = [
    may("step_out") &&
      !view.stepped_out && {
        label: words.stepOut,
        hint: words.stepOutHint,
        command: { kind: "step_out" },
      },
    may("offer_quiet") &&
      !view.quiet.asked && {
        label: words.quiet,
        hint: words.quietHint,
        command: { kind: "offer_quiet" },
      },
    may("ask_pause") &&
      !may("pause_circle") &&
      !view.paused && {
        label: words.pause,
        hint: words.pauseHint,
        command: { kind: "ask_pause" },
      },
    may("note_content") && { label: words.note, hint: words.noteHint, command: "note" },
    may("listen_only") && {
      label: listens ? words.speak : words.listen,
      hint: listens ? words.speakHint : words.listenHint,
      command: { kind: "listen_only", on: !listens },
    },
  ];
  return all.filter((wish) => wish !== false);
}
