import { describe, expect, test } from "vitest";
import { sentence } from "../src/state/sentence";
import { names, pairs, phase, round, seat, turn, view } from "./kit";

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
  });
});

describe("a turn of one's own", () => {
  const mine = (changes: Parameters<typeof turn>[1], rest: Parameters<typeof round>[0] = {}) =>
    wordsFor(round({ turn: turn("s2", changes), before_you: null, ...rest }));

  test("begins when its person is ready", () => {
    expect(mine({ ready: false })).toContain("Your time begins when you are ready.");
  });

  test("may be an answer, a line to read, or short because the time ran out", () => {
    expect(mine({ response: true })).toContain("You may answer");
    expect(mine({}, { phase: phase({ mode: "read", lines: 3 }) })).toContain("You read.");
    const late = phase({ mode: "round", ran_out: true });
    expect(mine({}, { phase: late })).toContain("Say a few words, or be first next time.");
  });

  test("says what its person has chosen for its end", () => {
    expect(mine({ welcomes: true })).toContain("You welcome answers");
    const naming = phase({ mode: "round", order: "previous-names-next" });
    expect(mine({}, { phase: naming })).toContain("you name who comes next");
  });
});

describe("listening", () => {
  test("says who names the next, and that answers are welcome", () => {
    const naming = phase({ number: 1, mode: "round", order: "previous-names-next" });
    expect(wordsFor(round({ phase: naming }))).toContain("Ben names who comes next.");
    expect(wordsFor(round({ turn: turn("s3", { welcomes: true }) }))).toContain(
      "Ben welcomes answers: raise your hand",
    );
  });

  test("in a queue tells what a hand does", () => {
    const queue = phase({ number: 1, mode: "queue", order: "quiet-first" });
    expect(wordsFor(view({ phase: queue }))).toContain("Raise your hand, and the piece comes");
    expect(wordsFor(view({ phase: queue, hands: ["s2"] }))).toContain("Your hand is up.");
    expect(wordsFor(view({ phase: { ...queue, over: true } }))).toContain("complete");
  });

  test("in talk that is not for everybody asks nobody to speak", () => {
    const theirs = phase({ number: 1, who: "facilitators" });
    expect(wordsFor(view({ phase: theirs, may: [] }))).toContain("The facilitators speak now.");
  });
});

describe("in a pair", () => {
  test("says whose word it is, and that both have the same time", () => {
    expect(wordsFor(pairs({ speaker: "s2" }))).toContain("Ben listens to you without words.");
    expect(wordsFor(pairs({ speaker: "s3" }))).toBe(
      "Ben speaks. You listen without words. You each have the same time.",
    );
  });

  test("tells the warm-up from the last free words, and both from a silence", () => {
    const together = { step: "together", speaker: null } as const;
    expect(wordsFor(pairs({ ...together, steps_left: 5 }))).toContain("Say hello.");
    expect(wordsFor(pairs({ ...together, steps_left: 0 }))).toContain("freely");
    const silence = { step: "silence", speaker: null } as const;
    expect(wordsFor(pairs({ ...silence, steps_left: 3 }))).toContain("Then the next of you speaks");
    expect(wordsFor(pairs({ ...silence, steps_left: 1 }))).not.toContain("next");
  });

  test("says when it ends soon, and what goes on for those outside", () => {
    expect(wordsFor(pairs({ ends_soon: true }))).toContain("About twenty seconds");
    const outside = view({ phase: phase({ number: 3, mode: "pairs" }) });
    expect(wordsFor(outside)).toContain("The others are in pairs");
  });
});

describe("when the circle stands still", () => {
  test("it is said before anything else", () => {
    expect(wordsFor(round({ safe: true }))).toContain("There is no need to leave.");
    expect(wordsFor(view({ holding: true }))).toContain("Your facilitator is reconnecting.");
  });

  test("a quiet space says that nobody else hears", () => {
    const quiet = { with_you: "s1", asked_by: [], asked: false, to: null };
    expect(wordsFor(round({ quiet, paused: true }))).toContain("A quiet word with Fay");
  });
});
