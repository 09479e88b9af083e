import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { keyId, Receiver, Sender, type SenderKey, utf8 } from "../src/e2ee/frames";
import type { End, FromWorker, ToWorker } from "../src/e2ee/worker";

interface Frame {
  data: ArrayBuffer;
}
const scope = globalThis as unknown as {
  postMessage(message: FromWorker): void;
  onmessage(event: { data: ToWorker }): void;
  onrtctransform(event: { transformer: object }): void;
};
const told: FromWorker[] = [];
const tell = (data: ToWorker) => scope.onmessage({ data });
const text = ({ data }: Frame) => new TextDecoder().decode(data);
let refs = 0;

async function answer<K extends "hand" | "say" | "hear">(
  kind: K,
  rest: object,
): Promise<Extract<FromWorker, { kind: K }>> {
  const ref = ++refs;
  tell({ kind, ref, ...rest } as unknown as ToWorker);
  return vi.waitFor(() => {
    const it = told.find((each) => each.kind === kind && "ref" in each && each.ref === ref);
    if (!it) throw new Error("no answer yet");
    return it as Extract<FromWorker, { kind: K }>;
  });
}

/** What the worker says next of all frames so far. */
async function counts(): Promise<Extract<FromWorker, { kind: "counts" }>> {
  told.length = 0;
  vi.advanceTimersByTime(500);
  const it = told.find(({ kind }) => kind === "counts");
  if (it?.kind !== "counts") throw new Error("no counts");
  return structuredClone(it);
}

/** An end that a transform is at: frames go in, and what comes out is kept. */
function line(end: End, older = false) {
  const out: Frame[] = [];
  const frames = new TransformStream<Frame, Frame>();
  const { readable, writable } = {
    readable: frames.readable,
    writable: new WritableStream<Frame>({ write: (frame) => void out.push(frame) }),
  };
  if (older) tell({ kind: "streams", end, readable, writable });
  else scope.onrtctransform({ transformer: { readable, writable, options: end } });
  const writer = frames.writable.getWriter();
  const put = (data: ArrayBuffer) => writer.write({ data });
  return { out, put, end: () => writer.close() };
}

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["setInterval"] });
  scope.postMessage = (message) => void told.push(message);
  await import("../src/e2ee/worker");
});
afterAll(() => vi.useRealTimers());
beforeEach(() => {
  told.length = 0;
});

describe("before there is a key", () => {
  test("nothing leaves, whatever is put in", async () => {
    const sends = ["audio", "video", "screen"] as const;
    for (const own of sends) {
      const { out, put, end } = line({ sends: own });
      for (let n = 0; n < 10; n++) await put(utf8("in the clear").buffer);
      await put(new ArrayBuffer(0));
      await end();
      expect(out).toEqual([]);
    }
    expect((await counts()).sent).toEqual({ audio: 0, video: 0, screen: 0 });
    expect((await answer("hand", { why: "asked" })).keys).toEqual([]);
    const plain = utf8("in the clear");
    expect((await answer("say", { to: "all", plain })).text).toBeNull();
  });
});

describe("with a key", () => {
  let keys: SenderKey[];
  let receiver: Receiver;
  beforeAll(async () => {
    tell({ kind: "seat", seat: 3 });
    tell({ kind: "seat", seat: 3 });
    keys = (await answer("hand", { why: "asked" })).keys;
    receiver = new Receiver();
    for (const key of keys) await receiver.take(3, key, 0);
  });

  test.each([false, true])(
    "frames leave sealed and in order (older interface: %s)",
    async (old) => {
      const before = (await counts()).sent.screen;
      const { out, put } = line({ sends: "screen" }, old);
      for (let n = 0; n < 50; n++) await put(utf8(`a picture ${n}`).buffer);
      await vi.waitFor(() => expect(out).toHaveLength(50));
      for (const [n, frame] of out.entries()) {
        expect(text(frame)).not.toContain("ture");
        const plain = (await receiver.open(3, "video", frame.data, 0)) as ArrayBuffer;
        expect(text({ data: plain })).toBe(`a picture ${n}`);
      }
      expect((await counts()).sent.screen).toBe(before + 50);
    },
  );

  test("a frame that is no frame is dropped, and the next one goes on", async () => {
    const { out, put } = line({ sends: "audio" });
    await put("not a buffer" as unknown as ArrayBuffer);
    await put(structuredClone(utf8("x").buffer));
    await vi.waitFor(() => expect(out).not.toEqual([]));
  });

  test("the same seat again changes nothing", async () => {
    tell({ kind: "seat", seat: 3 });
    expect((await answer("hand", { why: "asked" })).keys).toEqual(keys);
  });

  test("keys are handed over for a step and for a generation", async () => {
    const [step] = (await answer("hand", { why: "joined" })).keys as [SenderKey];
    expect(step.id).toBe(keyId(3, 0, 1));
    const [fresh] = (await answer("hand", { why: "left" })).keys as [SenderKey];
    expect(fresh.id).toBe(keyId(3, 1, 0));
    const both = (await answer("hand", { why: "asked" })).keys.map(({ id }) => id);
    expect(both).toEqual([step.id, fresh.id]);
  });
});

describe("what comes in", () => {
  let ben: Sender;
  beforeAll(async () => {
    ben = await Sender.make(4);
  });
  const say = (what: string) => ben.seal("audio", utf8(what).buffer, 0);

  test("is played for the seat it came from, once its key is here", async () => {
    const { out, put, end } = line({ plays: "audio", place: "1" });
    await put(await say("unplaced"));
    tell({ kind: "seats", seats: { "1": 4 } });
    await answer("hand", { why: "asked" });
    await put(await say("lacking"));
    await put(utf8("in the clear").buffer);
    const { played, lacking } = await counts();
    expect([played["1"], lacking]).toEqual([{ opened: 0, dropped: 3 }, [4]]);
    expect((await counts()).lacking).toEqual([]);
    for (const key of ben.asked(0)) tell({ kind: "key", seat: 4, key });
    await answer("hand", { why: "asked" });
    for (const what of ["a", "b", "c"]) await put(await say(what));
    await vi.waitFor(() => expect(out.map(text)).toEqual(["a", "b", "c"]));
    expect(await counts()).toMatchObject({ played: { "1": { opened: 3, dropped: 3 } } });
    tell({ kind: "seats", seats: { "1": 5 } });
    await answer("hand", { why: "asked" });
    await put(await say("another's seat"));
    await end();
    expect(out).toHaveLength(3);
    await vi.waitFor(async () => expect((await counts()).played).toEqual({}));
  });

  test("in words opens right behind its key, and not after its person has gone", async () => {
    const words = utf8("hello");
    const cleo = await Sender.make(6);
    const said = await cleo.say(words, "all", 0);
    for (const key of cleo.asked(0)) tell({ kind: "key", seat: 6, key });
    expect((await answer("hear", { seat: 6, to: "all", text: said })).plain).toEqual(words);
    expect((await answer("hear", { seat: 6, to: "all", text: said })).plain).toBeNull();
    const more = await cleo.say(words, "all", 0);
    tell({ kind: "forget", seat: 6 });
    expect((await answer("hear", { seat: 6, to: "all", text: more })).plain).toBeNull();
    expect((await counts()).lacking).toContain(6);
  });

  test("of my own goes out as words do", async () => {
    const plain = utf8("today");
    const { text: said } = await answer("say", { to: "team", plain });
    const receiver = new Receiver();
    for (const key of (await answer("hand", { why: "asked" })).keys) await receiver.take(3, key, 0);
    expect(await receiver.hear(3, "team", said as string, 0)).toEqual(plain);
  });
});

test("when there is no fresh key for those who remain, nothing more leaves", async () => {
  const spent = await Sender.make(9);
  Reflect.set(spent, "generation", 65_535);
  vi.spyOn(Sender, "make").mockResolvedValue(spent);
  tell({ kind: "seat", seat: 9 });
  const { out, put, end } = line({ sends: "audio" });
  expect((await answer("hand", { why: "asked" })).keys).toHaveLength(1);
  await put(utf8("to all who are here").buffer);
  expect((await answer("hand", { why: "left" })).keys).toEqual([]);
  await put(utf8("not for who has gone").buffer);
  await end();
  await vi.waitFor(() => expect(out).toHaveLength(1));
  expect((await answer("say", { to: "all", plain: utf8("nor this") })).text).toBeNull();
});
