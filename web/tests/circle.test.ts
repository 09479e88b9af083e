import { beforeEach, describe, expect, test } from "vitest";
import * as circle from "../src/state/circle";
import { frame, pairs, phase, plan, round, sheet, turn, view } from "./kit";

beforeEach(() => circle.forget());

test("old news changes nothing, and a new connection counts afresh", () => {
  expect(circle.show(frame(view(), 5), 0)).toBe(true);
  expect(circle.show(frame(round(), 5), 0)).toBe(false);
  expect(circle.view.value?.phase.mode).toBe("talk");
  circle.forgetSeq();
  expect(circle.view.value?.phase.mode).toBe("talk");
  expect(circle.show(frame(round(), 1), 0)).toBe(true);
});

describe("the ring", () => {
  const at = (changes: Parameters<typeof turn>[1], nowMs: number) => {
    circle.forget();
    circle.show(frame(round({ turn: turn("s3", changes) })), 1_000);
    return circle.usedShare(nowMs);
  };

  test("fills while the clock runs, from the moment the view arrived", () => {
    expect(at({}, 1_000)).toBeCloseTo(1 / 3);
    expect(at({}, 61_000)).toBeCloseTo(2 / 3);
  });

  test("rests while the clock is held", () => {
    expect(at({ running: false }, 61_000)).toBeCloseTo(1 / 3);
  });

  test("stays full past the limit and tells no digits below zero", () => {
    expect(at({ remaining_ms: -20_000 }, 61_000)).toBe(1);
  });

  test("is empty without a limit", () => {
    expect(at({ remaining_ms: null }, 61_000)).toBeNull();
  });

  test("measures a silence by its length when there is no turn", () => {
    const silence = phase({ mode: "silence", length_ms: 60_000, remaining_ms: 60_000 });
    circle.show(frame(view({ phase: silence })), 0);
    expect(circle.usedShare(0)).toBe(0);
    expect(circle.usedShare(45_000)).toBeCloseTo(0.75);
  });
});

describe("a firm turn", () => {
  const firm = (of: string, remaining_ms: number) =>
    circle.show(frame(round({ turn: turn(of, { remaining_ms, fades_at_ms: -30_000 }) })), 0);

  test("fades softly in its last three seconds, for the others", () => {
    firm("s3", -26_000);
    expect(circle.holderVolume(0)).toBe(1);
    expect(circle.holderVolume(2_500)).toBeCloseTo(0.5);
    expect(circle.holderVolume(9_000)).toBe(0);
  });

  test("does not change what the holder hears", () => {
    firm("s2", -29_000);
    expect(circle.holderVolume(0)).toBe(1);
  });
});

describe("the ring of a pair", () => {
  test("fills over its own step, and begins anew with the next", () => {
    circle.show(frame(pairs({ remaining_ms: 300_000 }), 1), 0);
    expect(circle.usedShare(150_000)).toBeCloseTo(0.5);
    circle.show(frame(pairs({ remaining_ms: 100_000 }), 2), 200_000);
    expect(circle.usedShare(200_000)).toBeCloseTo(2 / 3);
    circle.show(frame(pairs({ remaining_ms: 300_000, steps_left: 2 }), 3), 300_000);
    expect(circle.usedShare(300_000)).toBe(0);
  });

  test("rests with its clock", () => {
    circle.show(frame(pairs({ running: false }), 1), 0);
    expect(circle.usedShare(60_000)).toBe(0);
  });
});

describe("the time of a part", () => {
  const timed = phase({ number: 1, mode: "queue", length_ms: 600_000, remaining_ms: 300_000 });

  test("goes by, unless everything stands still", () => {
    circle.show(frame(view({ phase: timed }), 1), 0);
    expect(circle.phaseLeftMs(60_000)).toBe(240_000);
    for (const still of [{ paused: true }, { safe: true }, { holding: true }]) {
      circle.forget();
      circle.show(frame(view({ phase: timed, ...still }), 1), 0);
      expect(circle.phaseLeftMs(60_000)).toBe(300_000);
    }
  });
});

test("what is written is heard once, also when a new connection tells it again", () => {
  const said = { seat: "s3", to: "all", text: "Hello", at: 5 } as const;
  expect(circle.hearWriting(said)).toBe(true);
  expect(circle.hearWriting({ ...said })).toBe(false);
  expect(circle.written.value).toHaveLength(1);
});

test("what can be read only later stands where it was written", () => {
  const said = { seat: "s3", to: "all", text: "Hello", at: 7, kind: "chat" } as const;
  circle.hearWriting(said);
  circle.hearWriting({ ...said, at: 6, text: "earlier" });
  expect(circle.written.value.map(({ at }) => at)).toEqual([6, 7]);
});

test("the words of a plan belong to the plan in the view", () => {
  circle.sheetWords.value = sheet;
  circle.show(frame(view()), 0);
  expect(circle.words.value).toBeNull();
  circle.show(frame(plan(0), 2), 0);
  expect(circle.words.value?.title).toBe("Small circle");
});
