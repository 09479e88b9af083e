// Frames under a sender key: SFrame (RFC 9605) as docs/encryption.md has it. Times are milliseconds
// of any clock that does not jump. What comes from the network never throws here: it opens or is
// null. Everything before an `await` is done in the order of calls, so counters cannot meet.

export type Bytes = Uint8Array<ArrayBuffer>;
export type Kind = "audio" | "video";
export type To = "all" | "facilitators" | "team";

/** A sender key as it is handed over. id: as `keyId` makes it; key: 32 bytes. */
export type SenderKey = { id: number; key: Bytes };

const USED_AFTER_MS = 1_000;
const KEPT_MS = 5_000;
export const STEPS_AT_ONCE = 32;
const WINDOW = 1_024;
const TAG_BYTES = 16;
const MARK = [0x50, 0x4d, 0xe2, 0xee] as const;
/** AES_128_GCM_SHA256_128 (RFC 9605, section 8.1). */
const SUITE = 4;
const LAST_STEP = 255;
const LAST_GENERATION = 65_535;
type Way = "encrypt" | "decrypt";

export const draw = (size: number): Bytes => crypto.getRandomValues(new Uint8Array(size));
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

export const NOTHING: Bytes = new Uint8Array(0);
const SEAT = 2 ** 24;

/** seat: 0-65535, the number in its name; generation: 0-65535; step: 0-255. */
export const keyId = (seat: number, generation: number, step: number): number =>
  seat * SEAT + generation * 256 + step;
export const seatOf = (id: number): number => Math.floor(id / SEAT);

/** The key of the next step (RFC 9605, section 5.1). */
export const ratchet = (key: Bytes): Promise<Bytes> =>
  derive(key, NOTHING, utf8("SFrame 1.0 Ratchet"), 32);

const bytesOf = (value: number): number[] =>
  value < 256 ? [value] : [...bytesOf(Math.floor(value / 256)), value % 256];

/** The SFrame header (RFC 9605, section 4.3); both numbers safe integers. */
export function encodeHeader(id: number, counter: number): Bytes {
  const behind = (value: number) => (value < 8 ? [] : bytesOf(value));
  const field = (value: number) => (value < 8 ? value : 7 + behind(value).length);
  return Uint8Array.of(field(id) * 16 + field(counter), ...behind(id), ...behind(counter));
}

/** What is read from a header at the beginning of `data`; size: how long it is. */
export function decodeHeader(data: Uint8Array) {
  const config = data[0];
  if (config === undefined) return null;
  let size = 1;
  const [id, counter] = [config >> 4, config & 15].map((field) => {
    if (field < 8) return field;
    let value = 0;
    for (let left = field - 7; left > 0; left--) value = value * 256 + (data[size++] ?? Number.NaN);
    return value;
  }) as [number, number];
  // Cut short, longer than a number here can be, or longer than it need be.
  if (!Number.isSafeInteger(id) || !Number.isSafeInteger(counter)) return null;
  return encodeHeader(id, counter).length === size ? { id, counter, size } : null;
}

/** How much of a frame stays readable, sealed or not (RFC 6386, section 9.1). */
function clearBytes(kind: Kind, frame: Uint8Array): number {
  if (kind === "audio" || frame[0] === undefined) return 0;
  return frame[0] & 1 ? 3 : 10;
}

/** One sender key at work: its cipher, the next counter, and which counters have come. */
export class Key {
  counter = 0;
  /** When it is forgotten. */
  until = Number.POSITIVE_INFINITY;
  private highest = -1;
  /** The last counter that came in each place of the window. */
  private readonly seen = new Float64Array(WINDOW).fill(-1);

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
    const [key, salt] = [await part("key", 16), await part("salt", 12)];
    const ways: Way[] = ["encrypt", "decrypt"];
    const cipher = await crypto.subtle.importKey("raw", key, "AES-GCM", false, ways);
    return new Key(given, cipher, new DataView(salt.buffer));
  }

  /** The nonce is salt XOR counter (RFC 9605, section 4.4.3). Rejects what does not open. */
  run(way: Way, counter: number, header: Bytes, clear: Bytes, text: Bytes): Promise<ArrayBuffer> {
    const iv = new DataView(this.salt.buffer.slice(0));
    iv.setUint32(4, this.salt.getUint32(4) ^ Math.floor(counter / 2 ** 32));
    iv.setUint32(8, this.salt.getUint32(8) ^ (counter % 2 ** 32));
    const additionalData = clear.length > 0 ? join(header, clear) : header;
    return crypto.subtle[way]({ name: "AES-GCM", iv, additionalData }, this.cipher, text);
  }

  /** Whether this counter comes for the first time, and not too late to tell. */
  isFirst(counter: number): boolean {
    const at = counter % WINDOW;
    if (counter <= this.highest - WINDOW || this.seen[at] === counter) return false;
    this.highest = Math.max(this.highest, counter);
    this.seen[at] = counter;
    return true;
  }
}

/** My sender key as people come and go, and everything that is sealed with it. */
export class Sender {
  private generation = 0;
  private next: { key: Key; from: number } | null = null;

  private constructor(
    readonly seat: number,
    private used: Key,
  ) {}

  static async make(seat: number): Promise<Sender> {
    return new Sender(seat, await Key.make({ id: keyId(seat, 0, 0), key: draw(32) }));
  }

  /** What a member has to have: the key in use, and the next one if there is one. */
  asked(now: number): SenderKey[] {
    this.advance(now);
    return [this.used.given, ...(this.next ? [this.next.key.given] : [])];
  }

  /** Somebody is a member now: what to hand to them. The others find the step alone. */
  async joined(now: number): Promise<SenderKey[]> {
    this.advance(now);
    const { id, key } = this.used.given;
    const isLast = id % 256 === LAST_STEP; // Then the others will ask for the next generation.
    this.use(isLast ? await this.fresh() : await Key.make({ id: id + 1, key: await ratchet(key) }));
    return this.asked(now);
  }

  /** Somebody is a member no more, or the secret is new: what to hand to all who remain. */
  async left(now: number): Promise<SenderKey[]> {
    this.advance(now);
    const from = this.next?.from ?? now + USED_AFTER_MS;
    const key = await this.fresh();
    if (!this.next || this.next.key.given.id < key.given.id) this.next = { key, from };
    return [key.given];
  }

  /** A frame as it goes into packets. */
  async seal(kind: Kind, frame: ArrayBuffer, now: number): Promise<ArrayBuffer> {
    const plain = new Uint8Array(frame);
    const clear = plain.subarray(0, clearBytes(kind, plain));
    const [header, text] = await this.encrypt(clear, plain.subarray(clear.length), now);
    return join(clear, text, header, Uint8Array.of(header.length, ...MARK)).buffer;
  }

  /** Written words as they are sent. */
  async say(plain: Bytes, to: To, now: number): Promise<string> {
    return toB64(join(...(await this.encrypt(utf8(`say ${to}`), plain, now))));
  }

  private async encrypt(clear: Bytes, text: Bytes, now: number): Promise<[Bytes, Bytes]> {
    this.advance(now);
    const counter = this.used.counter++;
    const header = encodeHeader(this.used.given.id, counter);
    return [header, new Uint8Array(await this.used.run("encrypt", counter, header, clear, text))];
  }

  private async fresh(): Promise<Key> {
    // Counted before anything is waited for: two who leave at once make two generations.
    const id = keyId(this.seat, ++this.generation, 0);
    if (this.generation > LAST_GENERATION) throw new RangeError("no generation is used twice");
    return Key.make({ id, key: draw(32) });
  }

  private advance(now: number): void {
    if (this.next && now >= this.next.from) this.use(this.next.key);
  }

  /** Key ids only grow, so that no key begins its counter anew. */
  private use(key: Key): void {
    if (key.given.id > this.used.given.id) this.used = key;
    if (this.next && this.next.key.given.id <= this.used.given.id) this.next = null;
  }
}

/** given: the highest key id handed over or opened; opened: the highest that a frame opened with. */
type Seat = { given: number; opened: number; keys: Map<number, Key> };
const nobody = (): Seat => ({ given: -1, opened: -1, keys: new Map() });

/** The sender keys of the others, by seat. */
export class Receiver {
  /** Seats of which something came under a key that was never handed over; the caller's to clear. */
  readonly lacking = new Set<number>();
  private readonly seats = new Map<number, Seat>();

  /** A key from the person at that seat; not one that is older than what they handed over. */
  async take(seat: number, key: SenderKey, now: number): Promise<void> {
    const of = this.seats.get(seat) ?? nobody();
    this.seats.set(seat, of);
    if (seatOf(key.id) !== seat || key.id <= of.given) return;
    of.given = key.id;
    outlive(of, key.id, now + USED_AFTER_MS + KEPT_MS);
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
  async open(seat: number, kind: Kind, frame: ArrayBuffer, now: number) {
    const data = new Uint8Array(frame);
    const end = data.length - 5;
    const size = data[end] ?? 0;
    const body = data.subarray(0, Math.max(0, end - size));
    const isMarked = MARK.every((byte, at) => data[end + 1 + at] === byte);
    if (!isMarked || body.length < TAG_BYTES) return null;
    const clear = body.subarray(0, Math.min(clearBytes(kind, data), body.length - TAG_BYTES));
    const text = body.subarray(clear.length);
    const plain = await this.unseal(seat, data.subarray(end - size, end), clear, text, now);
    return plain && (clear.length > 0 ? join(clear, plain) : plain).buffer;
  }

  /** Words written at that seat. */
  async hear(seat: number, to: To, sealed: string, now: number): Promise<Bytes | null> {
    const data = fromB64(sealed) ?? NOTHING;
    const size = decodeHeader(data)?.size ?? 0;
    const [header, body] = [data.subarray(0, size), data.subarray(size)];
    return this.unseal(seat, header, utf8(`say ${to}`), body, now);
  }

  private async unseal(seat: number, header: Bytes, clear: Bytes, text: Bytes, now: number) {
    const read = decodeHeader(header);
    if (read?.size !== header.length || seatOf(read.id) !== seat) return null;
    const { id, counter } = read;
    const of = this.seats.get(seat) ?? nobody();
    const key = await find(of, id, now);
    if (!key && id > of.given) this.lacking.add(seat);
    const plain = await key?.run("decrypt", counter, header, clear, text).catch(() => null);
    // Another frame may have made the same step meanwhile; the counters are kept in one place.
    const kept = of.keys.get(id) ?? key;
    if (!plain || !kept?.isFirst(counter)) return null;
    of.keys.set(id, kept);
    of.given = Math.max(of.given, id);
    of.opened = Math.max(of.opened, id);
    outlive(of, of.opened, now + KEPT_MS);
    return new Uint8Array(plain);
  }
}

/** What is older than this key goes then. */
function outlive({ keys }: Seat, id: number, then: number): void {
  for (const [older, key] of keys) if (older < id) key.until = Math.min(key.until, then);
}

/** The key of this id, if need be by steps from an earlier one; what opens nothing is not kept. */
async function find({ keys }: Seat, id: number, now: number): Promise<Key | null> {
  const first = Math.max(id - STEPS_AT_ONCE, id - (id % 256));
  for (let from = id; from >= first; from--) {
    const known = keys.get(from);
    if (!known || known.until <= now) continue;
    let { key } = known.given;
    for (let step = from; step < id; step++) key = await ratchet(key);
    return from === id ? known : Key.make({ id, key });
  }
  return null;
}
