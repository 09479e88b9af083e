import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { said } from "../src/a11y/announce";
import type { Lines } from "../src/protocol";
import { forgetLines, hearLines, isWeak, lineOf } from "../src/state/lines";
import { isPictureOff } from "../src/state/reading";
import { lines as words } from "../src/text/lines";
import { round, seat, turn, view } from "./kit";

const told = (mark: 1 | 2 | 3, weak = false): Lines => ({
  kind: "lines",
  own: { mark, weak },
  seats: { s2: { mark, details: null } },
});

let begun = 0;
let announced: string[];
let stop: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  // Long after anything that another test has said; each begins its time at zero.
  vi.advanceTimersByTime(++begun * 600_000);
  announced = [];
  stop = said.subscribe((sentence) => {
    if (sentence) announced.push(sentence);
  });
});
afterEach(() => {
  forgetLines();
  vi.runAllTimers();
  stop();
  vi.useRealTimers();
});

describe("the sentence about one's own weak line", () => {
  test("stands while it is weak, and a little longer", () => {
    hearLines(told(1));
    expect(isWeak.value).toBe(true);
    hearLines(told(3));
    vi.advanceTimersByTime(5_000);
    expect(isWeak.value).toBe(true);
    vi.advanceTimersByTime(2_000);
    expect(isWeak.value).toBe(false);
  });

  test("comes also when pictures were reduced to keep a good sound", () => {
    hearLines(told(2));
    expect(isWeak.value).toBe(false);
    hearLines(told(2, true));
    expect(isWeak.value).toBe(true);
  });

  test("is said once in an episode, and not when it goes", () => {
    for (const mark of [1, 3, 1, 2, 1] as const) {
      hearLines(told(mark));
      vi.advanceTimersByTime(10_000);
    }
    expect(announced).toEqual([words.weak]);
    hearLines(told(3));
    vi.advanceTimersByTime(90_000);
    hearLines(told(1));
    vi.advanceTimersByTime(1_000);
    expect(announced).toEqual([words.weak, words.weak]);
  });

  test("does not blink when the line to the server comes back anew", () => {
    hearLines(told(1));
    forgetLines();
    expect(lineOf("s2")).toBeUndefined();
    vi.advanceTimersByTime(1_000);
    hearLines(told(1));
    vi.advanceTimersByTime(20_000);
    expect(isWeak.value).toBe(true);
  });
});

describe("a picture that was not asked for", () => {
  const all = { "s1 on": seat("s1", { camera: "on" }), "s3 on": seat("s3", { camera: "on" }) };
  const now = round({ turn: turn("s3") });
  const off = (choice: "all" | "holder" | "none") =>
    Object.values(all)
      .filter((one) => isPictureOff(one, now, choice))
      .map(({ id }) => id);

  test("is said to be off, by what the person chose", () => {
    expect(off("all")).toEqual([]);
    expect(off("holder")).toEqual(["s1"]);
    expect(off("none")).toEqual(["s1", "s3"]);
  });

  test("in open talk is of those whose microphone is off", () => {
    const speaks = seat("s3", { camera: "on", mic: "on" });
    expect(isPictureOff(speaks, view(), "holder")).toBe(false);
    expect(isPictureOff(all["s3 on"], view(), "holder")).toBe(true);
  });

  test("is not what is wrong with a camera that is off, nor with one's own", () => {
    expect(isPictureOff(seat("s1"), now, "none")).toBe(false);
    expect(isPictureOff(seat("s2", { camera: "on" }), now, "none")).toBe(false);
  });
});

describe("figures", () => {
  test("have their unit in words", () => {
    expect(words.roundTripIs(120)).toBe("120 milliseconds");
    expect(words.roundTripIs(1)).toBe("1 millisecond");
    expect(words.lossIs(0)).toBe("0 percent");
    expect(words.lossIs(null)).toBe("not known yet");
    expect(words.sizeIs({ width: 640, height: 360 })).toBe("640 by 360 points");
    expect(words.wayIs(true, "tcp")).toBe("through a relay, over TCP");
  });
});
