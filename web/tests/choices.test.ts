import { describe, expect, test } from "vitest";
import { mainAction, turnChoices, wishes } from "../src/state/choices";
import { pairs, round, seat, turn, view } from "./kit";

describe("the one main button", () => {
  const holding = (mic: "on" | "off" | "held", may: string[]) =>
    mainAction(round({ turn: turn("s2"), seats: [seat("s2", { mic })], may }));

  test("asks the holder to open the microphone, then to end the turn", () => {
    expect(holding("off", ["set_mic", "pass_turn"])).toBe("ready");
    expect(holding("on", ["set_mic", "pass_turn"])).toBe("done");
    expect(holding("held", ["pass_turn"])).toBe("done");
  });

  test("ends a turn by naming who comes next where that is the order", () => {
    const seats = [seat("s2", { mic: "on" }), seat("s3", { may: ["name_next"] })];
    const mine = round({ turn: turn("s2"), seats, may: ["set_mic", "pass_turn"] });
    expect(mainAction(mine)).toBe("name");
    expect(turnChoices(mine).map(({ label }) => label)).toEqual(["I am done"]);
  });

  test("is the hand while listening and the microphone in open talk", () => {
    expect(mainAction(round())).toBe("raise");
    expect(mainAction(round({ seats: [seat("s2", { hand: true })] }))).toBe("lower");
    expect(mainAction(view())).toBe("mic");
  });

  test("in a pair is one's own word, and never a hand that nobody sees", () => {
    expect(mainAction(pairs({ speaker: "s2" }, ["set_mic", "raise_hand"]))).toBe("ready");
    expect(mainAction(pairs({ speaker: "s3" }, ["raise_hand"]))).toBeNull();
    const both = pairs({ step: "together", speaker: null }, ["set_mic", "raise_hand"]);
    expect(mainAction(both)).toBe("mic");
  });

  test("offers nothing that the server does not permit", () => {
    expect(mainAction(round({ may: [] }))).toBeNull();
  });
});

describe("beside it", () => {
  const offered = (may: string[], changes = {}) =>
    turnChoices(round({ turn: turn("s2", changes), may: ["set_mic", "pass_turn", ...may] })).map(
      ({ label }) => label,
    );

  test("stands what the part offers, and nothing else", () => {
    expect(offered([])).toEqual(["Pass"]);
    expect(offered(["later", "pass_to_anyone", "first_next_round"])).toEqual([
      "Pass",
      "Later",
      "Leave it to anyone",
      "Be first next time",
    ]);
    expect(turnChoices(round({ may: ["later"] }))).toEqual([]);
  });

  test("answers are welcomed, and unwelcomed again", () => {
    expect(offered(["welcome_responses"])).toContain("Welcome answers");
    expect(offered(["welcome_responses"], { welcomes: true })).toContain("No answers, please");
  });
});

describe("what somebody may need", () => {
  const all = ["step_out", "offer_quiet", "ask_pause", "note_content", "listen_only"];
  const kinds = (of: Parameters<typeof wishes>[0]) =>
    wishes(of).map(({ command }) => (command === "note" ? "note_content" : command.kind));

  test("is what the server permits", () => {
    expect(kinds(view({ may: all }))).toEqual(all);
    expect(kinds(view({ may: [] }))).toEqual([]);
  });

  test("leaves out what is asked for already, and a wish to those who can do it", () => {
    const quiet = { with_you: null, asked_by: [], asked: true, to: null };
    expect(kinds(view({ may: all, quiet }))).not.toContain("offer_quiet");
    expect(kinds(view({ may: [...all, "pause_circle"] }))).not.toContain("ask_pause");
  });

  test("takes a listener back into the turns", () => {
    const listener = view({ may: all, seats: [seat("s2", { roles: ["listener"] })] });
    expect(wishes(listener).at(-1)?.command).toEqual({ kind: "listen_only", on: false });
  });
});
