import { describe, expect, test } from "vitest";
import type { Kind, Written } from "../src/state/circle";
import { shownLarge, waysToWrite } from "../src/state/writing";
import { round, seat, turn, view } from "./kit";

describe("the ways to write", () => {
  test("are none where nobody may write", () => {
    expect(waysToWrite(view())).toEqual([]);
  });

  test("are a chat, and a word to the facilitators, for somebody who listens", () => {
    const open = round({ write: ["all", "facilitators"] });
    expect(waysToWrite(open)).toEqual(["chat", "facilitators"]);
  });

  test("let the holder type instead of speaking, and nobody else", () => {
    expect(waysToWrite(round({ turn: turn("s2"), write: ["all"] }))).toEqual(["chat", "share"]);
  });

  test("begin with captions for an interpreter, and offer them to who leads", () => {
    const typist = [seat("s1"), seat("s2", { roles: ["interpreter"] })];
    expect(waysToWrite(view({ seats: typist, write: ["all"] }))).toEqual(["caption", "chat"]);
    expect(waysToWrite(view({ you: "s1", write: ["all", "team"] }))).toEqual(["chat", "caption"]);
  });
});

describe("what is shown large", () => {
  const line = (of: string, kind: Kind, at: number): Written => ({
    seat: of,
    to: "all",
    kind,
    text: `${kind} ${at}`,
    at,
  });
  const texts = (all: Written[], since = 0) =>
    shownLarge(round(), all, since).map(({ text }) => text);

  test("are the newest two captions, and no chat", () => {
    const all = [1, 2, 3].map((at) => line("s4", "caption", at));
    expect(texts([...all, line("s4", "chat", 4)])).toEqual(["caption 2", "caption 3"]);
  });

  test("is what the holder types, and nobody else who says so", () => {
    expect(texts([line("s4", "share", 1), line("s3", "share", 2)])).toEqual(["share 2"]);
  });

  test("is nothing of an earlier turn, and nothing for the facilitators", () => {
    expect(texts([line("s4", "caption", 5)], 5)).toEqual([]);
    expect(texts([{ ...line("s4", "caption", 6), to: "facilitators" }], 5)).toEqual([]);
  });
});
