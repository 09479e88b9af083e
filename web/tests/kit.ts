// A circle for tests: Fay facilitates; Ana, Ben and Cleo sit.

import type {
  PairView,
  PhaseView,
  SeatView,
  SheetWords,
  Show,
  TurnView,
  View,
} from "../src/protocol";

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
    sharing: null,
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

/** Ana and Ben are a pair. */
export function pairs(changes: Partial<PairView> = {}, may: string[] = []): View {
  return view({
    phase: phase({ number: 2, mode: "pairs", turn_ms: 300_000 }),
    pair: {
      with_you: ["s3"],
      step: "speak",
      speaker: "s3",
      remaining_ms: 300_000,
      running: true,
      steps_left: 3,
      ends_soon: false,
      ...changes,
    },
    may,
  });
}

export const sheet: SheetWords = {
  kind: "sheet",
  id: "small",
  title: "Small circle",
  source: "for tests",
  phases: [
    {
      title: "Opening words",
      lines: ["We are here to listen.", "What is said here stays here."],
    },
    { title: "How are you here?", words: "A few words are enough." },
    { title: "One word to go" },
  ],
};

/** The small circle's run sheet, at the part with this index. */
export function plan(
  index: number,
  { phase: now, ...changes }: Partial<Omit<View, "phase">> & { phase?: Partial<PhaseView> } = {},
): View {
  const planned = { order: "list", who: "all", timeout: "soft", turn_ms: 60_000 } as const;
  return view({
    phase: phase({ number: index + 1, mode: "round", words: index, ...now }),
    sheet: {
      id: sheet.id,
      index,
      phases: sheet.phases.map((_, words) => ({
        ...planned,
        mode: words === 0 ? "read" : "round",
        length_ms: 600_000,
        optional: false,
        words,
      })),
    },
    ...changes,
  });
}
