import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { CODES } from "../src/text/codes";
import { PSEUDONYMS, text } from "../src/text/en";
import { NOTICES } from "../src/text/notices";

const manual = readFileSync(new URL("../../docs/protocol.md", import.meta.url), "utf8");

/** The first list of words in backquotes after `heading`. */
function listed(heading: string): string[] {
  const start = manual.indexOf(heading);
  expect(start, heading).toBeGreaterThan(0);
  const [, words = ""] = /`((?:[a-z_]+\s+){2,}[a-z_]+)`/.exec(manual.slice(start)) ?? [];
  return words.split(/\s+/);
}

describe("everything the server can say has a sentence", () => {
  const unknown = text.code("no such code");
  const codes = [...listed("**Refusals by the rules**"), ...listed("**Faults**")];
  test.each(codes)("%s", (code) => expect(text.code(code)).not.toBe(unknown));

  const notices = listed("only come with the view that they belong to");
  test("there are notices in the manual", () => expect(notices).toContain("your_turn"));
  test("there is no sentence for what the server never says", () => {
    expect(Object.keys(NOTICES).filter((kind) => !notices.includes(kind))).toEqual([]);
    const devices = Object.keys(CODES).filter((code) => code.startsWith("device_"));
    expect(Object.keys(CODES).filter((code) => !codes.includes(code))).toEqual(devices);
  });
  test.each(notices)("%s", (kind) => expect(text.notice(kind)).not.toBe(""));
});

test("nobody is told in digits how long they took", () => {
  for (const kind of ["turn_warned", "turn_grace", "turn_overdue", "turn_extended"])
    expect(text.notice(kind, {}, true)).not.toMatch(/\d/);
});

test("a suggested name fits its field and is suggested once", () => {
  expect(new Set(PSEUDONYMS).size).toBe(PSEUDONYMS.length);
  for (const name of PSEUDONYMS) expect(name.length).toBeLessThanOrEqual(40);
});
