// The keys of one meeting: who is a member, and what passes between them (docs/encryption.md).
// Calls must come one after the other, each after the one before has settled.

import type { Bytes, SenderKey, To } from "../e2ee/frames";
import {
  announceKey,
  meetingKey,
  openRenew,
  Pair,
  type Person,
  type Self,
  safetyNumbers,
  sealRenew,
} from "../e2ee/keys";
import type { Why } from "../e2ee/worker";
import type { Profile, Said, SealedProfile, View } from "../protocol";
import {
  type Message,
  openProfile,
  readMessage,
  readWords,
  sealProfile,
  type Words,
  writeMessage,
  writeWords,
} from "./sealed";

const ASK_AGAIN_MS = 1_000;
/** Of what was written before its key was here, the newest are kept. */
const MOST_EARLY = 32;

/** What the worker does for it. Seats are numbers there. */
export interface Cipher {
  /** Makes a new sender key. */
  sit(seat: number): void;
  /** What is due to be handed over because somebody has joined, has left, or asks. */
  hand(why: Why): Promise<SenderKey[]>;
  take(seat: number, key: SenderKey): void;
  forget(seat: number): void;
  say(plain: Bytes, to: To): Promise<string | null>;
  hear(seat: number, to: To, sealed: string): Promise<Bytes | null>;
}

/** Somebody in the view whose profile does not open. older: it does with an older secret. */
export interface Stranger {
  seat: string;
  older: { name: string; person: Person; meeting: Bytes } | null;
}

/** Who is in the view: members by seat, and the others. */
export interface People {
  names: Record<string, Profile>;
  /** Which device each of them shows, members or not. */
  devices: ReadonlyMap<string, Bytes>;
  members: ReadonlyMap<string, Person>;
  strangers: Stranger[];
}

/** Something written, as it came. at: server time in ms. */
export type Unread = Pick<Said, "seat" | "to" | "at"> & { sealed: string };

interface Secret {
  secret: Bytes;
  announce: Bytes;
  meeting: Bytes;
}

const number = (seat: string) => Number(seat.slice(1));
const same = (one: Person | undefined, two: Person | undefined) =>
  one !== undefined && two !== undefined && String(one.hand) === String(two.hand);

export class Keyring {
  private members = new Map<string, Person>();
  private readonly pairs = new Map<string, Pair>();
  private opened = new Map<string, (Profile & Person) | null>();
  private early: Unread[] = [];
  private readonly askedAt = new Map<string, number>();

  private constructor(
    private readonly own: Self,
    private readonly seat: string,
    private readonly circle: string,
    private today: Secret,
    private readonly older: Secret[],
    private readonly cipher: Cipher,
    private readonly hand: (to: Record<string, string>) => boolean,
  ) {}

  /** hand: sends what is sealed for each seat; false when there is no line. older: secrets that the group has had before. */
  static async make(
    own: Self,
    { seat, circle }: { seat: string; circle: string },
    secret: Bytes,
    older: readonly Bytes[],
    cipher: Cipher,
    hand: (to: Record<string, string>) => boolean,
  ): Promise<Keyring> {
    const [today, ...before] = await Promise.all([secret, ...older].map((s) => keysOf(s, circle)));
    cipher.sit(number(seat));
    return new Keyring(own, seat, circle, today as Secret, before, cipher, hand);
  }

  get secret(): Bytes {
    return this.today.secret;
  }

  get hasMembers(): boolean {
    return this.members.size > 0;
  }

  /** Who is here, as a name that is another for other people or another secret. */
  company(): string {
    const hands = [...this.members.values()].map(({ hand }) => String(hand)).sort();
    return hands.length > 0 ? [String(this.today.secret), ...hands].join(" ") : "";
  }

  /** How oneself appears to the members. */
  sealProfile(profile: Profile): Promise<string> {
    return sealProfile(this.today.announce, this.own, profile);
  }

  /** Takes over who is a member now, and hands over what the change makes due. */
  async follow(
    view: View,
    profiles: Readonly<Record<string, Profile | SealedProfile>>,
  ): Promise<People> {
    const people = await this.look(view, profiles);
    await this.change(people.members, false);
    return people;
  }

  /** From now on this is the group's secret. The members of before are no members until they seal anew. */
  async renew(secret: Bytes): Promise<void> {
    this.older.unshift(this.today);
    this.today = await keysOf(secret, this.circle);
    this.opened.clear();
    this.pairs.clear();
    await this.change(new Map(), true);
  }

  /** Hands a new secret to all members. */
  async handSecret(secret: Bytes): Promise<void> {
    const to: Record<string, string> = {};
    for (const seat of this.members.keys()) {
      to[seat] = (await this.seal(seat, { kind: "secret", secret })) ?? "";
    }
    if (Object.keys(to).length > 0) this.hand(to);
  }

  /** Hands the secret of today to who has an older one; false when it could not be sent. */
  async handOver({ seat, older }: Stranger): Promise<boolean> {
    if (!older) return false;
    const { person, meeting } = older;
    return this.hand({ [seat]: await sealRenew(this.own, person, meeting, this.today.secret) });
  }

  /** What somebody has handed over. A new secret is for the caller to judge. */
  async receive(seat: string, sealed: string): Promise<{ secret: Bytes; from: Person } | null> {
    if (!this.members.has(seat)) {
      const renewed = await openRenew(this.own, this.today.meeting, sealed);
      return renewed && { secret: renewed.secret, from: renewed };
    }
    const message = readMessage((await (await this.pair(seat))?.open(sealed)) ?? null);
    const from = this.members.get(seat);
    if (message?.kind === "key") this.cipher.take(number(seat), message);
    if (message?.kind === "ask") await this.give([seat], await this.cipher.hand("asked"));
    return message?.kind === "secret" && from ? { secret: message.secret, from } : null;
  }

  /** Asks those whose key never came. seats: numbers, as the worker tells them. */
  async ask(seats: readonly number[]): Promise<void> {
    const now = performance.now();
    for (const wanted of seats) {
      const seat = `s${wanted}`;
      if (now - (this.askedAt.get(seat) ?? -ASK_AGAIN_MS) < ASK_AGAIN_MS) continue;
      const ask = await this.seal(seat, { kind: "ask" });
      if (ask === null) continue;
      this.askedAt.set(seat, now);
      this.hand({ [seat]: ask });
    }
  }

  say(words: Words, to: To): Promise<string | null> {
    return this.cipher.say(writeWords(words), to);
  }

  /** null: not to be read, or not yet, which `hearAgain` tells. */
  async hear(said: Unread): Promise<Words | null> {
    const { seat, to, sealed } = said;
    const isMember = this.members.has(seat);
    const words = isMember ? readWords(await this.cipher.hear(number(seat), to, sealed)) : null;
    if (!words) this.early = [...this.early, said].slice(-MOST_EARLY);
    return words;
  }

  /** After a key has come from a seat: what was written there before, each tried once more. */
  async hearAgain(seat: string): Promise<[Unread, Words][]> {
    const theirs = this.early.filter((said) => said.seat === seat);
    this.early = this.early.filter((said) => said.seat !== seat);
    if (!this.members.has(seat)) return [];
    const opened: [Unread, Words][] = [];
    for (const said of theirs) {
      const words = readWords(await this.cipher.hear(number(seat), said.to, said.sealed));
      if (words) opened.push([said, words]);
    }
    return opened;
  }

  /** Of everybody here; null while nobody else is. */
  safety(): Promise<number[]> | null {
    if (this.members.size === 0) return null;
    const hands = [...this.members.values()].map(({ hand }) => hand);
    return safetyNumbers(this.today.meeting, [this.own.hand, ...hands]);
  }

  private async look(
    view: View,
    profiles: Readonly<Record<string, Profile | SealedProfile>>,
  ): Promise<People> {
    const names: Record<string, Profile> = {};
    const members = new Map<string, Person>();
    const strangers: Stranger[] = [];
    const devices = new Map<string, Bytes>();
    const opened: typeof this.opened = new Map();
    // Whoever waits outside is no member, and has none.
    const isOutside = view.seats.some(({ id, waiting }) => id === this.seat && waiting);
    for (const { id: seat, waiting } of view.seats) {
      const shown = profiles[seat];
      if (!shown || !("sealed" in shown)) continue;
      const { sealed } = shown;
      const known = this.opened.get(sealed);
      const profile = known === undefined ? await openProfile(this.today.announce, sealed) : known;
      opened.set(sealed, profile);
      if (profile) names[seat] = { name: profile.name, color: profile.color };
      const older = profile ? null : await this.recognise(sealed);
      const device = profile?.device ?? older?.person.device;
      if (device) devices.set(seat, device);
      if (seat === this.seat || waiting || isOutside) continue;
      // Oneself at another seat: the server shows what it was given, and it is nobody.
      if (same(profile ?? undefined, this.own)) continue;
      if (profile) members.set(seat, { hand: profile.hand, device: profile.device });
      else strangers.push({ seat, older });
    }
    this.opened = opened;
    return { names, devices, members, strangers };
  }

  private async recognise(sealed: string): Promise<Stranger["older"]> {
    for (const { announce, meeting } of this.older) {
      const person = await openProfile(announce, sealed);
      if (person) return { name: person.name, person, meeting };
    }
    return null;
  }

  private async change(members: ReadonlyMap<string, Person>, fresh: boolean): Promise<void> {
    const before = this.members;
    this.members = new Map(members);
    const gone = [...before].filter(([seat, person]) => !same(members.get(seat), person));
    const come = [...members].filter(([seat, person]) => !same(before.get(seat), person));
    for (const [seat] of gone) {
      this.cipher.forget(number(seat));
      this.askedAt.delete(seat);
      this.early = this.early.filter((said) => said.seat !== seat);
    }
    const newcomers = come.map(([seat]) => seat);
    if (gone.length > 0 || fresh) {
      const remaining = [...members.keys()].filter((seat) => !newcomers.includes(seat));
      await this.give(remaining, await this.cipher.hand("left"));
    }
    if (newcomers.length > 0) {
      await this.give(newcomers, await this.cipher.hand("joined"));
    }
  }

  private async give(seats: readonly string[], keys: readonly SenderKey[]): Promise<void> {
    for (const key of keys) {
      const to: Record<string, string> = {};
      for (const seat of seats) {
        const sealed = await this.seal(seat, { kind: "key", ...key });
        if (sealed !== null) to[seat] = sealed;
      }
      if (Object.keys(to).length > 0) this.hand(to);
    }
  }

  /** For a member; null when there is none at that seat. */
  private async seal(seat: string, message: Message): Promise<string | null> {
    return (await this.pair(seat))?.seal(writeMessage(message)) ?? null;
  }

  private async pair(seat: string): Promise<Pair | null> {
    const person = this.members.get(seat);
    if (!person) return null;
    const name = String(person.hand);
    const known = this.pairs.get(name) ?? (await Pair.make(this.own, person, this.today.meeting));
    this.pairs.set(name, known);
    return known;
  }
}

async function keysOf(secret: Bytes, circle: string): Promise<Secret> {
  const [announce, meeting] = await Promise.all([announceKey(secret), meetingKey(secret, circle)]);
  return { secret, announce, meeting };
}
