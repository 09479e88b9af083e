import { describe, expect, test } from "vitest";
import { SAFETY_WORDS, safetyWords } from "../src/text/safety";

/** How many letters have to change to make one word the other (Levenshtein). */
function distance(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (const [line, letter] of [...one].entries()) {
    const next = [line + 1];
    for (const [at, wanted] of [...other].entries())
      next.push(
        Math.min(
          (next[at] ?? 0) + 1,
          (row[at + 1] ?? 0) + 1,
          (row[at] ?? 0) + (letter === wanted ? 0 : 1),
        ),
      );
    row = next;
  }
  return row[other.length] ?? 0;
}

/** How a word sounds, roughly: the same letters for the same sounds, all vowels alike. */
function sound(word: string): string {
  return word
    .replace(/ph/g, "f")
    .replace(/gh|h/g, "")
    .replace(/ck|c(?![eiy])|q/g, "k")
    .replace(/c|z/g, "s")
    .replace(/(.)\1/g, "$1")
    .replace(/[aeiouy]+/g, "a");
}

describe("the safety words", () => {
  test("there is one for each byte", () => {
    expect(SAFETY_WORDS.length).toBe(256);
    expect(new Set(SAFETY_WORDS).size).toBe(256);
  });

  test.each([...SAFETY_WORDS])("%s is short and plain", (word) => {
    expect(word).toMatch(/^[a-z]{3,7}$/);
  });

  test("no two begin alike", () => {
    expect(new Set(SAFETY_WORDS.map((word) => word.slice(0, 3))).size).toBe(256);
  });

  test("no two can be taken for one another", () => {
    const pairs = SAFETY_WORDS.flatMap((one, at) =>
      SAFETY_WORDS.slice(at + 1).map((other): [string, string] => [one, other]),
    );
    expect(pairs.filter(([one, other]) => distance(one, other) < 2)).toEqual([]);
    expect(pairs.filter(([one, other]) => sound(one) === sound(other))).toEqual([]);
  });

  test("four numbers are four words, the same for everybody", () => {
    const [first = "", last = ""] = [SAFETY_WORDS[0], SAFETY_WORDS[255]];
    expect(safetyWords([0, 255, 0, 7])).toEqual([first, last, first, SAFETY_WORDS[7]]);
  });
});
