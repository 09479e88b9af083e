// Who is who, and what passes between them unread: the keys of docs/encryption.md. Names and labels
// are those of that page. What comes from the network never throws here: it opens or is null.

import { type Bytes, derive, draw, fromB64, join, NOTHING, toB64, utf8 } from "./frames.ts";

const SAFETY_ROUNDS = 600_000;
const IV_BYTES = 12;
/** The first byte of what goes from one to another: between two members, or to who returns. */
const PAIR = 1;
const RENEW = 2;

/** The bytes of a JSON object, and back: an object with anything in it, empty for what is none. */
export const pack = (what: object): Bytes => utf8(JSON.stringify(what));
export function unpack(text: Bytes | null): Record<string, unknown> {
  try {
    return Object(JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(text ?? NOTHING)));
  } catch {
    return {};
  }
}

/** b64 of `first ‖ iv ‖ ciphertext ‖ tag`. key: 32 bytes; first: what tells its kind, if anything. */
export async function seal(key: Bytes, label: string, text: Bytes, ...first: number[]) {
  const [iv, additionalData] = [draw(IV_BYTES), utf8(label)];
  const cipher = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["encrypt"]);
  const sealed = await crypto.subtle.encrypt({ name: "AES-GCM", iv, additionalData }, cipher, text);
  return toB64(join(Uint8Array.from(first), iv, new Uint8Array(sealed)));
}

/** What `seal` has sealed with the same key and label. */
export async function unseal(key: Bytes, label: string, sealed: unknown, ...first: number[]) {
  const data = fromB64(sealed);
  if (!data || first.some((byte, at) => byte !== data[at])) return null;
  const rest = data.slice(first.length);
  const how = { name: "AES-GCM", iv: rest.slice(0, IV_BYTES), additionalData: utf8(label) };
  const cipher = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ["decrypt"]);
  const plain = await crypto.subtle.decrypt(how, cipher, rest.slice(IV_BYTES)).catch(() => null);
  return plain && new Uint8Array(plain);
}

/** What the server keeps, to tell who has today's secret. */
export const check = async (secret: Bytes): Promise<string> =>
  toB64(await derive(secret, NOTHING, utf8("peermeet check"), 16));
export const announceKey = (secret: Bytes): Promise<Bytes> =>
  derive(secret, NOTHING, utf8("peermeet announce"), 32);
export const meetingKey = (secret: Bytes, circle: string): Promise<Bytes> =>
  derive(secret, utf8(circle), utf8("peermeet meeting"), 32);

/** The public half of somebody: two P-256 points of 65 bytes. */
export type Person = { hand: Bytes; device: Bytes };
/** Both halves of oneself. */
export type Self = Person & { handKey: CryptoKey; deviceKey: CryptoKey };

const CURVE = { name: "ECDH", namedCurve: "P-256" };

/** A hand or a device key. It cannot be exported, and can be kept in IndexedDB. */
export const makePair = (): Promise<CryptoKeyPair> =>
  crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);

export async function selfOf(hand: CryptoKeyPair, device: CryptoKeyPair): Promise<Self> {
  const point = async ({ publicKey }: CryptoKeyPair) =>
    new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  const person = { hand: await point(hand), device: await point(device) };
  return { ...person, handKey: hand.privateKey, deviceKey: device.privateKey };
}

/** Rejects what is no point of the curve. */
const importPoint = (point: Bytes) => crypto.subtle.importKey("raw", point, CURVE, true, []);

export const inB64 = ({ hand, device }: Person) => ({ hand: toB64(hand), device: toB64(device) });

/** null for who has no two points. */
export async function readPerson(what: Record<string, unknown>): Promise<Person | null> {
  const [hand, device] = [fromB64(what.hand), fromB64(what.device)];
  if (hand?.length !== 65 || device?.length !== 65) return null;
  const importing = Promise.all([importPoint(hand), importPoint(device)]);
  return importing.then(() => ({ hand, device })).catch(() => null);
}

/** 8 numbers of 0-255, the same wherever the same people are: the hands of all, oneself too. */
export async function safetyNumbers(meeting: Bytes, hands: readonly Bytes[]): Promise<number[]> {
  const sorted = [...new Set(hands.map((hand) => String.fromCharCode(...hand)))].sort();
  const everybody = Uint8Array.from(sorted.join(""), (letter) => letter.charCodeAt(0));
  const from = await crypto.subtle.importKey("raw", everybody, "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: meeting, iterations: SAFETY_ROUNDS };
  return [...new Uint8Array(await crypto.subtle.deriveBits(how, from, 64))];
}

/** The two keys between oneself and somebody: of what goes there, and of what comes back. */
async function between(own: Self, other: Person, salt: Bytes, label: string) {
  const shared = async (point: Bytes, mine: CryptoKey) => {
    const how = { name: "ECDH", public: await importPoint(point) };
    return new Uint8Array(await crypto.subtle.deriveBits(how, mine, 256));
  };
  const hands = await shared(other.hand, own.handKey);
  const both = join(hands, await shared(other.device, own.deviceKey));
  const key = (one: Person, two: Person) =>
    derive(both, salt, join(utf8(label), one.hand, one.device, two.hand, two.device), 32);
  return { there: await key(own, other), back: await key(other, own) };
}

/**
 * What goes between oneself and one other hand in one meeting, each message once. Kept as long as
 * the page, also when the other has gone: with it one would forget which messages had come.
 */
export class Pair {
  private sent = 0;
  private came = 0;
  private turn: Promise<unknown> = Promise.resolve();

  private constructor(private readonly keys: { there: Bytes; back: Bytes }) {}

  static async make(own: Self, other: Person, meeting: Bytes): Promise<Pair> {
    return new Pair(await between(own, other, meeting, "peermeet pair"));
  }

  /** Sealed in the order of calls. */
  seal(message: object): Promise<string> {
    return this.next(() => {
      return seal(this.keys.there, "keys", pack({ ...message, n: ++this.sent }), PAIR);
    });
  }

  /** In the order of calls; null also for a message that has come before, or was overtaken. */
  open(text: string): Promise<Record<string, unknown> | null> {
    return this.next(async () => {
      const { n, ...message } = unpack(await unseal(this.keys.back, "keys", text, PAIR));
      if (!Number.isSafeInteger(n) || (n as number) <= this.came) return null;
      this.came = n as number;
      return message;
    });
  }

  private next<T>(act: () => Promise<T>): Promise<T> {
    const done = this.turn.then(act);
    this.turn = done.catch(() => {});
    return done;
  }
}

/** Today's secret for somebody who has come with an older one. older: its meeting key. */
export async function sealRenew(own: Self, other: Person, older: Bytes, secret: Bytes) {
  const { there: kek } = await between(own, other, older, "peermeet renew");
  const what = { ...inB64(own), sealed: await seal(kek, "renew", secret) };
  return seal(older, "renew", pack(what), RENEW);
}

/** From whom, and the secret. The caller must know that device as one that has led. */
export async function openRenew(own: Self, older: Bytes, text: string) {
  const what = unpack(await unseal(older, "renew", text, RENEW));
  const person = await readPerson(what);
  if (!person) return null;
  const { back: kek } = await between(own, person, older, "peermeet renew");
  const secret = await unseal(kek, "renew", what.sealed);
  return secret?.length === 32 ? { ...person, secret } : null;
}
