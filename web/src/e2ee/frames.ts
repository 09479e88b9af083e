// Frames under a sender key: SFrame (RFC 9605) as docs/encryption.md has it. Times are milliseconds
// of any clock that does not jump. What comes from the network never throws here: it opens or is
// null. Everything before an `await` is done in the order of calls, so counters cannot meet.

export type Bytes = Uint8Array<ArrayBuffer>;
export type Kind = "audio" | "video";
export type To = "all" | "facilitators" | "team";
export interface Words {
  kind: "chat" | "caption" | "share";
  text: string;
}

/** A sender key as it is handed over. id: as `keyId` makes it; key: 32 bytes. */
export interface SenderKey {
  id: number;
  key: Bytes;
}

export const USED_AFTER_MS = 1_000;
export const KEPT_MS = 5_000;
export const STEPS_AT_ONCE = 32;
const WINDOW = 1_024;
const TAG_BYTES = 16;
const MARK = [0x50, 0x4d, 0xe2, 0xee] as const;
/** AES_128_GCM_SHA256_128 (RFC 9605, section 8.1). */
const SUITE = 4;

export const utf8 = (text: string): Bytes => new TextEncoder().encode(text);

/** One after the other. */
export function join(...parts: Uint8Array[]): Bytes {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** base64url without padding. */
export function toB64(data: Uint8Array): string {
  let text = "";
  for (const byte of data) text += String.fromCharCode(byte);
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The bytes, or null for anything but their one spelling. */
export function fromB64(text: unknown): Bytes | null {
  if (typeof text !== "string" || !/^[\w-]*$/.test(text) || text.length % 4 === 1) return null;
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const data = Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
  return toB64(data) === text ? data : null;
}

/** HKDF-SHA-256 (RFC 5869). */
export async function derive(key: Bytes, salt: Bytes, info: Bytes, size: number): Promise<Bytes> {
  const from = await crypto.subtle.importKey("raw", key, "HKDF", false, ["deriveBits"]);
  const how = { name: "HKDF", hash: "SHA-256", salt, info };
  return new Uint8Array(await crypto.subtle.deriveBits(how, from, size * 8));
}

const NOTHING: Bytes = new Uint8Array(0);
const SEAT = 2 ** 24;

/** seat: 0-65535, the number in its name; generation: 0-65535; step: 0-255. */
export const keyId = (seat: number, generation: number, step: number): number =>
  seat * SEAT + generation * 256 + step;
export const seatOf = (id: number): number => Math.floor(id / SEAT);
export const generationOf = (id: number): number => Math.floor(id / 256) % 65_536;

/** The key of the next step (RFC 9605, section 5.1). */
export const ratchet = (key: Bytes): Promise<Bytes> =>
  derive(key, NOTHING, utf8("SFrame 1.0 Ratchet"), 32);

/** The SFrame header (RFC 9605, section 4.3); both numbers safe integers. */
export function encodeHeader(id: number, counter: number): Bytes {
  const tail: number[] = [];
  let config = 0;
  for (const value of [id, counter]) {
    const from = tail.length;
    for (let rest = value; value > 7 && rest > 0; rest = Math.floor(rest / 256)) {
      tail.splice(from, 0, rest % 256);
    }
    const length = tail.length - from;
    config = config * 16 + (length > 0 ? 7 + length : value);
  }
  return Uint8Array.from([config, ...tail]);
}

/** What is read from a header at the beginning of `data`; size: how long it is. */
export function decodeHeader(
  data: Uint8Array,
): { id: number; counter: number; size: number } | null {
  const config = data[0];
  if (config === undefined) return null;
  let size = 1;
  const [id, counter] = [config >> 4, config & 15].map((field) => {
    if (field < 8) return field;
    let value = 0;
    for (const end = size + field - 7; size < end; size++)
      value = value * 256 + (data[size] ?? Number.NaN);
    return value;
  }) as [number, number];
  // Cut short, longer than a number here can be, or longer than it need be.
  if (!Number.isSafeInteger(id) || !Number.isSafeInteger(counter)) return null;
  return encodeHeader(id, counter).length === size ? { id, counter, size } : null;
}

/** How much of a frame stays readable, sealed or not (RFC 6386, section 9.1). */
function clearBytes(kind: Kind, frame: Uint8Array): number {
  const first = frame[0];
  if (kind === "audio" || first === undefined) return 0;
  return first & 1 ? 3 : 10;
}

/** One sender key at work: its cipher, the next counter, and which counters have come. */
export class Key {
  counter = 0;
  /** When it is forgotten. */
  until = Number.POSITIVE_INFINITY;
  private highest = -1;
  private readonly seen = new Uint8Array(WINDOW);

  private constructor(
    readonly given: SenderKey,
    private readonly cipher: CryptoKey,
    private readonly salt: DataView<ArrayBuffer>,
  ) {}

  /** Key and salt as in RFC 9605, section 4.4.2. */
  static async make(given: SenderKey): Promise<Key> {
    const about = new DataView(new ArrayBuffer(10));
    about.setBigUint64(0, BigInt(given.id));
    about.setUint16(8, SUITE);
    const part = (label: string, size: number) => {
      const info = join(utf8(`SFrame 1.0 Secret ${label} `), new Uint8Array(about.buffer));
      return derive(given.key, NOTHING, info, size);
    };
    const [key, salt] = await Promise.all([part("key", 16), part("salt", 12)]);
    const cipher = await crypto.subtle.importKey("raw", key, "AES-GCM", false, [
      "encrypt",
      "decrypt",
    ]);
    return new Key(given, cipher, new DataView(salt.buffer));
  }

  encrypt(counter: number, header: Bytes, clear: Bytes, text: Bytes): Promise<ArrayBuffer> {
    return crypto.subtle.encrypt(this.how(counter, header, clear), this.cipher, text);
  }

  /** Rejects what does not open. */
  decrypt(counter: number, header: Bytes, clear: Bytes, text: Bytes): Promise<ArrayBuffer> {
    return crypto.subtle.decrypt(this.how(counter, header, clear), this.cipher, text);
  }

  /** Whether this counter comes for the first time, and not too late to tell. */
  isFirst(counter: number): boolean {
    if (counter <= this.highest - WINDOW) return false;
    if (counter > this.highest) {
      const passed = Math.min(counter - this.highest, WINDOW);
      for (let back = 0; back < passed; back++) this.seen[(counter - back) % WINDOW] = 0;
      this.highest = counter;
    }
    const at = counter % WINDOW;
    const first = this.seen[at] === 0;
    this.seen[at] = 1;
    return first;
  }

  /** The nonce is salt XOR counter (RFC 9605, section 4.4.3). */
  private how(counter: number, header: Bytes, clear: Bytes): AesGcmParams {
    const iv = new DataView(this.salt.buffer.slice(0));
    iv.setUint32(4, this.salt.getUint32(4) ^ Math.floor(counter / 2 ** 32));
    iv.setUint32(8, this.salt.getUint32(8) ^ (counter % 2 ** 32));
    const additionalData = clear.length > 0 ? join(header, clear) : header;
    return { name: "AES-GCM", iv, additionalData };
  }
}

/** Seals what I send. Without a key nothing is sealed. */
export class Sender {
  private used: Key | null = null;
  private coming: { key: Key; from: number }[] = [];

  /** Seals with this key from a time on; a key with a higher id that is due comes before it. */
  async use(key: SenderKey, from: number): Promise<void> {
    this.coming.push({ key: await Key.make(key), from });
  }

  /** A frame as it goes into packets. */
  async seal(kind: Kind, frame: ArrayBuffer, now: number): Promise<ArrayBuffer | null> {
    const key = this.current(now);
    if (!key) return null;
    const counter = key.counter++;
    const plain = new Uint8Array(frame);
    const header = encodeHeader(key.given.id, counter);
    const clear = plain.subarray(0, clearBytes(kind, plain));
    const text = await key.encrypt(counter, header, clear, plain.subarray(clear.length));
    return join(clear, new Uint8Array(text), header, Uint8Array.of(header.length, ...MARK)).buffer;
  }

  /** Written words as they are sent. */
  async say(words: Words, to: To, now: number): Promise<string | null> {
    const key = this.current(now);
    if (!key) return null;
    const counter = key.counter++;
    const header = encodeHeader(key.given.id, counter);
    const plain = utf8(JSON.stringify({ kind: words.kind, text: words.text }));
    const text = await key.encrypt(counter, header, utf8(`say ${to}`), plain);
    return toB64(join(header, new Uint8Array(text)));
  }

  /** Key ids only grow, so that no key begins its counter anew. */
  private current(now: number): Key | null {
    if (this.coming.length > 0) {
      for (const { key, from } of this.coming) {
        if (from <= now && key.given.id > (this.used?.given.id ?? -1)) this.used = key;
      }
      this.coming = this.coming.filter(({ from }) => from > now);
    }
    return this.used;
  }
}

interface Seat {
  newest: number;
  keys: Map<number, Key>;
}

/** The sender keys of the others, by seat. */
export class Receiver {
  /** Seats of which something came under a key that was never handed over; the caller's to clear. */
  readonly lacking = new Set<number>();
  private readonly seats = new Map<number, Seat>();

  /** A key from the person at that seat; not one that is older than what they handed over. */
  async take(seat: number, key: SenderKey): Promise<void> {
    const of = this.seats.get(seat) ?? { newest: -1, keys: new Map<number, Key>() };
    this.seats.set(seat, of);
    if (seatOf(key.id) !== seat || key.id <= of.newest) return;
    of.newest = key.id;
    of.keys.set(key.id, await Key.make(key));
    if (of.keys.size > STEPS_AT_ONCE) of.keys.delete(Math.min(...of.keys.keys()));
    this.lacking.delete(seat);
  }

  /** The person has gone, or somebody else is at the seat. */
  forget(seat: number): void {
    this.seats.delete(seat);
    this.lacking.delete(seat);
  }

  /** Forgets keys whose time is over; within a second of it is soon enough. */
  sweep(now: number): void {
    for (const { keys } of this.seats.values()) {
      for (const [id, { until }] of keys) if (until <= now) keys.delete(id);
    }
  }

  /** A frame that came from that seat. */
  async open(
    seat: number,
    kind: Kind,
    frame: ArrayBuffer,
    now: number,
  ): Promise<ArrayBuffer | null> {
    const data = new Uint8Array(frame);
    const end = data.length - 5;
    const size = data[end];
    if (!size || size > end || !MARK.every((byte, at) => data[end + 1 + at] === byte)) return null;
    const header = data.subarray(end - size, end);
    const body = data.subarray(0, end - size);
    const clear = body.subarray(0, Math.min(clearBytes(kind, data), body.length - TAG_BYTES));
    if (body.length < TAG_BYTES) return null;
    const plain = await this.unseal(seat, header, clear, body.subarray(clear.length), now);
    if (!plain || clear.length === 0) return plain;
    return join(clear, new Uint8Array(plain)).buffer;
  }

  /** Words written at that seat. */
  async hear(seat: number, to: To, text: string, now: number): Promise<Words | null> {
    const data = fromB64(text) ?? NOTHING;
    const size = decodeHeader(data)?.size ?? 0;
    const clear = utf8(`say ${to}`);
    const plain = await this.unseal(seat, data.subarray(0, size), clear, data.subarray(size), now);
    const words = readJson(plain);
    const isKind = words.kind === "chat" || words.kind === "caption" || words.kind === "share";
    if (!isKind || typeof words.text !== "string") return null;
    return { kind: words.kind as Words["kind"], text: words.text };
  }

  private async unseal(
    seat: number,
    header: Bytes,
    clear: Bytes,
    text: Bytes,
    now: number,
  ): Promise<ArrayBuffer | null> {
    const read = decodeHeader(header);
    const of = this.seats.get(seat);
    if (read?.size !== header.length || seatOf(read.id) !== seat) return null;
    const { id, counter } = read;
    const key = await this.find(seat, id);
    if (!key || !of || now >= key.until) return null;
    let plain: ArrayBuffer;
    try {
      plain = await key.decrypt(counter, header, clear, text);
    } catch {
      return null;
    }
    // Another frame may have made the same step meanwhile; the counters are kept in one place.
    const kept = of.keys.get(id) ?? key;
    if (!kept.isFirst(counter)) return null;
    of.keys.set(id, kept);
    of.newest = Math.max(of.newest, id);
    for (const [earlier, other] of of.keys) {
      if (earlier < id) other.until = Math.min(other.until, now + KEPT_MS);
    }
    return plain;
  }

  /** The key of this id, if need be by steps from an earlier one; what opens nothing is not kept. */
  private async find(seat: number, id: number): Promise<Key | null> {
    const of = this.seats.get(seat);
    const known = of?.keys.get(id);
    if (known) return known;
    const begin = Math.floor(id / 256) * 256;
    const earlier = [...(of?.keys.values() ?? [])].filter(
      ({ given }) => given.id >= begin && given.id < id,
    );
    const from = earlier.sort((a, b) => b.given.id - a.given.id)[0]?.given;
    if (!from || id - from.id > STEPS_AT_ONCE) {
      if (id > (of?.newest ?? -1)) this.lacking.add(seat);
      return null;
    }
    let { key } = from;
    for (let step = from.id; step < id; step++) key = await ratchet(key);
    return Key.make({ id, key });
  }
}

/** An object with anything in it, empty for what is none. */
export function readJson(text: ArrayBuffer | Bytes | null): Record<string, unknown> {
  try {
    const read: unknown = JSON.parse(
      new TextDecoder("utf-8", { fatal: true }).decode(text ?? NOTHING),
    );
    return typeof read === "object" && read !== null ? (read as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
