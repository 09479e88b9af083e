import { describe, expect, test } from "vitest";
import { micWords, orderWords, seatsShown, seatWords } from "../src/state/reading";
import { pairs, round, seat, view } from "./kit";

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

test("the microphone is told in words, and a held one is not told to other members", () => {
  expect(micWords(view())).toBe("Mic waits for you");
  expect(micWords(round())).toBe("Mic off");
  expect(micWords(view({ seats: [seat("s2", { mic: "on" })] }))).toBe("Mic on");
  const held = seat("s3", { mic: "held" });
  expect(seatWords(held, view())).toBe("");
  expect(seatWords(held, view({ you: "s1" }))).toBe("mic held");
});

describe("under a face", () => {
  test("stands what somebody does here, each mark once", () => {
    expect(seatWords(seat("s1"), view())).toBe("facilitator");
    const roles = ["facilitator", "co-facilitator", "timekeeper"] as const;
    expect(seatWords(seat("s3", { roles: [...roles] }), view())).toBe("facilitator, keeps time");
    expect(seatWords(seat("s3", { roles: ["interpreter"] }), view())).toBe("interpreter");
    expect(seatWords(seat("s3", { roles: ["listener"] }), view())).toBe("listens today");
    expect(seatWords(seat("s3"), view())).toBe("");
  });

  test("stands the same for everybody who is away, whatever the reason", () => {
    expect(seatWords(seat("s3", { apart: true, hand: true }), view())).toBe("away for a moment");
    expect(seatWords(seat("s3", { present: false }), view())).toBe("reconnecting");
  });
});

describe("the places that are drawn", () => {
  const drawn = (of: ReturnType<typeof view>) => seatsShown(of).map(({ id }) => id);

  test("are one's own pair's alone, or those of a quiet space", () => {
    expect(drawn(pairs())).toEqual(["s2", "s3"]);
    const quiet = { with_you: "s1", asked_by: [], asked: false, to: null };
    expect(drawn(view({ quiet }))).toEqual(["s1", "s2"]);
  });

  test("leave out who still waits at the door", () => {
    expect(drawn(view({ seats: [seat("s1"), seat("s2"), seat("s5", { waiting: true })] }))).toEqual(
      ["s1", "s2"],
    );
  });
});
