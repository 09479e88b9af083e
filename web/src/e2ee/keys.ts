// Who is who, and what passes between them unread: the keys of docs/encryption.md. Names and labels
// are those of that page. What comes from the network never throws here: it opens or is null.

import {
  type Bytes,
  derive,
  fromB64,
  generationOf,
  join,
  keyId,
  ratchet,
  readJson,
  type SenderKey,
  toB64,
  USED_AFTER_MS,
  utf8,
} from "./frames.ts";

const SAFETY_ROUNDS = 600_000;
const IV_BYTES = 12;
const LAST_STEP = 255;
const LAST_GENERATION = 65_535;

const draw = (size: number): Bytes => crypto.getRandomValues(new Uint8Array(size));

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
export async function unseal(
  key: Bytes,
  label: string,
  sealed: Bytes | null,
): Promise<Bytes | null> {
  if (!sealed) return null;
  const how = { name: "AES-GCM", iv: sealed.slice(0, IV_BYTES), additionalData: utf8(label) };
  try {
    const text = sealed.subarray(IV_BYTES);
    return new Uint8Array(await crypto.subtle.decrypt(how, await aes(key, "decrypt"), text));
  } catch {
    return null;
  }
}

const pack = (what: object): Bytes => utf8(JSON.stringify(what));

// --- The group secret -------------------------------------------------------------------------

export const makeSecret = (): Bytes => draw(32);

/** The secret as it stands in a link, 43 letters; null if it is none. */
export function readSecret(text: unknown): Bytes | null {
  const secret = fromB64(text);
  return secret?.length === 32 ? secret : null;
}

const NO_SALT: Bytes = new Uint8Array(0);

/** What the server keeps, to tell who has today's secret. */
export const check = async (secret: Bytes): Promise<string> =>
  toB64(await derive(secret, NO_SALT, utf8("peermeet check"), 16));
export const announceKey = (secret: Bytes): Promise<Bytes> =>
  derive(secret, NO_SALT, utf8("peermeet announce"), 32);
export const meetingKey = (secret: Bytes, circle: string): Promise<Bytes> =>
  derive(secret, utf8(circle), utf8("peermeet meeting"), 32);

// --- Who is here ------------------------------------------------------------------------------

/** The public half of somebody: two P-256 points of 65 bytes. */
export interface Person {
  hand: Bytes;
  device: Bytes;
}
/** Both halves of oneself. */
export interface Self extends Person {
  handKey: CryptoKey;
  deviceKey: CryptoKey;
}
export interface Profile extends Person {
  name: string;
  color: string;
}

const CURVE = { name: "ECDH", namedCurve: "P-256" };

/** A hand or a device key. It cannot be exported, and can be kept in IndexedDB. */
export const makePair = (): Promise<CryptoKeyPair> =>
  crypto.subtle.generateKey(CURVE, false, ["deriveBits"]);

export async function selfOf(hand: CryptoKeyPair, device: CryptoKeyPair): Promise<Self> {
  const point = async ({ publicKey }: CryptoKeyPair) =>
    new Uint8Array(await crypto.subtle.exportKey("raw", publicKey));
  return {
    hand: await point(hand),
    device: await point(device),
    handKey: hand.privateKey,
    deviceKey: device.privateKey,
  };
}

/** Rejects what is no point of the curve. */
const importPoint = (point: Bytes) => crypto.subtle.importKey("raw", point, CURVE, true, []);

async function readPerson(what: Record<string, unknown>): Promise<Person | null> {
  const [hand, device] = [fromB64(what.hand), fromB64(what.device)];
  if (hand?.length !== 65 || device?.length !== 65) return null;
  try {
    await Promise.all([importPoint(hand), importPoint(device)]);
  } catch {
    return null;
  }
  return { hand, device };
}

export async function sealProfile(announce: Bytes, profile: Profile): Promise<string> {
  const { name, color, hand, device } = profile;
  const what = { name, color, hand: toB64(hand), device: toB64(device) };
  return toB64(await seal(announce, "profile", pack(what)));
}

/** Who that is; null if it does not open or is not the profile of anybody. colors: the palette. */
export async function openProfile(
  announce: Bytes,
  text: string,
  colors: readonly string[],
): Promise<Profile | null> {
  const what = readJson(await unseal(announce, "profile", fromB64(text)));
  const { name, color } = what;
  if (typeof name !== "string" || name !== name.trim()) return null;
  if (name === "" || [...name].length > 40) return null;
  if (typeof color !== "string" || !colors.includes(color)) return null;
  const person = await readPerson(what);
  return person && { name, color, ...person };
}

/** 8 numbers of 0-255, the same wherever the same people are: the hands of all, oneself too. */
export async function safetyNumbers(meeting: Bytes, hands: readonly Bytes[]): Promise<number[]> {
  const hex = (hand: Bytes) => [...hand].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const sorted = [...new Map(hands.map((hand) => [hex(hand), hand]))].sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  const everybody = join(...sorted.map(([, hand]) => hand));
  const from = await crypto.subtle.importKey("raw", everybody, "PBKDF2", false, ["deriveBits"]);
  const how = { name: "PBKDF2", hash: "SHA-256", salt: meeting, iterations: SAFETY_ROUNDS };
  return [...new Uint8Array(await crypto.subtle.deriveBits(how, from, 64))];
}

// --- Between two ------------------------------------------------------------------------------

export type Message =
  | ({ kind: "key" } & SenderKey)
  | { kind: "ask" }
  | { kind: "secret"; secret: Bytes };

function readMessage(what: Record<string, unknown>): Message | null {
  const { kind, id } = what;
  if (kind === "ask") return { kind };
  const key = fromB64(kind === "key" ? what.key : what.secret);
  if (key?.length !== 32) return null;
  if (kind === "secret") return { kind, secret: key };
  const isId = Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < 2 ** 40;
  return kind === "key" && isId ? { kind, id: id as number, key } : null;
}

function writeMessage(message: Message): object {
  if (message.kind === "key") return { kind: "key", id: message.id, key: toB64(message.key) };
  if (message.kind === "secret") return { kind: "secret", secret: toB64(message.secret) };
  return { kind: "ask" };
}

/** The two keys between oneself and somebody: of what goes there, and of what comes back. */
async function keysBetween(
  own: Self,
  other: Person,
  salt: Bytes,
  label: string,
): Promise<[Bytes, Bytes]> {
  const shared = async (point: Bytes, mine: CryptoKey) => {
    const how = { name: "ECDH", public: await importPoint(point) };
    return new Uint8Array(await crypto.subtle.deriveBits(how, mine, 256));
  };
  const between = join(
    await shared(other.hand, own.handKey),
    await shared(other.device, own.deviceKey),
  );
  const ends = (one: Person, two: Person) =>
    join(utf8(label), one.hand, one.device, two.hand, two.device);
  return Promise.all([
    derive(between, salt, ends(own, other), 32),
    derive(between, salt, ends(other, own), 32),
  ]);
}

/**
 * What goes between oneself and one other hand in one meeting, each message once. Kept as long as
 * the page, also when the other has gone: with it one would forget which messages had come.
 */
export class Pair {
  private sent = 0;
  private came = 0;

  private constructor(
    private readonly there: Bytes,
    private readonly back: Bytes,
  ) {}

  static async make(own: Self, other: Person, meeting: Bytes): Promise<Pair> {
    return new Pair(...(await keysBetween(own, other, meeting, "peermeet pair")));
  }

  async seal(message: Message): Promise<string> {
    const what = { n: ++this.sent, ...writeMessage(message) };
    return toB64(join(Uint8Array.of(1), await seal(this.there, "keys", pack(what))));
  }

  /** null also for a message that has come before, or that was overtaken. */
  async open(text: string): Promise<Message | null> {
    const data = fromB64(text);
    if (data?.[0] !== 1) return null;
    const what = readJson(await unseal(this.back, "keys", data.slice(1)));
    const message = readMessage(what);
    if (!message || !Number.isSafeInteger(what.n) || (what.n as number) <= this.came) return null;
    this.came = what.n as number;
    return message;
  }
}

/** Today's secret for somebody who has come with an older one. older: its meeting key. */
export async function sealRenew(own: Self, other: Person, older: Bytes, secret: Bytes) {
  const [kek] = await keysBetween(own, other, older, "peermeet renew");
  const sealed = toB64(await seal(kek, "renew", secret));
  const what = { hand: toB64(own.hand), device: toB64(own.device), sealed };
  return toB64(join(Uint8Array.of(2), await seal(older, "renew", pack(what))));
}

/** From whom, and the secret. The caller must know that device as one that has led. */
export async function openRenew(
  own: Self,
  older: Bytes,
  text: string,
): Promise<(Person & { secret: Bytes }) | null> {
  const data = fromB64(text);
  if (data?.[0] !== 2) return null;
  const what = readJson(await unseal(older, "renew", data.slice(1)));
  const person = await readPerson(what);
  if (!person) return null;
  const [, kek] = await keysBetween(own, person, older, "peermeet renew");
  const secret = await unseal(kek, "renew", fromB64(what.sealed));
  return secret?.length === 32 ? { ...person, secret } : null;
}

// --- My sender key ----------------------------------------------------------------------------

/** My sender key as people come and go. What it returns goes to the worker, and sealed to people. */
export class OwnKey {
  private used: SenderKey;
  private next: { key: SenderKey; from: number } | null = null;

  constructor(private readonly seat: number) {
    this.used = { id: keyId(seat, 0, 0), key: draw(32) };
  }

  /** What a member has to have: the key in use, and the next one if there is one. */
  keys(now: number): [SenderKey, SenderKey?] {
    if (this.next && now >= this.next.from) [this.used, this.next] = [this.next.key, null];
    return this.next ? [this.used, this.next.key] : [this.used];
  }

  /** Somebody is a member now: hand `keys` to them, and use the first of these at once. */
  async joined(now: number): Promise<[SenderKey, SenderKey?]> {
    const [{ id, key }] = this.keys(now);
    const isLast = id % 256 === LAST_STEP; // Then the others will ask for the next generation.
    const next = isLast ? this.fresh() : { id: id + 1, key: await ratchet(key) };
    if (next.id > this.used.id) this.used = next;
    if (this.next && next.id > this.next.key.id) this.next = null;
    return this.keys(now);
  }

  /** Somebody is a member no more, or the secret is new: hand this to all who remain. */
  left(now: number): { key: SenderKey; inMs: number } {
    this.keys(now);
    const from = this.next?.from ?? now + USED_AFTER_MS;
    const key = this.fresh();
    this.next = { key, from };
    return { key, inMs: from - now };
  }

  private fresh(): SenderKey {
    const generation = generationOf((this.next?.key ?? this.used).id) + 1;
    if (generation > LAST_GENERATION) throw new RangeError("no generation is used twice");
    return { id: keyId(this.seat, generation, 0), key: draw(32) };
  }
}
