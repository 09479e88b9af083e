import { expect, test } from "vitest";
import { type Bytes, Receiver, Sender, type SenderKey, type To } from "../src/e2ee/frames";
import { makePair, selfOf } from "../src/e2ee/keys";
import { type Cipher, Keyring, type People } from "../src/net/keyring";
import { writeWords } from "../src/net/sealed";
import type { SealedProfile } from "../src/protocol";
import { seat, view } from "./kit";

const SECRET = new Uint8Array(32).fill(7);
const OTHER = new Uint8Array(32).fill(8);
const NEW = new Uint8Array(32).fill(9);

/** What a worker does, without one. */
class Bench implements Cipher {
  sender = Sender.make(0);
  readonly receiver = new Receiver();
  private last: Promise<unknown> = Promise.resolve();

  sit(seat: number): void {
    this.sender = Sender.make(seat);
  }
  hand(why: "joined" | "left" | "asked"): Promise<SenderKey[]> {
    return this.after(async () => {
      const sender = await this.sender;
      return sender[why](performance.now());
    });
  }
  take(from: number, key: SenderKey): void {
    void this.after(() => this.receiver.take(from, key, performance.now()));
  }
  forget(from: number): void {
    void this.after(async () => this.receiver.forget(from));
  }
  say(plain: Bytes, to: To): Promise<string | null> {
    return this.after(async () => (await this.sender).say(plain, to, performance.now()));
  }
  hear(from: number, to: To, sealed: string): Promise<Bytes | null> {
    return this.after(() => this.receiver.hear(from, to, sealed, performance.now()));
  }
  private after<Done>(what: () => Promise<Done>): Promise<Done> {
    const done = this.last.then(what);
    this.last = done;
    return done;
  }
}

interface Somebody {
  id: string;
  keyring: Keyring;
  bench: Bench;
  shown: SealedProfile;
}

/** A circle of pages; what one hands over waits until `settle`. */
class Meeting {
  readonly there: Somebody[] = [];
  waiting: string[] = [];
  private post: { from: string; to: string; sealed: string }[] = [];

  async come(id: string, secret = SECRET, older: Uint8Array<ArrayBuffer>[] = []) {
    const self = await selfOf(await makePair(), await makePair());
    const bench = new Bench();
    const hand = (to: Record<string, string>) => {
      for (const [seat, sealed] of Object.entries(to))
        this.post.push({ from: id, to: seat, sealed });
      return true;
    };
    const at = { seat: id, circle: "meeting" };
    const keyring = await Keyring.make(self, at, secret, older, bench, hand);
    const shown = { sealed: await keyring.sealProfile({ name: id, color: "teal" }) };
    const somebody = { id, keyring, bench, shown };
    this.there.push(somebody);
    await this.settle();
    return somebody;
  }

  async go(somebody: Somebody): Promise<void> {
    this.there.splice(this.there.indexOf(somebody), 1);
    await this.settle();
  }

  /** Everybody gets the view of now, and everything on the way arrives. */
  async settle(): Promise<{ secrets: string[] }> {
    const secrets: string[] = [];
    for (const { keyring } of this.there) await keyring.follow(...this.look(keyring));
    for (let letter = this.post.shift(); letter; letter = this.post.shift()) {
      const { from, to, sealed } = letter;
      const got = await this.there.find(({ id }) => id === to)?.keyring.receive(from, sealed);
      if (got) secrets.push(to);
    }
    return { secrets };
  }

  people(somebody: Somebody): Promise<People> {
    return somebody.keyring.follow(...this.look(somebody.keyring));
  }

  async says(from: Somebody, text: string): Promise<string> {
    return (await from.keyring.say({ kind: "chat", text }, "all")) ?? "";
  }

  private look(_: Keyring): Parameters<Keyring["follow"]> {
    const seats = this.there.map(({ id }) => seat(id, { waiting: this.waiting.includes(id) }));
    const profiles = Object.fromEntries(this.there.map(({ id, shown }) => [id, shown]));
    return [view({ seats }), profiles];
  }
}

const heard = async (by: Somebody, from: Somebody, sealed: string) =>
  (await by.keyring.hear({ seat: from.id, to: "all", at: 0, sealed }))?.text ?? null;

test("members know one another and read what is written", async () => {
  const meeting = new Meeting();
  const [fay, ana, ben] = [
    await meeting.come("s1"),
    await meeting.come("s2"),
    await meeting.come("s3"),
  ];
  expect(Object.values((await meeting.people(fay)).names).map(({ name }) => name)).toEqual([
    "s1",
    "s2",
    "s3",
  ]);
  const said = await meeting.says(ana, "Hello");
  expect(await heard(fay, ana, said)).toBe("Hello");
  expect(await heard(ben, ana, said)).toBe("Hello");
});

test("a newcomer reads nothing from before, and the others read on", async () => {
  const meeting = new Meeting();
  const [fay, ana] = [await meeting.come("s1"), await meeting.come("s2")];
  const before = await meeting.says(fay, "before");
  const ben = await meeting.come("s3");
  expect(await heard(ben, fay, before)).toBeNull();
  const after = await meeting.says(fay, "after");
  expect(await heard(ben, fay, after)).toBe("after");
  expect(await heard(ana, fay, after)).toBe("after");
});

test("who left reads nothing of what is sealed a second later", async () => {
  const meeting = new Meeting();
  const [fay, ana, ben] = [
    await meeting.come("s1"),
    await meeting.come("s2"),
    await meeting.come("s3"),
  ];
  await meeting.go(ben);
  const later = performance.now() + 1_001;
  const sender = await fay.bench.sender;
  const said = (await sender.say(writeWords({ kind: "chat", text: "late" }), "all", later)) ?? "";
  expect(await heard(ben, fay, said)).toBeNull();
  expect(await heard(ana, fay, said)).toBe("late");
});

test("who waits outside is no member", async () => {
  const meeting = new Meeting();
  const fay = await meeting.come("s1");
  meeting.waiting = ["s2"];
  const ana = await meeting.come("s2");
  expect(fay.keyring.hasMembers).toBe(false);
  expect(ana.keyring.hasMembers).toBe(false);
  meeting.waiting = [];
  await meeting.settle();
  expect(await heard(ana, fay, await meeting.says(fay, "Come in"))).toBe("Come in");
});

test("who has another secret is a stranger and reads nothing", async () => {
  const meeting = new Meeting();
  const fay = await meeting.come("s1");
  const mallory = await meeting.come("s2", OTHER);
  expect(await meeting.people(fay)).toMatchObject({ strangers: [{ seat: "s2", older: null }] });
  expect(await heard(mallory, fay, await meeting.says(fay, "secret"))).toBeNull();
});

test("a lost key is asked for", async () => {
  const meeting = new Meeting();
  const [fay, ana] = [await meeting.come("s1"), await meeting.come("s2")];
  ana.bench.forget(1);
  const said = await meeting.says(fay, "once more");
  expect(await heard(ana, fay, said)).toBeNull();
  await ana.keyring.ask([1]);
  await ana.keyring.ask([1]);
  await meeting.settle();
  expect(await heard(ana, fay, await meeting.says(fay, "now"))).toBe("now");
});

test("what was written before its key is read when the key has come, once", async () => {
  const meeting = new Meeting();
  const [fay, ana] = [await meeting.come("s1"), await meeting.come("s2")];
  ana.bench.forget(1);
  const said = await meeting.says(fay, "Are you there?");
  expect(await heard(ana, fay, said)).toBeNull();
  await ana.keyring.ask([1]);
  await meeting.settle();
  const [[where, words] = []] = await ana.keyring.hearAgain("s1");
  expect([where?.seat, words?.text]).toEqual(["s1", "Are you there?"]);
  expect(await ana.keyring.hearAgain("s1")).toEqual([]);
});

test("what who has gone wrote is not kept for whoever comes to their seat", async () => {
  const meeting = new Meeting();
  const [fay, ana] = [await meeting.come("s1"), await meeting.come("s2")];
  ana.bench.forget(1);
  expect(await heard(ana, fay, await meeting.says(fay, "for us"))).toBeNull();
  await meeting.go(fay);
  await meeting.come("s1");
  expect(await ana.keyring.hearAgain("s1")).toEqual([]);
});

test("of what cannot be read the newest is kept, and no more than is bearable", async () => {
  const meeting = new Meeting();
  const [fay, ana] = [await meeting.come("s1"), await meeting.come("s2")];
  ana.bench.forget(1);
  for (let number = 1; number <= 40; number++)
    expect(await heard(ana, fay, await meeting.says(fay, `${number}`))).toBeNull();
  await ana.keyring.ask([1]);
  await meeting.settle();
  const texts = (await ana.keyring.hearAgain("s1")).map(([, { text }]) => text);
  expect([texts.length, texts[0], texts.at(-1)]).toEqual([32, "9", "40"]);
});

test("a new secret reaches who is here, and shuts out who is not told", async () => {
  const meeting = new Meeting();
  const [fay, ana] = [await meeting.come("s1"), await meeting.come("s2")];
  await fay.keyring.handSecret(NEW);
  expect((await meeting.settle()).secrets).toEqual(["s2"]);
  for (const somebody of [fay, ana]) {
    await somebody.keyring.renew(NEW);
    somebody.shown = {
      sealed: await somebody.keyring.sealProfile({ name: somebody.id, color: "sky" }),
    };
  }
  await meeting.settle();
  const late = await meeting.come("s3", SECRET);
  const said = await meeting.says(fay, "among us");
  expect(await heard(ana, fay, said)).toBe("among us");
  expect(await heard(late, fay, said)).toBeNull();
});

test("who returns with an older secret gets the new one from who knows it", async () => {
  const meeting = new Meeting();
  const fay = await meeting.come("s1", NEW, [SECRET]);
  await meeting.come("s2", SECRET);
  const { strangers } = await meeting.people(fay);
  expect(strangers).toMatchObject([{ seat: "s2", older: { name: "s2" } }]);
  expect(strangers[0] && (await fay.keyring.handOver(strangers[0]))).toBe(true);
  expect((await meeting.settle()).secrets).toEqual(["s2"]);
});

test("the safety numbers are the same for the same people and others for other people", async () => {
  const meeting = new Meeting();
  const [fay, ana] = [await meeting.come("s1"), await meeting.come("s2")];
  const two = await fay.keyring.safety();
  expect(two).toHaveLength(8);
  expect(await ana.keyring.safety()).toEqual(two);
  await meeting.come("s3");
  expect(await fay.keyring.safety()).not.toEqual(two);
  expect(await fay.keyring.safety()).toEqual(await ana.keyring.safety());
}, 20_000);

test("oneself shown at another seat is nobody", async () => {
  const meeting = new Meeting();
  const fay = await meeting.come("s1");
  const seats = [seat("s1"), seat("s2")];
  const profiles = { s1: fay.shown, s2: fay.shown };
  const { members, strangers } = await fay.keyring.follow(view({ seats }), profiles);
  expect([members.size, strangers]).toEqual([0, []]);
});
