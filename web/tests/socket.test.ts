import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { backoffMs, type Line, Socket } from "../src/net/socket";
import type { ServerFrame } from "../src/protocol";

class FakeWebSocket {
  static readonly OPEN = 1;
  static all: FakeWebSocket[] = [];
  readyState = 0;
  sent: { kind: string; ref?: string; resume?: string }[] = [];
  onopen = () => {};
  onmessage = (_: { data: string }) => {};
  onclose = () => {};

  constructor(readonly url: string) {
    FakeWebSocket.all.push(this);
  }
  send(text: string) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  accept() {
    this.readyState = FakeWebSocket.OPEN;
    this.onopen();
  }
  hears(frame: object) {
    this.onmessage({ data: JSON.stringify(frame) });
  }
  breaks() {
    this.readyState = 3;
    this.onclose();
  }
}

const WELCOME = {
  kind: "welcome",
  seat: "s2",
  resume: "r",
  capacity: 16,
  heartbeat_ms: 5_000,
  silence_ms: 12_000,
};
let lines: Line[];
let frames: ServerFrame[];
let socket: Socket;
const last = () => FakeWebSocket.all.at(-1) as FakeWebSocket;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeWebSocket);
  FakeWebSocket.all = [];
  lines = [];
  frames = [];
  const profile = { name: "Ana", color: "rose" as const };
  socket = new Socket("ws://circle/ws", {
    hello: () => ({ kind: "hello", version: 1, agreement: 1, profile, link: "l".repeat(20) }),
    frame: (frame) => frames.push(frame),
    line: (line) => lines.push(line),
  });
  socket.open();
});
afterEach(() => {
  socket.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

function sitDown() {
  last().accept();
  last().hears(WELCOME);
}

test("the first frame is hello, and welcome means a seat", () => {
  sitDown();
  expect(last().sent[0]?.kind).toBe("hello");
  expect(lines).toEqual(["joining", "on"]);
  expect(frames[0]?.kind).toBe("welcome");
});

test("each answer finds its own question", async () => {
  sitDown();
  const raise = socket.ask({ kind: "raise_hand" });
  const pass = socket.ask({ kind: "pass_turn", turn: 3 });
  const [one, two] = last().sent.slice(1);
  last().hears({ kind: "refused", ref: two?.ref, code: "stale_turn" });
  last().hears({ kind: "done", ref: one?.ref, seq: 7 });
  expect(await raise).toEqual({ kind: "done", seq: 7 });
  expect(await pass).toEqual({ kind: "refused", code: "stale_turn" });
});

describe("when the line breaks", () => {
  test("questions without an answer are lost, not hanging", async () => {
    sitDown();
    const raise = socket.ask({ kind: "raise_hand" });
    last().breaks();
    expect(await raise).toEqual({ kind: "lost" });
    expect(await socket.ask({ kind: "raise_hand" })).toEqual({ kind: "lost" });
  });

  test("it comes back by itself, and says hello again", () => {
    sitDown();
    last().breaks();
    vi.advanceTimersByTime(300);
    expect(FakeWebSocket.all).toHaveLength(2);
    sitDown();
    expect(last().sent[0]?.kind).toBe("hello");
    expect(lines).toEqual(["joining", "on", "lost", "on"]);
  });

  test("it waits longer each time, never more than seven seconds", () => {
    expect(backoffMs(0, 1)).toBe(300);
    expect(backoffMs(3, 1)).toBe(2_400);
    expect(backoffMs(30, 1)).toBe(7_000);
    expect(backoffMs(30, 0)).toBe(0);
  });

  test("a late message of the old line changes nothing", () => {
    sitDown();
    const old = last();
    old.breaks();
    vi.advanceTimersByTime(300);
    old.hears({ kind: "reoffer" });
    expect(frames.map(({ kind }) => kind)).toEqual(["welcome"]);
  });
});

test("a heartbeat goes out, and a silent server counts as a broken line", () => {
  sitDown();
  vi.advanceTimersByTime(5_000);
  expect(last().sent.at(-1)?.kind).toBe("ping");
  vi.advanceTimersByTime(10_000);
  expect(lines.at(-1)).toBe("lost");
});

test("a server that accepts and says nothing is given up", () => {
  last().accept();
  vi.advanceTimersByTime(15_000);
  expect(lines).toContain("lost");
});

test("after a last good-bye it stays away; after a restart it comes back", () => {
  sitDown();
  last().hears({ kind: "bye", code: "restarting", again: true });
  last().breaks();
  vi.advanceTimersByTime(300);
  expect(FakeWebSocket.all).toHaveLength(2);
  sitDown();
  last().hears({ kind: "bye", code: "removed", again: false });
  last().breaks();
  vi.advanceTimersByTime(60_000);
  expect(FakeWebSocket.all).toHaveLength(2);
  expect(lines.at(-1)).toBe("over");
});
