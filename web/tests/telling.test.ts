import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { alarm, call, callToTurn, endCall, interrupt, said } from "../src/a11y/announce";
import type { Notice, View } from "../src/protocol";
import * as circle from "../src/state/circle";
import { settings } from "../src/state/session";
import { notice, noticeWords, noticeWriting, sounds } from "../src/state/telling";
import { frame, pairs, phase, plan, round, seat, sheet, turn, view } from "./kit";

const chimed = vi.hoisted(() => ({ times: 0, touched: 0 }));
vi.mock("../src/a11y/chime", () => ({ chime: () => void chimed.times++ }));
vi.mock("../src/a11y/buzz", () => ({ buzz: () => void chimed.touched++ }));

let seq = 0;
function shown(of: View, ...notices: Notice[]) {
  const show = { ...frame(of, ++seq), notices };
  circle.show(show, 0);
  notice(show);
}
const about = (kind: string, rest: Partial<Notice> = {}): Notice => ({ kind, ...rest });

beforeEach(() => {
  vi.useFakeTimers();
  circle.forget();
  endCall();
  seq = 0;
  Object.assign(chimed, { times: 0, touched: 0 });
});
afterEach(() => {
  vi.runAllTimers();
  vi.useRealTimers();
});

const mine = (number = 1) => round({ turn: turn("s2", { number }), before_you: null });

describe("it is your turn", () => {
  test("interrupts once, and says nothing of what waited to be said", () => {
    shown(round(), about("seat_taken", { seat: "s4" }));
    shown(mine(), about("your_turn", { seat: "s2" }));
    expect(call.value).toBe("It is your turn. Take your time.");
    vi.advanceTimersByTime(1_000);
    expect(said.value).toBe("");
  });

  test("is over with the turn, and called again for the next", () => {
    shown(mine(), about("your_turn", { seat: "s2" }));
    shown(round({ turn: turn("s3", { number: 2 }) }), about("turn_started", { seat: "s3" }));
    expect(call.value).toBe("");
    shown(mine(3), about("your_turn", { seat: "s2" }));
    expect(call.value).not.toBe("");
  });

  test("is called in a pair and for an answer too", () => {
    shown(pairs({ speaker: "s2" }), about("your_turn", { seat: "s2" }));
    expect(call.value).toContain("your turn");
    shown(mine(7), about("your_response", { seat: "s2" }));
    expect(call.value).toContain("answer");
  });
});

describe("everything else", () => {
  test("waits a moment and is said together, the newest three", () => {
    const seats = ["s1", "s3", "s4"].map((id) => about("seat_back", { seat: id }));
    shown(view(), about("hand_raised", { seat: "s3" }), ...seats);
    expect(said.value).toBe("");
    vi.advanceTimersByTime(700);
    expect(said.value).toBe("Fay is back. Ben is back. Cleo is back.");
  });

  test("uses the words that arrive a moment after the view", () => {
    shown(plan(1), about("sheet_chosen"), about("round_started", { index: 1 }));
    circle.sheetWords.value = sheet;
    vi.advanceTimersByTime(700);
    expect(said.value).toBe("The plan for today is “Small circle”. Now: How are you here?");
  });

  test("names cards, topics, reasons and roles", () => {
    const words = (kind: string, changes: Partial<View>) => noticeWords(about(kind), view(changes));
    expect(words("card_shown", { card: "advice" })).toContain("leave advice out");
    expect(words("card_for_you", { your_card: "cross-talk" })).toContain("For you alone: One");
    const note = { seat: "s3", topic: "illness", remaining_ms: 1 } as const;
    expect(words("content_noted", { note })).toContain("illness");
    expect(words("camera_covered", { covered: "moving" })).toContain("moved a lot");
    expect(words("camera_covered", { covered: "unsaid" })).toBe(
      "The facilitator has covered your camera.",
    );
    const roles = [seat("s2", { roles: ["timekeeper", "greeter"] })];
    expect(words("roles_changed", { seats: roles })).toBe(
      "You are a timekeeper and a greeter now.",
    );
    expect(words("roles_changed", {})).toContain("as a member");
  });

  test("says nobody is next where the one before names the next", () => {
    const naming = round({ phase: phase({ mode: "round", order: "previous-names-next" }) });
    expect(noticeWords(about("you_are_next"), naming)).toBe("");
    expect(noticeWords(about("you_are_next"), round())).toBe("You are next.");
  });

  test("written words are told when they are new and from somebody else", () => {
    circle.show(frame(view({ now: 100 })), 0);
    const line = { to: "all", text: "Hello" } as const;
    noticeWriting({ ...line, seat: "s3", at: 50 });
    noticeWriting({ ...line, seat: "s2", at: 150 });
    vi.advanceTimersByTime(700);
    expect(said.value).toBe("");
    noticeWriting({ ...line, seat: "s3", at: 150 });
    vi.advanceTimersByTime(700);
    expect(said.value).toBe("Ben wrote something.");
  });

  test("a turn that is typed is read out in the place of the voice", () => {
    circle.show(frame(view({ now: 100 })), 0);
    noticeWriting({ to: "all", kind: "share", text: "I am tired.", seat: "s3", at: 150 });
    vi.advanceTimersByTime(700);
    expect(said.value).toBe("Ben writes: I am tired.");
  });

  test("captions are read out once, and never over the voice that they repeat", () => {
    const caption = { to: "all", kind: "caption", text: "I am tired.", seat: "s3" } as const;
    circle.show(frame(view({ now: 100 })), 0);
    noticeWriting({ ...caption, at: 150 });
    vi.advanceTimersByTime(700);
    expect(said.value).toBe("I am tired.");
    vi.advanceTimersByTime(10_000);
    circle.show(frame(view({ now: 200, seats: [seat("s2"), seat("s4", { mic: "on" })] }), 2), 0);
    noticeWriting({ ...caption, at: 250 });
    vi.advanceTimersByTime(700);
    expect(said.value).toBe("");
  });
});

test("what cannot wait interrupts at once, and leaves the call to one's turn as it is", () => {
  callToTurn("turn 7", "It is your turn.");
  interrupt("Your microphone was taken off.");
  expect(alarm.value).toBe("Your microphone was taken off.");
  vi.advanceTimersByTime(10_000);
  expect(alarm.value).toBe("");
  expect(call.value).toBe("It is your turn.");
  endCall();
});

describe("a sound or a touch", () => {
  test("comes to the speaker alone when time goes by", () => {
    expect(sounds("turn_warned", round(), false)).toBe(false);
    expect(sounds("turn_warned", mine(), true)).toBe(true);
    expect(sounds("turn_overdue", mine(), true)).toBe(false);
  });

  test("ends a silence, and no other part", () => {
    const silence = view({ phase: phase({ mode: "silence" }) });
    expect(sounds("phase_completed", silence, false)).toBe(true);
    expect(sounds("phase_completed", round(), false)).toBe(false);
  });

  test("comes as each person chose, or not at all", () => {
    shown(mine(1), about("your_turn", { seat: "s2" }));
    expect(chimed).toEqual({ times: 1, touched: 0 });
    settings.sound.value = false;
    settings.vibration.value = true;
    shown(mine(2), about("your_turn", { seat: "s2" }));
    expect(chimed).toEqual({ times: 1, touched: 1 });
    settings.vibration.value = false;
    shown(mine(3), about("your_turn", { seat: "s2" }));
    expect(chimed).toEqual({ times: 1, touched: 1 });
    settings.sound.value = true;
  });
});
