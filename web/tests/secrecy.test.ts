import { describe, expect, test } from "vitest";
import type { Protection } from "../src/state/secrecy";
import { badge, isPrivate } from "../src/text/secrecy";
import { badgeOf } from "../src/ui/Badge";

const every: Protection[] = [
  { kind: "off" },
  { kind: "checking" },
  { kind: "on" },
  { kind: "unheard" },
  { kind: "stopped", what: "audio" },
  { kind: "stopped", what: "video" },
  { kind: "stopped", what: "screen" },
];

describe("the badge", () => {
  test("claims encryption while everything is sealed, and never else", () => {
    const claims = every.filter((each) => /(?<!not )end-to-end encrypted/i.test(badgeOf(each)));
    expect(claims).toEqual([{ kind: "on" }]);
  });

  test("has words of its own for each state", () => {
    expect(new Set(every.map(badgeOf)).size).toBe(every.length);
  });

  test("names what was taken off, and what to do about it", () => {
    expect(badge.stopped("audio")).toBe("Not sealed: your microphone was taken off");
    expect(isPrivate.stoppedNext("audio")).toContain("To be heard again, load the page again.");
    expect(isPrivate.stoppedNext("screen")).toContain("To be seen again");
  });
});

test("what is protected and what is not are told in three sentences each", () => {
  expect(isPrivate.is).toHaveLength(3);
  expect(isPrivate.isNot).toHaveLength(3);
});
