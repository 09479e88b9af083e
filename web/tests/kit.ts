// A circle for tests: Fay facilitates; Ana, Ben and Cleo sit.

import type { SeatView, Show, TurnView, View } from "../src/protocol";

export const names = {
  s1: { name: "Fay", color: "sage" },
  s2: { name: "Ana", color: "rose" },
  s3: { name: "Ben", color: "sky" },
  s4: { name: "Cleo", color: "clay" },
} as const;

export function seat(id: string, changes: Partial<SeatView> = {}): SeatView {
  const role = id === "s1" ? "facilitator" : "member";
  return {
    id,
    role,
    present: true,
    mic: "off",
    camera: "off",
    hand: false,
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
    held: false,
    stage: null,
    timeout: "soft",
    fades_at_ms: null,
    ...changes,
  };
}

/** What Ana sees in open talk before the first phase, with changes. */
export function view(changes: Partial<View> = {}): View {
  return {
    you: "s2",
    now: 0,
    phase: { number: 0, mode: "talk", length_ms: null, remaining_ms: null, over: false },
    seats: ["s1", "s2", "s3", "s4"].map((id) => seat(id)),
    order: [],
    turn: null,
    turns_given: 0,
    before_you: null,
    hands: [],
    paused: false,
    door_open: true,
    may: ["set_mic", "set_camera", "raise_hand"],
    ...changes,
  };
}

/** Fay has spoken, Ben speaks, then Cleo, then Ana. */
export function round(changes: Partial<View> = {}): View {
  return view({
    phase: { number: 1, mode: "round", length_ms: null, remaining_ms: null, over: false },
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
