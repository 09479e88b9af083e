import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Watch } from "../src/protocol";
import { pictures } from "../src/state/session";
import { followTile, startWatching, stopWatching, wanted, watchAgain } from "../src/state/watching";

describe("what is asked for", () => {
  const tiles = new Map([
    ["s3", true],
    ["s1", true],
    ["s4", false],
  ]);
  const asked = (...of: Parameters<typeof wanted>) => {
    const { video, seats } = wanted(...of);
    return [video, seats];
  };

  test("is who is on the screen, and everybody while all are", () => {
    expect(asked("all", false, tiles)).toEqual(["all", ["s1", "s3"]]);
    expect(asked("all", false, new Map([["s1", true]]))).toEqual(["all", null]);
    expect(asked("all", false, new Map())).toEqual(["all", null]);
  });

  test("is what the person chose, whoever is on the screen", () => {
    expect(asked("holder", false, tiles)).toEqual(["holder", null]);
    expect(asked("none", false, tiles)).toEqual(["none", null]);
  });

  test("is nothing on a page that nobody sees", () => {
    expect(asked("all", true, tiles)).toEqual(["none", null]);
  });

  test("is never more than the server takes", () => {
    const many = new Map(Array.from({ length: 20 }, (_, n) => [`s${n}`, n > 0]));
    expect(wanted("all", false, many).seats).toHaveLength(16);
  });
});

/** An observer whose screen the test moves. */
class FakeObserver {
  static note: (entries: { target: HTMLElement; isIntersecting: boolean }[]) => void;
  constructor(note: typeof FakeObserver.note) {
    FakeObserver.note = note;
  }
  observe() {}
  unobserve() {}
}

const page = Object.assign(new EventTarget(), { hidden: false });
const tile = (seat: string) => ({ dataset: { seat } }) as unknown as HTMLElement;
const scroll = (seat: string, isIntersecting: boolean) =>
  FakeObserver.note([{ target: tile(seat), isIntersecting }]);

let sent: Watch[];
let isOnline: boolean;
let leave: (() => void)[];
const last = () => sent.at(-1);

beforeEach(() => {
  vi.useFakeTimers();
  vi.advanceTimersByTime(10_000);
  vi.stubGlobal("IntersectionObserver", FakeObserver);
  vi.stubGlobal("document", page);
  page.hidden = false;
  pictures.value = "all";
  sent = [];
  isOnline = true;
  leave = ["s1", "s3"].map((seat) => followTile(tile(seat)));
  scroll("s1", true);
  scroll("s3", true);
  startWatching((watch) => {
    if (isOnline) sent.push(watch);
    return isOnline;
  });
  vi.advanceTimersByTime(3_000);
});
afterEach(() => {
  stopWatching();
  for (const each of leave) each();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the server is told", () => {
  test("once at the beginning, and again after a new connection", () => {
    expect(sent).toEqual([{ kind: "watch", video: "all", seats: null }]);
    watchAgain();
    vi.advanceTimersByTime(3_000);
    expect(sent).toHaveLength(2);
  });

  test("at once what the person chooses", () => {
    pictures.value = "none";
    vi.advanceTimersByTime(200);
    expect(last()?.video).toBe("none");
  });

  test("of a tile that has left the screen for a while, and not of one that came back", () => {
    scroll("s3", false);
    vi.advanceTimersByTime(1_000);
    scroll("s3", true);
    vi.advanceTimersByTime(5_000);
    expect(sent).toHaveLength(1);
    scroll("s3", false);
    vi.advanceTimersByTime(3_000);
    expect(last()?.seats).toEqual(["s1"]);
    scroll("s3", true);
    vi.advanceTimersByTime(200);
    expect(last()?.seats).toBeNull();
  });

  test("at most once a second, whatever happens on the page", () => {
    for (let n = 0; n < 100; n++) {
      pictures.value = n % 2 ? "all" : "none";
      vi.advanceTimersByTime(100);
    }
    expect(sent.length).toBeLessThanOrEqual(11);
    pictures.value = "holder";
    vi.advanceTimersByTime(2_000);
    expect(last()?.video).toBe("holder");
  });

  test("nothing while there is no line, and the newest once there is", () => {
    isOnline = false;
    pictures.value = "none";
    vi.advanceTimersByTime(2_000);
    expect(sent).toHaveLength(1);
    isOnline = true;
    watchAgain();
    vi.advanceTimersByTime(2_000);
    expect(last()?.video).toBe("none");
  });

  test("that nobody looks, a moment after the page is hidden, and at once when it is back", () => {
    page.hidden = true;
    page.dispatchEvent(new Event("visibilitychange"));
    vi.advanceTimersByTime(1_000);
    expect(sent).toHaveLength(1);
    vi.advanceTimersByTime(2_000);
    expect(last()?.video).toBe("none");
    page.hidden = false;
    page.dispatchEvent(new Event("visibilitychange"));
    vi.advanceTimersByTime(1_200);
    expect(last()?.video).toBe("all");
  });
});
