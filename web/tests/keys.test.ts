import { readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { type Bytes, draw, fromB64, toB64, utf8 } from "../src/e2ee/frames";
import * as keys from "../src/e2ee/keys";
import { Pair, type Self } from "../src/e2ee/keys";
import {
  type Message,
  openProfile,
  read32,
  readMessage,
  sealProfile,
  writeMessage,
} from "../src/net/sealed";
import type { Profile } from "../src/protocol";

const vectors = JSON.parse(
  readFileSync(new URL("../../tests/e2ee/vectors.json", import.meta.url), "utf8"),
);
const bytes = (hex: string): Bytes => new Uint8Array(Buffer.from(hex, "hex"));
const hex = (data: Uint8Array | undefined) => data && Buffer.from(data).toString("hex");
const told = vectors.group;
const meeting = bytes(told.meeting);

const importKey = (jwk: JsonWebKey) =>
  crypto.subtle.importKey("jwk", jwk, { name: "ECDH", namedCurve: "P-256" }, false, ["deriveBits"]);

/** Somebody of the vectors. */
async function person(name: string): Promise<Self> {
  const { hand, device, hand_jwk, device_jwk } = vectors.people[name];
  return {
    hand: bytes(hand),
    device: bytes(device),
    handKey: await importKey(hand_jwk),
    deviceKey: await importKey(device_jwk),
  };
}
const somebody = async () => keys.selfOf(await keys.makePair(), await keys.makePair());

let ana: Self;
let ben: Self;
let ron: Self;
beforeAll(async () => {
  [ana, ben, ron] = await Promise.all([somebody(), somebody(), somebody()]);
});

describe("of the vectors", () => {
  test("what comes of the secret", async () => {
    const secret = read32(told.in_link) as Bytes;
    expect(hex(secret)).toBe(told.secret);
    expect(await keys.check(secret)).toBe(told.check);
    expect(hex(await keys.announceKey(secret))).toBe(told.announce);
    expect(hex(await keys.meetingKey(secret, told.circle))).toBe(told.meeting);
  });

  test("a profile", async () => {
    const { name, color, of, sealed } = vectors.profile;
    const opened = await openProfile(bytes(told.announce), sealed);
    expect(opened).toMatchObject({ name, color });
    expect(hex(opened?.hand)).toBe(vectors.people[of].hand);
    expect(hex(opened?.device)).toBe(vectors.people[of].device);
  });

  test("profiles of nobody", async () => {
    for (const sealed of vectors.profiles_of_nobody) {
      expect(await openProfile(bytes(told.announce), sealed)).toBeNull();
    }
  });

  test("what goes between two", async () => {
    const { one, two, from_one, from_two, key, secret } = vectors.pair;
    const [first, second] = [await person(one), await person(two)];
    const there = await Pair.make(first, second, meeting);
    const back = await Pair.make(second, first, meeting);
    expect(readMessage(await back.open(from_one[0]))).toEqual({
      kind: "key",
      id: key.id,
      key: bytes(key.key),
    });
    expect(readMessage(await back.open(from_one[1]))).toEqual({ kind: "ask" });
    expect(readMessage(await back.open(from_one[2]))).toEqual({
      kind: "secret",
      secret: bytes(secret),
    });
    expect(readMessage(await there.open(from_two[0]))).toEqual({ kind: "ask" });
  });

  test("a renewed secret", async () => {
    const { from, to, older_meeting, secret, sealed } = vectors.renew;
    const opened = await keys.openRenew(await person(to), bytes(older_meeting), sealed);
    expect(hex(opened?.secret)).toBe(secret);
    expect(hex(opened?.device)).toBe(vectors.people[from].device);
  });

  test("safety numbers, in any order", async () => {
    const { hands, numbers } = vectors.safety;
    for (const order of [hands, [...hands].reverse(), [...hands, hands[0]]]) {
      expect(await keys.safetyNumbers(meeting, order.map(bytes))).toEqual(numbers);
    }
  });
});

describe("a profile", () => {
  const announce = new Uint8Array(32);
  const open = (text: string, by: Bytes = announce) => openProfile(by, text);

  test("opens for the group alone", async () => {
    const { hand, device } = ana;
    const profile: Profile = { name: "Zoë", color: "rose" };
    const sealed = await sealProfile(announce, ana, profile);
    expect(await open(sealed)).toEqual({ ...profile, hand, device });
    expect(await open(sealed, new Uint8Array(32).fill(1))).toBeNull();
    expect(await open(`${sealed.slice(0, -1)}${sealed.endsWith("A") ? "E" : "A"}`)).toBeNull();
  });

  test("of nobody is none", async () => {
    const whole = { name: "Ana", color: "rose" as const, hand: ana.hand, device: ana.device };
    const offCurve = new Uint8Array(65).fill(4);
    for (const change of [
      { name: "" },
      { name: " Ana" },
      { name: "🌱".repeat(41) },
      { color: "black" },
      { hand: offCurve },
      { device: offCurve },
      { device: ana.device.slice(1) },
    ]) {
      const wrong = { ...whole, ...change } as typeof whole;
      const sealed = await sealProfile(announce, wrong, wrong);
      expect(await open(sealed), JSON.stringify(change)).toBeNull();
    }
    for (const text of ["", "[]", "1", "null", "{}", '{"name":1}', "{"]) {
      expect(await open(await keys.seal(announce, "profile", utf8(text)))).toBeNull();
    }
    for (const text of ["", "AAAA", "no b64", toB64(new Uint8Array(40))]) {
      expect(await open(text)).toBeNull();
    }
    const longest = await sealProfile(announce, ana, { ...whole, name: "🌱".repeat(40) });
    expect(await open(longest)).not.toBeNull();
  });
});

describe("between two", () => {
  const key: Message = { kind: "key", id: 2 ** 40 - 1, key: new Uint8Array(32).fill(7) };
  const secret: Message = { kind: "secret", secret: new Uint8Array(32).fill(8) };

  test("every message opens once, in order, for one person in one meeting", async () => {
    const there = await Pair.make(ana, ben, meeting);
    const back = await Pair.make(ben, ana, meeting);
    const sent: Message[] = [key, { kind: "ask" }, secret];
    const texts: string[] = [];
    for (const message of sent) texts.push(await there.seal(writeMessage(message)));
    const strangers = [
      await Pair.make(ron, ana, meeting),
      await Pair.make(ben, ana, new Uint8Array(32)),
      there,
    ];
    for (const text of texts) {
      for (const stranger of strangers) expect(await stranger.open(text)).toBeNull();
    }
    for (const n of sent.keys())
      expect(readMessage(await back.open(texts[n] as string))).toEqual(sent[n]);
    for (const text of texts) expect(await back.open(text)).toBeNull();
  });

  test("nothing opens that is no message", async () => {
    const there = await Pair.make(ana, ben, meeting);
    const back = await Pair.make(ben, ana, meeting);
    const text = await there.seal({ kind: "ask" });
    const data = fromB64(text) as Bytes;
    for (let at = 0; at < data.length; at++) {
      const changed = data.slice();
      changed[at] = (changed[at] ?? 0) ^ 1;
      expect(await back.open(toB64(changed))).toBeNull();
    }
    for (const wrong of [
      { kind: "key", id: 2 ** 40, key: new Uint8Array(32) },
      { kind: "key", id: 1.5, key: new Uint8Array(32) },
      { kind: "key", id: 1, key: new Uint8Array(31) },
      { kind: "secret", secret: new Uint8Array(33) },
    ] as Message[]) {
      expect(readMessage(await back.open(await there.seal(writeMessage(wrong))))).toBeNull();
    }
    expect(await back.open(await there.seal({ kind: "ask" }))).toEqual({ kind: "ask" });
  });

  test("who shows another's device opens nothing", async () => {
    const mixed = { hand: ron.hand, device: ben.device };
    const sealed = await (await Pair.make(ana, mixed, meeting)).seal({ kind: "ask" });
    const renewed = await keys.sealRenew(ana, mixed, meeting, draw(32));
    for (const other of [ron, ben]) {
      expect(await (await Pair.make(other, ana, meeting)).open(sealed)).toBeNull();
      expect(await keys.openRenew(other, meeting, renewed)).toBeNull();
    }
  });

  test("a new secret reaches the one who returns, and nobody else", async () => {
    const fresh = draw(32);
    const renewed = await keys.sealRenew(ana, ben, meeting, fresh);
    expect(await keys.openRenew(ben, meeting, renewed)).toEqual({
      hand: ana.hand,
      device: ana.device,
      secret: fresh,
    });
    expect(await keys.openRenew(ron, meeting, renewed)).toBeNull();
    expect(await keys.openRenew(ben, new Uint8Array(32), renewed)).toBeNull();
    const otherKind = fromB64(renewed) as Bytes;
    otherKind[0] = 1;
    expect(await keys.openRenew(ben, meeting, toB64(otherKind))).toBeNull();
  });
});

test("one person more changes the safety numbers", async () => {
  const two = await keys.safetyNumbers(meeting, [ana.hand, ben.hand]);
  const three = await keys.safetyNumbers(meeting, [ana.hand, ben.hand, ron.hand]);
  expect(two).toHaveLength(8);
  expect(two).not.toEqual(three);
});

test("a secret is 43 letters and nothing else", () => {
  const text = toB64(draw(32));
  expect(text).toHaveLength(43);
  for (const wrong of [text.slice(1), `${text}A`, `${text}=`, "", null]) {
    expect(read32(wrong)).toBeNull();
  }
});

test("a device key does not leave the browser", async () => {
  const { privateKey } = await keys.makePair();
  await expect(crypto.subtle.exportKey("pkcs8", privateKey)).rejects.toThrow();
});
