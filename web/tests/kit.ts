// A circle for tests: Fay facilitates; Ana, Ben and Cleo sit.

import type { PhaseView, SeatView, Show, TurnView, View } from "../src/protocol";

export const names = {
  s1: { name: "Fay", color: "sage" },
  s2: { name: "Ana", color: "rose" },
  s3: { name: "Ben", color: "sky" },
  s4: { name: "Cleo", color: "clay" },
} as const;

export function seat(id: string, changes: Partial<SeatView> = {}): SeatView {
  return {
    id,
    roles: id === "s1" ? ["facilitator"] : [],
    present: true,
    mic: "off",
    camera: "off",
    hand: false,
    apart: false,
    waiting: false,
    veiled: false,
    may: [],
    ...changes,
  };
}

export function turn(of: string, changes: Partial<TurnView> = {}): TurnView {
  return {
    number: 1,
    seat: of,
    given_ms: 180_000,
    remaining_ms: 120_000,
    running: true,
    ready: true,
    held: false,
    stage: null,
    timeout: "soft",
    fades_at_ms: null,
    welcomes: false,
    response: false,
    ...changes,
  };
}

/** Settling in, with changes. */
export function phase(changes: Partial<PhaseView> = {}): PhaseView {
  return {
    number: 0,
    mode: "talk",
    order: "list",
    who: "all",
    passes: ["later"],
    crosstalk: "none",
    chat: "off",
    mics: "holder",
    timeout: "soft",
    turn_ms: 180_000,
    length_ms: null,
    remaining_ms: null,
    over: false,
    ran_out: false,
    line: 0,
    lines: 0,
    words: null,
    insert: false,
    ...changes,
  };
}

/** What Ana sees in open talk before the first phase, with changes. */
export function view(changes: Partial<View> = {}): View {
  return {
    you: "s2",
    now: 0,
    waiting: false,
    phase: phase(),
    sheet: null,
    fit: [],
    seats: ["s1", "s2", "s3", "s4"].map((id) => seat(id)),
    order: [],
    turn: null,
    turns_given: 0,
    before_you: null,
    hands: [],
    pair: null,
    quiet: { with_you: null, asked_by: [], asked: false, to: null },
    stepped_out: false,
    card: null,
    your_card: null,
    covered: null,
    note: null,
    pause_asked: false,
    paused: false,
    safe: false,
    holding: false,
    door: "open",
    door_closes_in_ms: null,
    removed: [],
    write: [],
    may: ["set_mic", "set_camera", "raise_hand"],
    ...changes,
  };
}

/** Fay has spoken, Ben speaks, then Cleo, then Ana. */
export function round(changes: Partial<View> = {}): View {
  return view({
    phase: phase({ number: 1, mode: "round" }),
    seats: [seat("s1"), seat("s2"), seat("s3", { mic: "on" }), seat("s4")],
    order: [
      { seat: "s1", progress: "spoke" },
      { seat: "s3", progress: "speaking" },
      { seat: "s4", progress: "waiting" },
      { seat: "s2", progress: "waiting" },
    ],
    turn: turn("s3"),
    turns_given: 2,
    before_you: 1,
    may: ["set_camera", "raise_hand"],
    ...changes,
  });
}

export function frame(of: View, seq = 1): Show {
  return { kind: "view", seq, view: of, profiles: { ...names }, notices: [] };
}
