// Who is who, and what passes between them unread: the keys of docs/encryption.md. Names and labels
// are those of that page. What comes from the network never throws here: it opens or is null.

import { type Bytes, derive, draw, fromB64, join, readJson, toB64, utf8 } from "./frames.ts";

const SAFETY_ROUNDS = 600_000;
const IV_BYTES = 12;
/** No control characters, and no half of a character. */
const NAME = /^[^\p{Cc}\p{Cs}]{1,40}$/u;
const NO_SALT: Bytes = new Uint8Array(0);

const pack = (what: object): Bytes => utf8(JSON.stringify(what));
const aes = (key: Bytes, use: "encrypt" | "decrypt") =>
  crypto.subtle.importKey("raw", key, "AES-GCM", false, [use]);

/** `iv ‖ ciphertext ‖ tag` under a key of 32 bytes. */
export async function seal(key: Bytes, label: string, text: Bytes): Promise<Bytes> {
  const iv = draw(IV_BYTES);
  const how = { name: "AES-GCM", iv, additionalData: utf8(label) };
  const sealed = await crypto.subtle.encrypt(how, await aes(key, "encrypt"), text);
  return join(iv, new Uint8Array(sealed));
}

/** What `seal` has sealed with the same key and label. */
async function unseal(key: Bytes, label: string, sealed: Bytes | null): Promise<Bytes | null> {
  if (!sealed) return null;
  const how = { name: "AES-GCM", iv: sealed.slice(0, IV_BYTES), additionalData: utf8(label) };
  const opening = crypto.subtle.decrypt(how, await aes(key, "decrypt"), sealed.slice(IV_BYTES));
  const text = await opening.catch(() => null);
  return text && new Uint8Array(text);
}

export const makeSecret = (): Bytes => draw(32);

/** The secret as it stands in a link, 43 letters; null if it is none. */
export function readSecret(text: unknown): Bytes | null {
  const secret = fromB64(text);
  return secret?.length === 32 ? secret : null;
}

/** What the server keeps, to tell who has today's secret. */
export const check = async (secret: Bytes): Promise<string> =>
  toB64(await derive(secret, NO_SALT, utf8("peermeet check"), 16));
export const announceKey = (secret: Bytes): Promise<Bytes> =>
  derive(secret, NO_SALT, utf8("peermeet announce"), 32);
export const meetingKey = (secret: Bytes, circle: string): Promise<Bytes> =>
  derive(secret, utf8(circle), utf8("peermeet meeting"), 32);

/** The public half of somebody: two P-256 points of 65 bytes. */
export type Person = { hand: Bytes; device: Bytes };
/** Both halves of oneself. */
export type Self = Person & { handKey: CryptoKey; deviceKey: CryptoKey };
export type Profile = Person & { name: string; color: string };

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

async function readPerson(what: Record<string, unknown>): Promise<Person | null> {
  const [hand, device] = [fromB64(what.hand), fromB64(what.device)];
  if (hand?.length !== 65 || device?.length !== 65) return null;
  const importing = Promise.all([importPoint(hand), importPoint(device)]);
  return importing.then(() => ({ hand, device })).catch(() => null);
}

export async function sealProfile(announce: Bytes, profile: Profile): Promise<string> {
  const { name, color, hand, device } = profile;
  const what = { name, color, hand: toB64(hand), device: toB64(device) };
  return toB64(await seal(announce, "profile", pack(what)));
}

/** Who that is; null if it does not open or is not the profile of anybody. */
export async function openProfile(announce: Bytes, text: string, palette: readonly string[]) {
  const what = readJson(await unseal(announce, "profile", fromB64(text)));
  const { name, color } = what;
  if (typeof name !== "string" || name !== name.trim() || !NAME.test(name)) return null;
  if (typeof color !== "string" || !palette.includes(color)) return null;
  const person = await readPerson(what);
  return person && ({ name, color, ...person } satisfies Profile);
}

/** 8 numbers of 0-255, the same wherever the same people are: the hands of all, oneself too. */
export async function safetyNumbers(meeting: Bytes, hands: readonly Bytes[]): Promise<number[]> {
  const sorted = [...new Set(hands.map((hand) => String.fromCharCode(...hand)))].sort();
  const everybody = Uint8Array.from(sorted.join(""), (letter) => letter.charCodeAt(0));
  const from = await crypto.subtle.importKey("raw", everybody, "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: meeting, iterations: SAFETY_ROUNDS };
  return [...new Uint8Array(await crypto.subtle.deriveBits(how, from, 64))];
}

export type Message =
  | { kind: "key"; id: number; key: Bytes }
  | { kind: "ask" }
  | { kind: "secret"; secret: Bytes };

const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0;

function readMessage({ kind, id, ...what }: Record<string, unknown>): Message | null {
  if (kind === "ask") return { kind };
  const key = fromB64(kind === "key" ? what.key : what.secret);
  if (key?.length !== 32) return null;
  if (kind === "key" && isCount(id) && id < 2 ** 40) return { kind, id, key };
  return kind === "secret" ? { kind, secret: key } : null;
}

function writeMessage(message: Message): object {
  if (message.kind === "key") return { ...message, key: toB64(message.key) };
  return message.kind === "secret" ? { ...message, secret: toB64(message.secret) } : message;
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
  seal(message: Message): Promise<string> {
    return this.next(async () => {
      const what = { n: ++this.sent, ...writeMessage(message) };
      return toB64(join(Uint8Array.of(1), await seal(this.keys.there, "keys", pack(what))));
    });
  }

  /** In the order of calls; null also for a message that has come before, or was overtaken. */
  open(text: string): Promise<Message | null> {
    return this.next(async () => {
      const data = fromB64(text);
      if (data?.[0] !== 1) return null;
      const { n, ...what } = readJson(await unseal(this.keys.back, "keys", data.slice(1)));
      const message = readMessage(what);
      if (!message || !isCount(n) || n <= this.came) return null;
      this.came = n;
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
  const sealed = toB64(await seal(kek, "renew", secret));
  const what = { hand: toB64(own.hand), device: toB64(own.device), sealed };
  return toB64(join(Uint8Array.of(2), await seal(older, "renew", pack(what))));
}

/** From whom, and the secret. The caller must know that device as one that has led. */
export async function openRenew(own: Self, older: Bytes, text: string) {
  const data = fromB64(text);
  if (data?.[0] !== 2) return null;
  const what = readJson(await unseal(older, "renew", data.slice(1)));
  const person = await readPerson(what);
  if (!person) return null;
  const { back: kek } = await between(own, person, older, "peermeet renew");
  const secret = await unseal(kek, "renew", fromB64(what.sealed));
  return secret?.length === 32 ? { ...person, secret } : null;
}
