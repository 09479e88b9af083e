// The dedicated worker through which every frame goes that is sent or played, and every word. A
// frame that cannot be sealed or opened is dropped; there is no way through in the clear.

import { type Bytes, type Kind, Receiver, Sender, type SenderKey, type To } from "./frames.ts";

/** What is sent. */
export type Own = Kind | "screen";
/** Which end a transform is at. place: the page's own name for a receiver, used once. */
export type End = { sends: Own } | { plays: Kind; place: string };

export type Why = "joined" | "left" | "asked";

/** From the page. ref: its own name for a request, which the answer carries. */
export type ToWorker =
  /** My seat: makes a sender key for it, once. Nothing is sent before. */
  | { kind: "seat"; seat: number }
  /** What I have to hand over because somebody has joined, has left, or asks. */
  | { kind: "hand"; ref: number; why: Why }
  | { kind: "key"; seat: number; key: SenderKey }
  | { kind: "forget"; seat: number }
  /** Whose seat each receiver plays, whole; a place that is not named plays nothing. */
  | { kind: "seats"; seats: Record<string, number> }
  | { kind: "say"; ref: number; to: To; plain: Bytes }
  | { kind: "hear"; ref: number; seat: number; to: To; text: string }
  /** Of browsers without RTCRtpScriptTransform. */
  | ({ kind: "streams"; end: End } & Streams);

/** To the page. null: there is no key, or it does not open; no keys: there is none to hand over. */
export type FromWorker =
  | { kind: "hand"; ref: number; keys: SenderKey[] }
  | { kind: "say"; ref: number; text: string | null }
  | { kind: "hear"; ref: number; plain: Bytes | null }
  /** Twice a second: frames so far, and the seats whose key was lacking since the last time. */
  | { kind: "counts"; sent: Sent; played: Played; lacking: number[] };

type Frame = { data: ArrayBuffer };
type Streams = { readable: ReadableStream<Frame>; writable: WritableStream<Frame> };
export type Sent = Record<Own, number>;
/** By place. */
export type Played = Record<string, { opened: number; dropped: number }>;
interface Scope {
  onmessage: (event: { data: ToWorker }) => void;
  onrtctransform: (event: { transformer: Streams & { options: End } }) => void;
  postMessage(message: FromWorker): void;
}

const scope = globalThis as unknown as Scope;
const receiver = new Receiver();
let sender: Promise<Sender> | null = null;
let seats: Record<string, number> = {};
const sent: Sent = { audio: 0, video: 0, screen: 0 };
const played: Played = {};
const now = () => performance.now();

async function sealFrame(what: Own, data: ArrayBuffer): Promise<ArrayBuffer | undefined> {
  const sealed = await (await sender)?.seal(what === "audio" ? "audio" : "video", data, now());
  if (sealed) sent[what]++;
  return sealed;
}

async function openFrame(place: string, kind: Kind, data: ArrayBuffer) {
  const [seat, count] = [seats[place], played[place]];
  const plain = seat === undefined ? null : await receiver.open(seat, kind, data, now());
  // Meanwhile somebody else may be played here.
  const isTheirs = plain !== null && seat === seats[place];
  if (count) count[isTheirs ? "opened" : "dropped"]++;
  return isTheirs ? plain : null;
}

/** Frames go through one after the other, so their order stays. */
async function pass(end: End, { readable, writable }: Streams): Promise<void> {
  const change = ({ data }: Frame) =>
    "sends" in end ? sealFrame(end.sends, data) : openFrame(end.place, end.plays, data);
  if ("plays" in end) played[end.place] = { opened: 0, dropped: 0 };
  const passing = new TransformStream<Frame, Frame>({
    async transform(frame, to) {
      const data = await change(frame).catch(() => null);
      if (data) to.enqueue(Object.assign(frame, { data }));
    },
  });
  const ended = readable.pipeThrough(passing).pipeTo(writable);
  await ended.catch(() => {}); // The connection is closed.
  if ("plays" in end) delete played[end.place];
}

async function take(message: ToWorker): Promise<void> {
  const { kind } = message;
  if (kind === "seat") {
    if ((await sender)?.seat !== message.seat) sender = Sender.make(message.seat);
  } else if (kind === "seats") seats = message.seats;
  else if (kind === "key") await receiver.take(message.seat, message.key, now());
  else if (kind === "forget") receiver.forget(message.seat);
  else if (kind === "streams") void pass(message.end, message);
  else if (kind === "hand") {
    const keys = await sender?.then((own) => own[message.why](now())).catch(() => null);
    // Without a fresh key nothing more is sent: who has gone has the one before.
    if (!keys) sender = null;
    scope.postMessage({ kind, ref: message.ref, keys: keys ?? [] });
  } else if (kind === "say") {
    const text = await (await sender)?.say(message.plain, message.to, now());
    scope.postMessage({ kind, ref: message.ref, text: text ?? null });
  } else {
    const plain = await receiver.hear(message.seat, message.to, message.text, now());
    scope.postMessage({ kind, ref: message.ref, plain });
  }
}

// One after the other: words may come right behind their key.
let turn: Promise<void> = Promise.resolve();
scope.onmessage = ({ data }) => {
  turn = turn.then(() => take(data)).catch(() => {});
};
scope.onrtctransform = ({ transformer }) => void pass(transformer.options, transformer);
setInterval(() => {
  receiver.sweep(now());
  scope.postMessage({ kind: "counts", sent, played, lacking: [...receiver.lacking] });
  receiver.lacking.clear();
}, 500);
