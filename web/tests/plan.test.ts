import { describe, expect, test } from "vitest";
import { lineNow, nowWords, parts } from "../src/state/plan";
import { phase, plan, sheet, view } from "./kit";

describe("the head of the page", () => {
  test("says what is now, for about how long, and what then", () => {
    expect(nowWords(plan(1), sheet, "about ten minutes left")).toBe(
      "How are you here? · about ten minutes left · then One word to go",
    );
  });

  test("has words without a run sheet, and before its words have come", () => {
    expect(nowWords(view(), null, "")).toBe("Settling in");
    expect(nowWords(plan(1), null, "")).toBe("Sharing round · then Sharing round");
  });

  test("names what is over, paused, or stopped", () => {
    expect(nowWords(plan(1, { phase: { over: true } }), sheet, "left")).toContain("is complete");
    expect(nowWords(plan(1, { paused: true }), sheet, "")).toContain("Paused for a moment");
    expect(nowWords(plan(1, { safe: true }), sheet, "left")).toBe(
      "Everything rests for a moment · then One word to go",
    );
  });
});

test("the whole plan knows what is done, now and next", () => {
  expect(
    parts(plan(1), sheet).map((part) => [part.title, part.isDone, part.isNow, part.isNext]),
  ).toEqual([
    ["Opening words", true, false, false],
    ["How are you here?", false, true, false],
    ["One word to go", false, false, true],
  ]);
  expect(parts(view(), sheet)).toEqual([]);
});

test("the line that is read is the one whose turn it is, and none when all is read", () => {
  const reading = (line: number, over = false) =>
    view({ phase: phase({ mode: "read", words: 0, lines: 2, line, over }) });
  expect(lineNow(reading(1), sheet)).toBe("What is said here stays here.");
  expect(lineNow(reading(2, true), sheet)).toBeNull();
  expect(lineNow(view(), sheet)).toBeNull();
});
