import { beforeEach, describe, expect, test, vi } from "vitest";
import type { Command } from "../src/net/socket";
import * as circle from "../src/state/circle";
import * as screen from "../src/state/screen";
import { frame, view } from "./kit";

class FakeTrack {
  readyState = "live";
  contentHint = "";
  onended: (() => void) | null = null;
  stop() {
    this.readyState = "ended";
  }
}

let sent: unknown;
let asked: Command[];
let seq = 0;
let answers: boolean;
let chosen: FakeTrack;
let wanted: { audio?: unknown };
let isClosed: boolean;

/** What the server shows: whose screen, and whether Ana (s2) may show hers. */
function told(sharing: string | null, may = ["start_share"]) {
  circle.show(frame(view({ sharing, may }), ++seq), 0);
  screen.follow();
}

beforeEach(() => {
  asked = [];
  answers = true;
  isClosed = false;
  chosen = new FakeTrack();
  screen.connect({
    media: {
      send(kind, track) {
        if (kind === "screen") sent = track;
      },
    },
    async ask(command) {
      asked.push(command);
      if (answers) told(command.kind === "start_share" ? "s2" : null);
      return answers;
    },
  });
  screen.close();
  screen.isHidden.value = false;
  circle.forget();
  const getDisplayMedia = async (constraints: { audio?: unknown }) => {
    wanted = constraints;
    if (isClosed) throw new DOMException("closed", "NotAllowedError");
    return { getVideoTracks: () => [chosen] };
  };
  vi.stubGlobal("navigator", { mediaDevices: { getDisplayMedia } });
  told(null);
});

describe("one's own screen", () => {
  test("is chosen in the browser first, without sound, and sent once the server shows it", async () => {
    await screen.showScreen();
    expect(asked.map(({ kind }) => kind)).toEqual(["start_share"]);
    expect(wanted.audio).toBe(false);
    expect(chosen.contentHint).toBe("detail");
    expect(sent).toBe(chosen);
  });

  test("is nothing at all when the browser's window is closed", async () => {
    isClosed = true;
    await screen.showScreen();
    expect(asked).toEqual([]);
    expect(sent).toBeNull();
  });

  test("is not captured on when the server refuses", async () => {
    answers = false;
    await screen.showScreen();
    expect(chosen.readyState).toBe("ended");
    expect(sent).toBeNull();
  });

  test("is no longer captured as soon as the permission ends", async () => {
    await screen.showScreen();
    told(null, []);
    expect(chosen.readyState).toBe("ended");
    expect(sent).toBeNull();
    expect(asked).toHaveLength(1);
  });

  test("ends by the browser's own button too", async () => {
    await screen.showScreen();
    chosen.onended?.();
    expect(asked.at(-1)).toEqual({ kind: "stop_share" });
    expect(sent).toBeNull();
  });

  test("is stopped here before the server has answered", async () => {
    await screen.showScreen();
    answers = false;
    void screen.stopScreen();
    expect(chosen.readyState).toBe("ended");
    expect(sent).toBeNull();
  });

  test("is taken back when the server shows one that this page does not have", () => {
    told("s2");
    expect(asked.at(-1)).toEqual({ kind: "stop_share" });
  });

  test("is offered only where the rules and the browser allow it", () => {
    expect(screen.mayShow()).toBe(true);
    told(null, []);
    expect(screen.mayShow()).toBe(false);
    told(null);
    vi.stubGlobal("navigator", { mediaDevices: {} });
    expect(screen.mayShow()).toBe(false);
  });
});

test("one's own screen is not shown back, somebody else's is", () => {
  expect(screen.shownBy(view({ sharing: "s2" }))).toBeNull();
  expect(screen.shownBy(view({ sharing: "s3" }))).toBe("s3");
  expect(screen.shownBy(view())).toBeNull();
});
