import { describe, expect, test } from "vitest";
import type { PlannedPhase, SheetWords, View } from "../src/protocol";
import { Hush, hushed } from "../src/state/hush";
import {
  allControls,
  type Control,
  circleControls,
  leadMain,
  misfits,
  moreControls,
  peopleInTurns,
  stepLength,
  stepTurn,
  titleOf,
  turnControls,
} from "../src/state/lead";
import { fileName } from "../src/state/sheets";
import { lead, lengthWords } from "../src/text/lead";
import { phase, round, seat, turn, view } from "./kit";

const LEADING =
  "raise_hand start_phase open_phase pause_circle safe_room lift_safety decline_pause show_card note_content open_door ask_at_door close_door end_circle change_phase".split(
    " ",
  );
const IN_A_TURN = [...LEADING, "next_turn", "extend", "hold_clock", "signal_gently", "back"];

function planned(changes: Partial<PlannedPhase> = {}): PlannedPhase {
  return {
    mode: "round",
    order: "list",
    who: "all",
    timeout: "soft",
    turn_ms: 180_000,
    length_ms: 2_400_000,
    optional: false,
    words: null,
    ...changes,
  };
}

const words: SheetWords = {
  kind: "sheet",
  id: "check-in",
  title: "Check-in",
  source: "",
  phases: [{ title: "Welcome" }, { title: "How do you arrive?" }],
};
const sheet = (index: number | null) => ({
  id: "check-in",
  index,
  phases: [planned({ mode: "talk", words: 0 }), planned({ words: 1 })],
});

/** What Fay sees, who leads. */
const fay = (changes: Partial<View> = {}) =>
  view({ you: "s1", may: LEADING, write: ["all", "facilitators", "team"], ...changes });
const inRound = (changes: Partial<View> = {}) =>
  round({ you: "s1", may: IN_A_TURN, write: ["team"], ...changes });
const main = (of: View) => leadMain(of, words);
const label = (control: Control | null) => control?.label ?? null;

describe("the one main button of whoever leads", () => {
  test("is to choose a plan while there is none, and then to open its parts by name", () => {
    expect(main(fay())).toMatchObject({ does: { opens: "library" } });
    expect(label(main(fay({ sheet: sheet(null) })))).toBe("Open: Welcome");
    const welcome = phase({ number: 1, words: 0 });
    const next = main(fay({ sheet: sheet(0), phase: welcome }));
    expect(next?.label).toBe("Open: How do you arrive?");
    expect(next?.does).toEqual({ command: { kind: "open_phase", after: 1, index: 1 } });
  });

  test("is to thank and pass while somebody has the piece, and else to ask the next", () => {
    expect(label(main(inRound()))).toBe("Thank and pass");
    expect(label(main(inRound({ turn: null })))).toBe("Next person");
  });

  test("is left to their own turn, and rests while they are with one person", () => {
    expect(main(inRound({ turn: turn("s1") }))).toBeNull();
    const quiet = { with_you: "s2", asked_by: [], asked: false, to: null };
    expect(main(fay({ quiet }))).toBeNull();
    expect(main(fay({ stepped_out: true }))).toBeNull();
  });

  test("is to go on while the circle is paused or safe", () => {
    const paused = inRound({ paused: true, may: ["resume_circle", "lift_safety"] });
    expect(main(paused)?.does).toEqual({ command: { kind: "resume_circle" } });
    expect(main(inRound({ safe: true }))?.does).toEqual({ command: { kind: "lift_safety" } });
  });

  test("is the pause that somebody asks for; the other answer stands beside it", () => {
    const asked = fay({ pause_asked: true });
    expect(label(main(asked))).toBe("Pause now");
    expect(circleControls(asked, false).map(label)).toContain("Go on without a pause");
    expect(circleControls(asked, false).map(label)).not.toContain("Pause");
  });

  test("asks whom to give the turn to where the plan has a speaker", () => {
    const speaking = phase({ number: 2, mode: "round", who: "speaker" });
    const may = LEADING;
    const seats = [seat("s1"), seat("s2", { may: ["give_turn"] })];
    expect(main(fay({ phase: speaking, seats, may }))).toMatchObject({ does: { opens: "give" } });
  });

  test("is nothing in a silence, in pairs and while a queue waits for hands", () => {
    for (const mode of ["silence", "pairs", "queue"] as const)
      expect(main(fay({ sheet: sheet(0), phase: phase({ number: 1, mode }) }))).toBeNull();
  });

  test("leads back after a grounding, and to the end after the last part", () => {
    const may = [...LEADING, "return_to_phase"];
    const insert = phase({ number: 4, mode: "silence", over: true, insert: true });
    expect(main(fay({ phase: insert, sheet: sheet(1), may }))?.does).toMatchObject({
      command: { kind: "return_to_phase" },
    });
    const last = phase({ number: 3, mode: "round", over: true });
    expect(main(fay({ phase: last, sheet: sheet(1) }))).toMatchObject({ does: { opens: "end" } });
  });

  test("does not exist for who may do nothing", () => {
    expect(main(view())).toBeNull();
  });
});

describe("the quiet buttons", () => {
  test("are only those the server permits", () => {
    expect(turnControls(inRound()).map(label)).toEqual([
      "+1 min",
      "+3 min",
      "Hold clock",
      "Gentle signal",
      "Back",
    ]);
    expect(turnControls(inRound({ may: ["extend", "release_clock"] })).map(label)).toEqual([
      "+1 min",
      "+3 min",
      "Run clock",
    ]);
  });

  test("show a timekeeper, a guardian and a greeter just theirs", () => {
    const of = (may: string[]) =>
      circleControls(fay({ may: [...may, "raise_hand"], write: ["team"] }), false).map(label);
    expect(of(["next_turn", "extend"])).toEqual(["Team…"]);
    expect(of(["pause_circle", "safe_room"])).toEqual(["Pause", "Safe the room", "Team…"]);
    expect(of(["open_door", "close_door"])).toEqual(["Door…", "Team…"]);
    expect(moreControls(fay({ may: ["raise_hand"] })).map(label)).toEqual([
      "Raise my hand",
      "Connection…",
      "Keys…",
    ]);
  });

  test("let who leads invite: at hand before the first part, else among the rest", () => {
    const invites = (all: { label: string }[]) =>
      all.some((each) => each.label.startsWith("Invite"));
    expect(invites(circleControls(fay({ may: ["end_circle"] }), false))).toBe(true);
    expect(invites(moreControls(fay({ may: ["end_circle"] })))).toBe(false);
    const later = inRound({ may: ["end_circle"] });
    expect(invites(circleControls(later, false))).toBe(false);
    expect(invites(moreControls(later))).toBe(true);
    expect(invites(moreControls(inRound({ may: ["next_turn"] })))).toBe(false);
  });

  test("count who waits at the door", () => {
    const seats = [seat("s1"), seat("s2", { waiting: true }), seat("s3", { waiting: true })];
    expect(circleControls(fay({ seats }), false).map(label)).toContain("Door: 2 wait…");
  });

  test("ask once more before a pause into a silent turn", () => {
    const pause = (of: View) => circleControls(of, false).find(({ key }) => key === "P")?.does;
    const silent = [seat("s1"), seat("s2"), seat("s3"), seat("s4")];
    expect(pause(inRound({ seats: silent }))).toEqual({ opens: "silence" });
    expect(pause(inRound())).toEqual({ command: { kind: "pause_circle" } });
    hushed.value = true;
    expect(pause(inRound())).toEqual({ opens: "silence" });
    hushed.value = false;
  });

  test("have a key each, and no key twice", () => {
    const situations = [
      fay(),
      fay({ sheet: sheet(0), phase: phase({ number: 1 }) }),
      inRound(),
      inRound({ paused: true, may: [...LEADING, "resume_circle"] }),
      fay({ phase: phase({ number: 3, mode: "pairs" }), may: [...LEADING, "call_back"] }),
    ];
    for (const each of situations) {
      const keys = allControls(each, words).map(({ key }) => key);
      expect(new Set(keys).size).toBe(keys.length);
    }
    expect(allControls(inRound(), words).map(({ key }) => key)).toContain("S");
  });
});

describe("the plan and the people", () => {
  const fits = (index: number, shorter_ms: number | null, two_circles = false) => ({
    index,
    needed_ms: 2_640_000,
    length_ms: 2_400_000,
    turn_ms: 180_000,
    shorter_ms,
    two_circles,
  });

  test("a part that does not fit is told until it has begun", () => {
    const fit = [fits(0, null), fits(1, 150_000)];
    expect(misfits(fay({ sheet: sheet(null), fit })).map(({ index }) => index)).toEqual([1]);
    expect(misfits(fay({ sheet: sheet(1), fit }))).toEqual([]);
    expect(misfits(fay({ sheet: sheet(0), fit: [fits(1, null, true)] }))).toHaveLength(1);
  });

  test("who only listens, interprets or waits is not counted", () => {
    const seats = [
      seat("s1"),
      seat("s2", { roles: ["listener"] }),
      seat("s3", { roles: ["interpreter"] }),
      seat("s4", { waiting: true }),
      seat("s5"),
    ];
    expect(peopleInTurns(fay({ seats }))).toBe(2);
  });

  test("is said in words", () => {
    expect(lead.fit.needs(14, 180_000, 2_632_000, 2_400_000)).toBe(
      "14 people at 3 minutes need 44 minutes; this part has 40.",
    );
    expect(lead.fit.shorter(150_000)).toBe("Shorter turns of 2 minutes 30 would fit.");
    expect(lengthWords(45_000)).toBe("45 seconds");
    expect(lengthWords(60_000)).toBe("1 minute");
  });

  test("a part without words is called by its kind", () => {
    expect(titleOf(planned(), words)).toBe("Sharing round");
    expect(titleOf(planned({ words: 1 }), null)).toBe("Sharing round");
    expect(titleOf(planned({ words: 1 }), words)).toBe("How do you arrive?");
  });
});

test("who has the floor and is not heard for some seconds is hushed, until the next sound", () => {
  const hush = new Hush();
  expect(hush.hear("turn 1", 0.5, 0)).toBe(false);
  expect(hush.hear("turn 1", 0.5, 4_000)).toBe(false);
  expect(hush.hear("turn 1", 0.50001, 6_000)).toBe(true);
  expect(hush.hear("turn 1", 0.6, 7_000)).toBe(false);
  expect(hush.hear("turn 2", 0.6, 30_000)).toBe(false);
  expect(hush.hear("turn 2", 0.6, 36_000)).toBe(true);
});

test("lengths go up and down in steps that come back to where they were", () => {
  for (const ms of [30_000, 60_000, 90_000, 180_000, 300_000, 600_000])
    expect(stepTurn(stepTurn(ms, true), false)).toBe(ms);
  for (const ms of [60_000, 240_000, 300_000, 1_800_000])
    expect(stepLength(stepLength(ms, true), false)).toBe(ms);
  expect(stepTurn(15_000, false)).toBe(15_000);
  expect(stepLength(60_000, false)).toBe(60_000);
});

test("a run sheet is saved under a name that every file system takes", () => {
  expect(fileName("Tuesday: “Sharing”, 2/3")).toBe("tuesday-sharing-2-3");
  expect(fileName("…")).toBe("run-sheet");
});
