import { describe, expect, test } from "vitest";
import {
  mainAction,
  micWords,
  orderWords,
  phaseWords,
  seatWords,
  sentence,
} from "../src/state/reading";
import { names, phase, round, seat, turn, view } from "./kit";

const wordsFor = (of: Parameters<typeof sentence>[0]) => {
  const { head, sub } = sentence(of, names);
  return `${head}. ${sub}`;
};

describe("the sentence in the middle", () => {
  test("tells a listener who speaks and how many come before", () => {
    expect(wordsFor(round())).toBe("Ben is speaking. You are listening. One person before you.");
    expect(wordsFor(round({ before_you: 2 }))).toContain("Two people before you.");
    expect(wordsFor(round({ before_you: 0 }))).toContain("You are next.");
  });

  test("does not say that somebody speaks while the microphone is off", () => {
    const quiet = round({ seats: [seat("s1"), seat("s2"), seat("s3"), seat("s4")] });
    expect(wordsFor(quiet)).toContain("Ben has the piece");
  });

  test("says that a dropped speaker keeps the place", () => {
    const seats = [seat("s1"), seat("s2"), seat("s3", { present: false }), seat("s4")];
    expect(wordsFor(round({ seats }))).toContain("The place is kept");
  });

  test("asks the holder gently, and never hurries in a soft turn", () => {
    const mine = (changes = {}) =>
      round({ turn: turn("s2", { stage: "speaking", ...changes }), before_you: null });
    expect(wordsFor(mine())).toContain("It is your turn. Take your time.");
    expect(wordsFor(mine({ stage: "grace" }))).toContain("Finish in your own time.");
    expect(wordsFor(mine({ stage: "overdue" }))).toContain("Finish in your own time.");
    expect(wordsFor(mine({ stage: "grace", timeout: "firm" }))).toContain("move on softly");
    expect(wordsFor(mine({ held: true }))).toContain("The clock rests.");
    const quiet = { ...mine(), seats: [seat("s2", { mic: "held" })] };
    expect(wordsFor(quiet)).toContain("The facilitator holds your microphone");
  });

  test("tells the facilitator alone that time is up and who asked", () => {
    const late = round({ you: "s1", turn: turn("s3", { stage: "overdue" }), before_you: null });
    expect(wordsFor(late)).toContain("Ben is past the time. Thank and pass, add a minute");
    const asked = { hands: ["s4"], before_you: null };
    expect(wordsFor(round({ you: "s1", ...asked }))).toContain("Cleo asked for a turn.");
    expect(wordsFor(round(asked))).not.toContain("asked");
  });

  test("is calm in a pause, a silence and at the end", () => {
    expect(wordsFor(round({ paused: true }))).toContain("We pause for a moment");
    const silence = phase({ number: 2, mode: "silence", length_ms: 60_000, remaining_ms: 60_000 });
    expect(wordsFor(view({ phase: silence }))).toContain("Silence together");
    const over = phase({ number: 1, mode: "round", over: true });
    expect(wordsFor(round({ phase: over, turn: null }))).toContain("The round is complete");
    expect(phaseWords(round({ phase: over }))).toBe("The round is complete");
  });
});

test("the order says next, two before you, spoke, and that the away keep their place", () => {
  const words = orderWords(
    round({
      order: [
        { seat: "s1", progress: "spoke" },
        { seat: "s3", progress: "speaking" },
        { seat: "s4", progress: "waiting" },
        { seat: "s5", progress: "waiting" },
        { seat: "s6", progress: "waiting" },
        { seat: "s2", progress: "waiting" },
      ],
      seats: [
        seat("s1"),
        seat("s2"),
        seat("s3", { mic: "on" }),
        seat("s4"),
        seat("s5", { present: false }),
        seat("s6"),
      ],
    }),
  ).map(({ words }) => words);
  expect(words).toEqual(["spoke", "speaking", "next", "keeps the place", "", "two before you"]);
});

describe("the one main button", () => {
  const holding = (mic: "on" | "off" | "held", may: string[]) =>
    mainAction(round({ turn: turn("s2"), seats: [seat("s2", { mic })], may }), false);

  test("asks the holder to open the microphone, then to pass", () => {
    expect(holding("off", ["set_mic", "pass_turn"])).toBe("ready");
    expect(holding("on", ["set_mic", "pass_turn"])).toBe("pass");
    expect(holding("held", ["pass_turn"])).toBe("pass");
  });

  test("lets somebody who only listens pass at once", () => {
    const mine = round({ turn: turn("s2"), may: ["set_mic", "pass_turn"] });
    expect(mainAction(mine, true)).toBe("pass");
  });

  test("is the hand while listening and the microphone in open talk", () => {
    expect(mainAction(round(), false)).toBe("raise");
    const raised = round({ seats: [seat("s2", { hand: true })] });
    expect(mainAction(raised, false)).toBe("lower");
    expect(mainAction(view(), false)).toBe("mic");
    expect(mainAction(view(), true)).toBe("raise");
  });

  test("offers nothing that the server does not permit", () => {
    expect(mainAction(round({ may: [] }), false)).toBeNull();
  });
});

test("the microphone is told in words, and a held one is not told to other members", () => {
  expect(micWords(view(), false)).toBe("Mic waits for you");
  expect(micWords(round(), false)).toBe("Mic off");
  expect(micWords(view({ seats: [seat("s2", { mic: "on" })] }), false)).toBe("Mic on");
  const held = seat("s3", { mic: "held" });
  expect(seatWords(held, view())).toBe("");
  expect(seatWords(held, view({ you: "s1" }))).toBe("mic held");
});
