import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { ToWorker } from "../src/e2ee/worker";
import { Encryption } from "../src/net/encryption";

/** A worker that answers when the test says so, or never. */
class SilentWorker {
  static last: SilentWorker;
  onmessage: (event: { data: unknown }) => void = () => {};
  onerror: () => void = () => {};
  readonly told: ToWorker[] = [];
  constructor() {
    SilentWorker.last = this;
  }
  postMessage(message: ToWorker) {
    this.told.push(message);
  }
  terminate() {}
}

const failed = vi.fn();
let encryption: Encryption;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("Worker", SilentWorker);
  failed.mockClear();
  encryption = new Encryption({ changed() {}, lacking() {}, failed });
});
afterEach(() => {
  encryption.stop();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

test("a worker that answers works", async () => {
  const works = encryption.works();
  SilentWorker.last.onmessage({ data: { kind: "hand", ref: 1, keys: [] } });
  expect(await works).toBe(true);
});

test("a worker whose script does not come is told, and nobody waits for it", async () => {
  const works = encryption.works();
  SilentWorker.last.onerror();
  expect(await works).toBe(false);
  expect(failed).toHaveBeenCalledOnce();
  expect(await encryption.hand("joined")).toEqual([]);
});

test("what is never answered is nothing after a while", async () => {
  const [keys, said] = [encryption.hand("left"), encryption.say(new Uint8Array(1), "all")];
  await vi.advanceTimersByTimeAsync(10_000);
  expect(await keys).toEqual([]);
  expect(await said).toBeNull();
  expect(failed).not.toHaveBeenCalled();
});

test("who leaves waits for no answer", async () => {
  const heard = encryption.hear(3, "all", "words");
  encryption.stop();
  expect(await heard).toBeNull();
  expect(failed).not.toHaveBeenCalled();
});
