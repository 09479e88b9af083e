// The page's side of the encryption worker: hooks it into a connection, and tells what it has
// really done. A frame that it does not seal or open goes nowhere.

import type { Bytes, SenderKey, To } from "../e2ee/frames";
import type { FromWorker, Own, Played, Sent, ToWorker, Why } from "../e2ee/worker";
import type { Cipher } from "./keyring";
import { hook, startWorker, transformsBy } from "./transforms";

interface Events {
  /** `state` may be another now. */
  changed(): void;
  /** Numbers of seats whose key never came. */
  lacking(seats: readonly number[]): void;
  /** The worker does not run: nothing is sealed or opened any more. */
  failed(): void;
}

/** stopped: what could not be sealed and was taken off. isProven: whatever flows was counted. */
export interface State {
  stopped: Own | null;
  isProven: boolean;
}

/** Whether this browser can seal what it sends. */
export const isSupported = (): boolean =>
  transformsBy() !== null && globalThis.crypto?.subtle !== undefined;

/** What is sent uncounted for so long is taken off. */
const LIMIT_MS = 1_000;
/** The worker answers in milliseconds; a phone that wakes up may be late. */
const ANSWER_MS = 10_000;
/** Its script is fetched first, perhaps over a bad line. */
const START_MS = 20_000;
const LOOK_MS = 500;
/** Within this after a seat's newest key, some of its frames may not open yet, as they are told. */
const SETTLED_MS = 1_000 + LOOK_MS;

export class Encryption implements Cipher {
  private readonly worker = startWorker();
  private readonly looking = setInterval(() => void this.look(), LOOK_MS);
  private pc: RTCPeerConnection | null = null;
  private senders: Partial<Record<Own, RTCRtpSender>> = {};
  private places = new Map<RTCRtpTransceiver, string>();
  private lastPlace = 0;
  private lastRef = 0;
  private readonly asked = new Map<number, (answer: FromWorker | null) => void>();
  private hasFailed = false;
  private sent: Sent = { audio: 0, video: 0, screen: 0 };
  /** As it was when this connection began. */
  private sentBefore: Sent = this.sent;
  private played: Played = {};
  private seats: Readonly<Record<string, number>> = {};
  /** When a seat's newest key came, or it went, or it was given a place. */
  private readonly changedAt = new Map<number, number>();
  private late = 0;
  /** Since when something is sent that nobody counts. */
  private readonly since = new Map<RTCRtpSender | RTCRtpReceiver, number>();
  private current: State = { stopped: null, isProven: false };

  constructor(private readonly events: Events) {
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.onAnswer(data);
    // Its script did not come, or does not run here: nothing is answered any more.
    this.worker.onerror = () => {
      this.giveUp();
      events.failed();
    };
  }

  /** Whether the worker runs. */
  async works(): Promise<boolean> {
    return (await this.ask((ref) => ({ kind: "hand", ref, why: "asked" }), START_MS)) !== null;
  }

  /** Hooks everything in; in the same tick in which the transceivers were added. */
  hook(pc: RTCPeerConnection, senders: Partial<Record<Own, RTCRtpSender>>): void {
    this.pc = pc;
    this.senders = senders;
    this.places = new Map();
    this.since.clear();
    this.sentBefore = { ...this.sent };
    this.played = {};
    this.current = { stopped: null, isProven: false };
    const sending = Object.entries(senders) as [Own, RTCRtpSender][];
    for (const [sends, sender] of sending) hook(this.worker, { sends }, sender);
    for (const transceiver of pc.getTransceivers()) {
      if (transceiver.direction !== "recvonly") continue;
      const place = `${++this.lastPlace}`;
      this.places.set(transceiver, place);
      const plays = transceiver.receiver.track.kind as "audio" | "video";
      hook(this.worker, { plays, place }, transceiver.receiver);
    }
  }

  /** Whose media each receiver plays: a seat, or null for nobody's. */
  seat(whose: (transceiver: RTCRtpTransceiver) => string | null): void {
    const seats: Record<string, number> = {};
    for (const [transceiver, place] of this.places) {
      const seat = whose(transceiver);
      if (seat !== null) seats[place] = Number(seat.slice(1));
    }
    for (const [place, seat] of Object.entries(seats)) {
      if (this.seats[place] !== seat) this.changedAt.set(seat, performance.now());
    }
    this.seats = seats;
    this.post({ kind: "seats", seats });
  }

  get state(): State {
    return this.current;
  }

  /** What the worker has counted, lately: numbers of frames. late: dropped with no excuse. */
  get counts(): { sealed: number; opened: number; dropped: number; late: number } {
    const played = Object.values(this.played);
    return {
      sealed: Object.values(this.sent).reduce((sum, one) => sum + one, 0),
      opened: played.reduce((sum, { opened }) => sum + opened, 0),
      dropped: played.reduce((sum, { dropped }) => sum + dropped, 0),
      late: this.late,
    };
  }

  sit(seat: number): void {
    this.post({ kind: "seat", seat });
  }

  async hand(why: Why): Promise<SenderKey[]> {
    const answer = await this.ask((ref) => ({ kind: "hand", ref, why }));
    return answer?.kind === "hand" ? answer.keys : [];
  }

  take(seat: number, key: SenderKey): void {
    this.changedAt.set(seat, performance.now());
    this.post({ kind: "key", seat, key });
  }

  forget(seat: number): void {
    this.changedAt.set(seat, performance.now());
    this.post({ kind: "forget", seat });
  }

  async say(plain: Bytes, to: To): Promise<string | null> {
    const answer = await this.ask((ref) => ({ kind: "say", ref, to, plain }));
    return answer?.kind === "say" ? answer.text : null;
  }

  async hear(seat: number, to: To, text: string): Promise<Bytes | null> {
    const answer = await this.ask((ref) => ({ kind: "hear", ref, seat, to, text }));
    return answer?.kind === "hear" ? answer.plain : null;
  }

  stop(): void {
    clearInterval(this.looking);
    this.worker.terminate();
    this.pc = null;
    this.giveUp();
  }

  /** Whoever waits for an answer waits no longer. */
  private giveUp(): void {
    this.hasFailed = true;
    for (const answer of [...this.asked.values()]) answer(null);
  }

  private post(message: ToWorker): void {
    this.worker.postMessage(message);
  }

  /** null when no answer comes in time. */
  private ask(message: (ref: number) => ToWorker, limitMs = ANSWER_MS): Promise<FromWorker | null> {
    if (this.hasFailed) return Promise.resolve(null);
    const ref = ++this.lastRef;
    return new Promise((resolve) => {
      const settle = (answer: FromWorker | null) => {
        clearTimeout(limit);
        this.asked.delete(ref);
        resolve(answer);
      };
      const limit = setTimeout(() => settle(null), limitMs);
      this.asked.set(ref, settle);
      this.post(message(ref));
    });
  }

  private onAnswer(message: FromWorker): void {
    if (message.kind !== "counts") {
      this.asked.get(message.ref)?.(message);
      return;
    }
    this.sent = message.sent;
    this.late += this.droppedLate(message.played);
    this.played = message.played;
    if (message.lacking.length > 0) this.events.lacking(message.lacking);
  }

  /** How many frames of people whose keys should long be here were dropped since the last time. */
  private droppedLate(played: Readonly<Record<string, { dropped: number }>>): number {
    let late = 0;
    for (const [place, { dropped }] of Object.entries(played)) {
      const seat = this.seats[place];
      if (seat === undefined) continue;
      const sinceMs = performance.now() - (this.changedAt.get(seat) ?? 0);
      if (sinceMs > SETTLED_MS) late += Math.max(0, dropped - (this.played[place]?.dropped ?? 0));
    }
    return late;
  }

  /** Compares what the browser says that flows with what the worker has counted. */
  private async look(): Promise<void> {
    const pc = this.pc;
    if (pc?.connectionState !== "connected") return;
    const stats = await pc.getStats().catch(() => null);
    // Closed meanwhile.
    if (pc !== this.pc || stats === null) return;
    const reports = [...stats.values()];
    const passes = this.passing(reports);
    const uncounted = passes.filter(({ isCounted }) => !isCounted);
    const { stopped } = this.current;
    const next = { stopped, isProven: passes.length > 0 && uncounted.length === 0 };
    for (const end of [...this.since.keys()]) {
      if (!uncounted.some((one) => one.end === end)) this.since.delete(end);
    }
    for (const { end, what } of uncounted) {
      const since = this.since.get(end) ?? performance.now();
      this.since.set(end, since);
      if (performance.now() - since < LIMIT_MS) continue;
      unhook(end);
      if (what !== null) next.stopped = what;
    }
    const isNews = next.isProven !== this.current.isProven || next.stopped !== stopped;
    this.current = next;
    if (isNews) this.events.changed();
  }

  /** What is really sent and played, and whether the worker has counted it. what: of one's own. */
  private passing(reports: readonly RTCStats[]): Pass[] {
    const flows = (mid: string | null, count: string) =>
      mid !== null &&
      (reports as Numbers[]).some((it) => it.mid === mid && Number(it[count] ?? 0) > 0);
    const own = Object.entries(this.senders) as [Own, RTCRtpSender][];
    return (this.pc?.getTransceivers() ?? []).flatMap((it): Pass[] => {
      const place = this.places.get(it);
      if (place === undefined) {
        const what = own.find(([, sender]) => sender === it.sender)?.[0];
        // Chromium probes its line with packets of pictures that there are none of.
        const count = what === "audio" ? "packetsSent" : "framesEncoded";
        if (!what || !flows(it.mid, count)) return [];
        return [{ end: it.sender, what, isCounted: this.sent[what] > this.sentBefore[what] }];
      }
      const isPlayed = flows(it.mid, "framesDecoded") || flows(it.mid, "jitterBufferEmittedCount");
      const isCounted = (this.played[place]?.opened ?? 0) > 0;
      return isPlayed ? [{ end: it.receiver, what: null, isCounted }] : [];
    });
  }
}

interface Pass {
  end: RTCRtpSender | RTCRtpReceiver;
  what: Own | null;
  isCounted: boolean;
}
type Numbers = RTCStats & Record<string, unknown>;

/** Nothing more goes in or out here. */
function unhook(end: RTCRtpSender | RTCRtpReceiver): void {
  if ("replaceTrack" in end) void end.replaceTrack(null).catch(() => {});
  else end.track.enabled = false;
}
