import { expect, test } from "vitest";
import { Watching } from "../src/state/practice";
import { round, seat, turn, view } from "./kit";

const NOTHING: ReadonlySet<string> = new Set();
const here = [seat("s1"), seat("s2"), seat("s3"), seat("s4")];
/** Fay's view of Ben's turn, which is turn number `of`. */
const bens = (of: number, changes = {}) =>
  round({ you: "s1", turn: turn("s3", { number: of }), ...changes });

test("an over-runner was met with a signal, a minute and thanks, in any order", () => {
  const watching = new Watching();
  expect(watching.see(bens(1), NOTHING, "extend", false)).toEqual([]);
  expect(watching.see(bens(1), NOTHING, "signal_gently", false)).toEqual([]);
  expect(watching.see(bens(1), NOTHING, "next_turn", false)).toContain("overrun");
});

test("a silent turn was let be when it ended by another hand", () => {
  const watching = new Watching();
  watching.see(bens(4), NOTHING, null, true);
  expect(watching.see(bens(5), NOTHING, null, false)).toContain("silence");
  const hurried = new Watching();
  hurried.see(bens(4), NOTHING, null, true);
  expect(hurried.see(bens(5), new Set(["next_turn"]), null, false)).toEqual([]);
});

test("a dropped line was waited for when its person is back", () => {
  const watching = new Watching();
  const away = here.map((each) => (each.id === "s3" ? { ...each, present: false } : each));
  expect(watching.see(bens(1, { seats: away }), NOTHING, null, false)).toEqual([]);
  expect(watching.see(bens(1, { seats: here }), NOTHING, null, false)).toContain("drop");
});

test("the intruder needs both: to make the room safe and to let people back", () => {
  const watching = new Watching();
  expect(watching.see(bens(1), NOTHING, "safe_room", false)).toEqual([]);
  expect(watching.see(bens(1), NOTHING, "readmit", false)).toContain("intruder");
});

test("a quiet word counts when it takes place", () => {
  const quiet = { with_you: "s3", asked_by: [], asked: false, to: null };
  expect(new Watching().see(view({ quiet }), NOTHING, null, false)).toEqual(["distress"]);
});
