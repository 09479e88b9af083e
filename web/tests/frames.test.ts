import { readFileSync } from "node:fs";
import { beforeEach, describe, expect, test } from "vitest";
import {
  type Bytes,
  decodeHeader,
  encodeHeader,
  fromB64,
  Key,
  type Kind,
  keyId,
  Receiver,
  ratchet,
  Sender,
  type SenderKey,
  STEPS_AT_ONCE,
  type To,
  toB64,
  utf8,
} from "../src/e2ee/frames";
import { readWords } from "../src/net/sealed";

const vectors = JSON.parse(
  readFileSync(new URL("../../tests/e2ee/vectors.json", import.meta.url), "utf8"),
);
const bytes = (hex: string): Bytes => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (data: ArrayBuffer | Uint8Array | null) =>
  data && Buffer.from(data as Uint8Array).toString("hex");
const SEAT = 3;

/** What is sealed at a counter, as a sender that has come that far would seal it. */
async function sealed(given: SenderKey, counter: number, kind: Kind, plain: Bytes) {
  const sender = await Sender.make(SEAT);
  const key = await Key.make(given);
  key.counter = counter;
  Reflect.set(sender, "used", key);
  return sender.seal(kind, plain.buffer, 0);
}

async function hearing(key: { id: number; key: string }) {
  const receiver = new Receiver();
  const seat = Math.floor(key.id / 2 ** 24);
  await receiver.take(seat, { id: key.id, key: bytes(key.key) }, 0);
  return { receiver, seat };
}

describe("of the vectors", () => {
  test("headers, also those of the RFC", () => {
    for (const { id, counter, header } of [...vectors.rfc9605.headers, ...vectors.headers]) {
      expect(hex(encodeHeader(id, counter))).toBe(header);
      const size = header.length / 2;
      expect(decodeHeader(bytes(`${header}00`))).toEqual({ id, counter, size });
      for (let short = 0; short < size; short++) {
        expect(decodeHeader(bytes(header).subarray(0, short))).toBeNull();
      }
    }
  });

  test("headers have one spelling, and no number too large to count with", () => {
    for (const longer of ["0807", "8000", "80070a", "090001", "9000010a", "0803"]) {
      expect(decodeHeader(bytes(longer)), longer).toBeNull();
    }
    expect(decodeHeader(bytes("0fffffffffffffffff"))).toBeNull();
  });

  test("the frame of the RFC", async () => {
    const it = vectors.rfc9605.sframe;
    const key = await Key.make({ id: it.id, key: bytes(it.base_key) });
    const header = encodeHeader(it.id, it.counter);
    const text = await key.run("encrypt", it.counter, header, bytes(it.clear), bytes(it.plain));
    expect(`${hex(header)}${hex(text)}`).toBe(it.sealed);
  });

  test("key ids and steps", async () => {
    for (const { seat, generation, step, id } of vectors.key_ids) {
      expect(keyId(seat, generation, step)).toBe(id);
    }
    for (let n = 1; n < vectors.ratchet.length; n++) {
      expect(hex(await ratchet(bytes(vectors.ratchet[n - 1])))).toBe(vectors.ratchet[n]);
    }
  });

  test("frames, both ways", async () => {
    for (const { name, kind, id, key, counter, plain, sealed: told } of vectors.frames) {
      const made = await sealed({ id, key: bytes(key) }, counter, kind, bytes(plain));
      expect(hex(made), name).toBe(told);
      const { receiver, seat } = await hearing({ id, key });
      expect(hex(await receiver.open(seat, kind, bytes(told).buffer, 0)), name).toBe(plain);
    }
  });

  test("words, and to whom", async () => {
    for (const { id, key, kind, text, to, sealed: told } of vectors.words) {
      const { receiver, seat } = await hearing({ id, key });
      const other: To = to === "all" ? "team" : "all";
      expect(await receiver.hear(seat, other, told, 0)).toBeNull();
      expect(readWords(await receiver.hear(seat, to, told, 0))).toEqual({ kind, text });
      expect(await receiver.hear(seat, to, told, 0)).toBeNull();
    }
  });
});

let sender: Sender;
let receiver: Receiver;
const send = (text: string, now = 0, kind: Kind = "audio") =>
  sender.seal(kind, utf8(text).buffer, now);
const open = async (frame: ArrayBuffer, now = 0, by = receiver, kind: Kind = "audio") => {
  const plain = await by.open(SEAT, kind, frame, now);
  return plain && new TextDecoder().decode(plain);
};
const meet = async (by: Receiver, keys: SenderKey[], now = 0) => {
  for (const key of keys) await by.take(SEAT, key, now);
};

beforeEach(async () => {
  sender = await Sender.make(SEAT);
  receiver = new Receiver();
  await meet(receiver, sender.asked(0));
});

describe("a frame", () => {
  test("that was never sealed opens nothing", async () => {
    expect(await open(utf8("plain").buffer)).toBeNull();
    expect(await open(new ArrayBuffer(0))).toBeNull();
  });

  test.each(["audio", "video"] as const)("of %s cannot be changed or cut", async (kind) => {
    const plain = bytes("101b009d012a4001b40011");
    const frame = new Uint8Array(await sender.seal(kind, plain.buffer, 0));
    for (let at = 0; at < frame.length; at++) {
      for (let bit = 0; bit < 8; bit++) {
        const changed = frame.slice();
        changed[at] = (changed[at] ?? 0) ^ (1 << bit);
        expect(await receiver.open(SEAT, kind, changed.buffer, 0)).toBeNull();
      }
      expect(await receiver.open(SEAT, kind, frame.slice(0, at).buffer, 0)).toBeNull();
    }
    expect(hex(await receiver.open(SEAT, kind, frame.buffer, 0))).toBe(hex(plain));
  });

  test("does not open with a wrong key, for another seat, or before its key is here", async () => {
    const frame = await send("x");
    const wrong = new Receiver();
    await meet(wrong, [{ id: keyId(SEAT, 0, 0), key: new Uint8Array(32) }]);
    expect(await open(frame, 0, wrong)).toBeNull();
    expect(wrong.lacking.size).toBe(0);
    expect(await receiver.open(SEAT + 1, "audio", frame, 0)).toBeNull();
    expect(receiver.lacking.size).toBe(0);
    const late = new Receiver();
    expect(await open(frame, 0, late)).toBeNull();
    expect([...late.lacking]).toEqual([SEAT]);
    await meet(late, sender.asked(0));
    expect(late.lacking.size).toBe(0);
    expect(await open(frame, 0, late)).toBe("x");
  });

  test("opens once, and not long after the others", async () => {
    const frames = await Promise.all(Array.from({ length: 1_100 }, (_, n) => send(`${n}`)));
    const order = [...Array(25).keys()].map((n) => 2 * n);
    order.push(...[...Array(25).keys()].map((n) => 49 - 2 * n), 1_098, 1_050);
    for (const n of order) expect(await open(frames[n] as ArrayBuffer)).toBe(`${n}`);
    for (const n of [...order, 60, 74]) {
      expect(await open(frames[n] as ArrayBuffer), `${n}`).toBeNull();
    }
    expect(await open(frames[75] as ArrayBuffer)).toBe("75");
  });

  test("that comes twice at once opens once", async () => {
    const frame = await send("x");
    const both = await Promise.all([open(frame), open(frame)]);
    expect(both.filter((plain) => plain === "x")).toHaveLength(1);
  });

  test("shares its counter with all streams and with words", async () => {
    const [words, ...frames] = await Promise.all([
      sender.say(utf8("hello"), "all", 0),
      send("sound"),
      send("picture", 0, "video"),
      send("sound"),
    ]);
    const counters = [fromB64(words) as Bytes, ...frames.map((it) => new Uint8Array(it))].map(
      (data, n) => {
        const end = data.length - 5;
        return decodeHeader(n === 0 ? data : data.subarray(end - (data[end] ?? 0)))?.counter;
      },
    );
    expect(counters).toEqual([0, 1, 2, 3]);
  });
});

describe("a step", () => {
  test("is followed by those who are here, and not backwards by who is new", async () => {
    const before = await send("before");
    const later = await send("later");
    const fresh = new Receiver();
    await meet(fresh, await sender.joined(0));
    const after = await send("after");
    for (const each of [receiver, fresh]) expect(await open(after, 0, each)).toBe("after");
    expect(await open(before, 4_999)).toBe("before");
    expect(await open(before, 0, fresh)).toBeNull();
    expect(fresh.lacking.size).toBe(0);
    expect(await open(later, 5_000)).toBeNull();
  });

  test("begins its own count, which two frames at once share", async () => {
    await sender.joined(0);
    const frames = await Promise.all([send("a"), send("b")]);
    expect(await Promise.all(frames.map((frame) => open(frame)))).toEqual(["a", "b"]);
    const again = await Promise.all(frames.map((frame) => open(frame)));
    expect(again).toEqual([null, null]);
  });

  test("is one for those who come in the same moment, and its count goes on", async () => {
    const coming = Array.from({ length: 10 }, () => sender.joined(0));
    const headers = new Set<string | null>();
    for (const joined of coming) {
      await joined;
      headers.add(hex((await send("x")).slice(-11, -5)));
    }
    expect(headers.size).toBe(10);
  });

  test("too far ahead is asked for", async () => {
    for (let n = 0; n < STEPS_AT_ONCE; n++) await sender.joined(0);
    expect(await open(await send("x"))).toBe("x");
    for (let n = 0; n <= STEPS_AT_ONCE; n++) await sender.joined(0);
    const frame = await send("y");
    expect(await open(frame)).toBeNull();
    expect([...receiver.lacking]).toEqual([SEAT]);
    await meet(receiver, sender.asked(0));
    expect(await open(frame)).toBe("y");
  });

  test("that is forged moves nothing", async () => {
    const key = { id: keyId(SEAT, 0, 9), key: new Uint8Array(32) };
    expect(await open(await sealed(key, 0, "audio", utf8("x")))).toBeNull();
    expect(await open(await send("y"), 9_999)).toBe("y");
  });

  test("never makes a key id that was there before", async () => {
    const ids: number[] = [];
    for (let n = 0; n < 600; n++) ids.push((await sender.joined(0))[0]?.id ?? -1);
    for (let n = 0; n < 20; n++) {
      await sender.left(n * 1_000);
      ids.push(sender.asked(n * 1_000 + 1_000)[0]?.id ?? -1);
    }
    expect(ids).toEqual([...new Set(ids)].sort((a, b) => a - b));
  });
});

describe("a generation", () => {
  test("is used after a second; the one before is kept for five more", async () => {
    const gone = new Receiver();
    await meet(gone, sender.asked(0));
    await meet(receiver, await sender.left(0));
    const [last, late] = [await send("last", 999), await send("late", 999)];
    const first = await send("first", 1_000);
    expect(await open(last, 999, gone)).toBe("last");
    expect(await open(first, 1_000, gone)).toBeNull();
    expect(await open(first, 1_000)).toBe("first");
    expect(await open(last, 5_999)).toBe("last");
    expect(await open(late, 6_000)).toBeNull();
    receiver.sweep(6_000);
    expect(await open(late, 0)).toBeNull();
  });

  test("is made anew when a second one leaves within the second", async () => {
    const second = new Receiver();
    await meet(second, sender.asked(0));
    const fresh = await sender.left(0);
    await meet(second, fresh);
    await meet(receiver, [...fresh, ...(await sender.left(700))]);
    const frame = await send("x", 1_000);
    expect(await open(frame, 1_000, second)).toBeNull();
    expect(await open(frame, 1_000)).toBe("x");
  });

  test("is one each for two who leave in the same moment", async () => {
    const [[first], [second]] = await Promise.all([sender.left(0), sender.left(0)]);
    expect(first?.id).not.toBe(second?.id);
    await meet(receiver, [second as SenderKey]);
    expect(await open(await send("x", 1_000), 1_000)).toBe("x");
  });

  test("that waits is handed to who comes meanwhile, beside the one in use", async () => {
    await meet(receiver, await sender.left(0));
    const fresh = new Receiver();
    await meet(fresh, await sender.joined(500));
    for (const now of [600, 1_000]) {
      const frame = await send("x", now);
      for (const each of [receiver, fresh]) expect(await open(frame, now, each)).toBe("x");
    }
  });

  test("ends the one before also for who sends nothing", async () => {
    const [late, later] = [await send("late"), await send("later")];
    await meet(receiver, await sender.left(0), 100);
    expect(await open(late, 6_099)).toBe("late");
    expect(await open(later, 6_100)).toBeNull();
  });

  test("does not come back by steps that nobody had seen", async () => {
    await sender.joined(0);
    const unseen = await send("unseen");
    const replay = await send("replay");
    await sender.joined(0);
    expect(await open(await send("x"))).toBe("x");
    expect(await open(unseen, 1_000)).toBe("unseen");
    expect(await open(replay, 6_000)).toBeNull();
    const other = new Receiver();
    await meet(other, [{ id: keyId(SEAT, 0, 0), key: new Uint8Array(32) }]);
    await meet(other, [{ id: keyId(SEAT, 1, 0), key: new Uint8Array(32) }]);
    const step = { id: keyId(SEAT, 0, 1), key: await ratchet(new Uint8Array(32)) };
    const forged = await sealed(step, 0, "audio", utf8("x"));
    expect(await open(forged, 6_000, other)).toBeNull();
  });

  test("of old is not taken again, nor a key without end kept", async () => {
    const old = sender.asked(0);
    const frame = await send("old");
    await meet(receiver, await sender.left(0));
    expect(await open(await send("x", 1_000), 1_000)).toBe("x");
    receiver.sweep(9_000);
    await meet(receiver, old);
    expect(await open(frame, 9_000)).toBeNull();
    expect(receiver.lacking.size).toBe(0);
    const given = (generation: number) => ({ id: keyId(SEAT, generation, 0), key: utf8("k") });
    for (let n = 2; n < 40; n++) await meet(receiver, [given(n)], 9_000);
    const frames = await Promise.all([2, 39].map((n) => sealed(given(n), 0, "audio", utf8("y"))));
    expect(await Promise.all(frames.map((each) => open(each, 9_000)))).toEqual([null, "y"]);
  });

  test("is forgotten with its person", async () => {
    receiver.forget(SEAT);
    expect(await open(await send("x"))).toBeNull();
    expect([...receiver.lacking]).toEqual([SEAT]);
  });
});

test("text has one spelling", () => {
  for (const data of ["", "ff", "ffff", "fbefff"]) {
    expect(hex(fromB64(toB64(bytes(data))))).toBe(data);
  }
  for (const text of ["a", "_x", "AA==", "A A", "+/8", null, 1]) expect(fromB64(text)).toBeNull();
});
