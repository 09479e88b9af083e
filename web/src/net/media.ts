// One RTCPeerConnection per person, negotiated once (docs/protocol.md §6). It sends what it is
// given and hands out what arrives; who may be heard is decided on the server.

import type { Own } from "../e2ee/worker";
import type { Encryption } from "./encryption";
import { configuration } from "./transforms";

type Kind = "audio" | "video";

export interface MediaEvents {
  /** Relays with credentials that work now; none where the server has no relay. */
  iceServers(): Promise<RTCIceServer[]>;
  /** Sends an offer; resolves to the answer, or null when there is none. */
  negotiate(sdp: string): Promise<string | null>;
  /** The tracks that arrive, by seat, whole each time. */
  video(tracks: ReadonlyMap<string, MediaStreamTrack>): void;
  /** The track on which somebody's screen arrives, whoever's it is; null without a connection. */
  screen(track: MediaStreamTrack | null): void;
  /** The browser wants a tap before it plays sound. */
  blocked(isBlocked: boolean): void;
}

export interface SeatStats {
  /** Of sound alone, so that a test can tell that somebody is not heard. */
  packetsReceived: number;
  totalAudioEnergy: number;
  framesDecoded: number;
}

/** How this browser reaches the server, and how large the pictures are. null: not known, or none. */
export interface OwnPath {
  isRelayed: boolean;
  protocol: "udp" | "tcp";
  sent: Size | null;
  received: Size | null;
}
export interface Size {
  width: number;
  height: number;
}

/** A moment of bad reception heals by itself. */
const HEAL_MS = 500;
/** Then ICE is restarted on the same connection, and given up after this. */
const RESTART_MS = 2_000;
const RETRY_MAX_MS = 8_000;
const VIDEO_FRAMES_PER_S = 20;
/** Two layers side by side; the larger one is encoded only while somebody is to see it. */
const LAYERS: RTCRtpEncodingParameters[] = [
  {
    rid: "l",
    scaleResolutionDownBy: 2,
    maxBitrate: 150_000,
    maxFramerate: VIDEO_FRAMES_PER_S,
  },
  { rid: "h", active: false, maxBitrate: 1_300_000, maxFramerate: VIDEO_FRAMES_PER_S },
];
const SCREEN_BITRATE_BPS = 1_500_000;
const SCREEN_FRAMES_PER_S = 10;

export class Media {
  private pc: RTCPeerConnection | null = null;
  private senders: Partial<Record<Own, RTCRtpSender>> = {};
  private sending: Record<Own, MediaStreamTrack | null> = {
    audio: null,
    video: null,
    screen: null,
  };
  private shown: RTCRtpTransceiver | null = null;
  private mids: Readonly<Record<string, string>> = {};
  private players = new Map<string, HTMLAudioElement>();
  private attempt = 0;
  private encoding: Promise<void> = Promise.resolve();
  private retry: ReturnType<typeof setTimeout> | undefined;
  private encryption: Encryption | null = null;
  private sharing: string | null = null;
  private capacity = 0;
  /** This connection has been up once: there is something to keep. */
  private wasUp = false;
  private answer = "";
  private isRestarting = false;
  private round = 0;
  private network = networkType();
  private readonly onTap = () => this.unblock();

  constructor(private readonly events: MediaEvents) {
    globalThis.addEventListener?.("online", () => this.moved());
    networkOf()?.addEventListener?.("change", () => {
      // It also tells of every new estimate of the speed.
      if (networkType() === this.network) return;
      this.network = networkType();
      this.moved();
    });
  }

  /** Of every connection made from now on; null in a circle that is not encrypted. */
  encrypt(encryption: Encryption | null): void {
    this.encryption = encryption;
  }

  /** Makes a new connection, replacing any earlier one. capacity: seats of the circle. */
  async start(capacity: number): Promise<void> {
    this.drop();
    this.capacity = capacity;
    const pc = new RTCPeerConnection({
      bundlePolicy: "max-bundle",
      ...(this.encryption && configuration()),
    });
    this.pc = pc;
    pc.onconnectionstatechange = () => this.watch(pc);
    this.addTransceivers(pc, capacity - 1);
    await this.useRelays(pc);
    if (pc !== this.pc) return;
    await pc.setLocalDescription();
    const sdp = await this.events.negotiate(pc.localDescription?.sdp ?? "");
    if (pc !== this.pc) return;
    if (sdp === null) return this.later();
    this.answer = sdp;
    try {
      await pc.setRemoteDescription({ type: "answer", sdp });
    } catch {
      // Closed meanwhile, or an answer this browser cannot take: either way try afresh.
      if (pc === this.pc) this.later();
      return;
    }
    this.apply();
    this.events.screen(this.shown?.receiver.track ?? null);
  }

  /**
   * After the socket came back: keeps a living connection, else makes a new one. What broke the
   * socket may have been another network, so a living one looks for a new way.
   */
  async ensure(capacity: number): Promise<void> {
    const state = this.pc?.connectionState;
    if (this.wasUp && state !== "failed" && state !== "closed") await this.restartIce();
    else await this.start(capacity);
  }

  /**
   * The server knows of no connection: makes a new one, unless one is just being made. A restart
   * of ICE under way is none.
   */
  async renew(capacity: number): Promise<void> {
    const state = this.pc?.connectionState;
    const isBeingMade = !this.wasUp && (state === "new" || state === "connecting");
    if (!isBeingMade) await this.start(capacity);
  }

  /** What is sent from now on; null sends nothing. The same track survives a restart. */
  send(kind: Own, track: MediaStreamTrack | null): void {
    this.sending[kind] = track;
    void swap(this.senders[kind], track);
  }

  /** Whether anybody is to see the larger layer of the camera. */
  setDemand(high: boolean): void {
    const sender = this.senders.video;
    // One after the other: parameters that were read before another change are refused.
    if (sender) this.encoding = this.encoding.then(() => encode(sender, high));
  }

  /** Whose media arrives on which receiving transceiver. */
  setStreams(mids: Readonly<Record<string, string>>): void {
    this.mids = mids;
    this.apply();
  }

  /** Who shows a screen. */
  setSharing(seat: string | null): void {
    if (seat === this.sharing) return;
    this.sharing = seat;
    this.apply();
  }

  /** How loud one seat is played here, 0–1. */
  setVolume(seat: string, volume: number): void {
    for (const [mid, player] of this.players) {
      if (this.mids[mid] === seat) player.volume = volume;
    }
  }

  /** Plays what the browser had blocked; call it from a tap. */
  unblock(): void {
    for (const player of this.players.values()) if (player.paused) void this.play(player);
  }

  close(): void {
    this.drop();
    this.send("audio", null);
    this.send("video", null);
    this.send("screen", null);
  }

  /** What arrived, by seat; of a screen under "screen", whoever's it was. */
  async stats(): Promise<Record<string, SeatStats>> {
    const found: Record<string, SeatStats> = {};
    if (!this.pc) return found;
    const reports = await this.pc.getStats();
    for (const report of reports.values()) {
      const isShown = report.mid !== undefined && report.mid === this.shown?.mid;
      const whose = isShown ? "screen" : this.mids[report.mid];
      const seat = report.type === "inbound-rtp" ? whose : undefined;
      if (seat === undefined) continue;
      found[seat] ??= { packetsReceived: 0, totalAudioEnergy: 0, framesDecoded: 0 };
      if (report.kind === "audio") found[seat].packetsReceived += report.packetsReceived ?? 0;
      found[seat].totalAudioEnergy += report.totalAudioEnergy ?? 0;
      found[seat].framesDecoded += report.framesDecoded ?? 0;
    }
    return found;
  }

  /** null while nothing is connected. */
  async path(): Promise<OwnPath | null> {
    if (!this.pc) return null;
    const reports = await this.pc.getStats();
    const all = [...reports.values()];
    const chosen = all.find(({ type }) => type === "transport")?.selectedCandidatePairId;
    // Firefox marks the pair itself.
    const pair =
      reports.get(chosen) ?? all.find((it) => it.type === "candidate-pair" && it.selected);
    const local = reports.get(pair?.localCandidateId);
    if (!local) return null;
    const isRelayed = local.candidateType === "relay";
    return {
      isRelayed,
      protocol: ((isRelayed && local.relayProtocol) || local.protocol) === "udp" ? "udp" : "tcp",
      sent: largest(all, "outbound-rtp"),
      received: largest(all, "inbound-rtp"),
    };
  }

  /**
   * All transceivers in one place and one tick: an encryption hooked in later than this would miss
   * the first frames, which would leave in clear.
   */
  private addTransceivers(pc: RTCPeerConnection, others: number): void {
    const audio = pc.addTransceiver("audio", { direction: "sendonly" });
    const video = pc.addTransceiver("video", {
      direction: "sendonly",
      sendEncodings: LAYERS.map((layer) => ({ ...layer })),
    });
    // The second sending video section is the screen's: no layers, the same picture for all.
    const screen = pc.addTransceiver("video", {
      direction: "sendonly",
      sendEncodings: [{ maxBitrate: SCREEN_BITRATE_BPS, maxFramerate: SCREEN_FRAMES_PER_S }],
    });
    this.senders = { audio: audio.sender, video: video.sender, screen: screen.sender };
    void swap(audio.sender, this.sending.audio);
    void swap(video.sender, this.sending.video);
    void swap(screen.sender, this.sending.screen);
    for (let i = 0; i < others; i++) {
      pc.addTransceiver("audio", { direction: "recvonly" });
      pc.addTransceiver("video", { direction: "recvonly" });
    }
    // And the last receiving one, without a sound beside it, is somebody else's screen's.
    this.shown = pc.addTransceiver("video", { direction: "recvonly" });
    this.encryption?.hook(pc, this.senders as Record<Own, RTCRtpSender>);
    for (const transceiver of pc.getTransceivers()) {
      preferOneCodec(transceiver, transceiver.receiver.track.kind as Kind);
    }
  }

  /** With credentials that work now. Before each description, with which gathering begins. */
  private async useRelays(pc: RTCPeerConnection): Promise<void> {
    const iceServers = await this.events.iceServers();
    if (pc === this.pc) pc.setConfiguration({ ...pc.getConfiguration(), iceServers });
  }

  private watch(pc: RTCPeerConnection): void {
    if (pc !== this.pc) return;
    if (pc.connectionState === "connected") {
      clearTimeout(this.retry);
      this.attempt = 0;
      this.wasUp = true;
      this.isRestarting = false;
    } else if (pc.connectionState === "failed") this.later();
    else if (pc.connectionState === "disconnected" && !this.isRestarting) {
      clearTimeout(this.retry);
      this.retry = setTimeout(() => void this.restartIce(), HEAL_MS);
    }
  }

  /** The browser says that it has another network: do not wait until the old one is silent. */
  private moved(): void {
    if (this.wasUp) void this.restartIce();
  }

  /**
   * Looks for a new way to the server and keeps everything else (docs/protocol.md §7): keys,
   * places, pictures. Makes a new connection if that is not up in time.
   */
  private async restartIce(): Promise<void> {
    const pc = this.pc;
    if (!pc) return;
    const round = ++this.round;
    this.isRestarting = true;
    clearTimeout(this.retry);
    this.retry = setTimeout(() => {
      this.isRestarting = false;
      if (pc.connectionState !== "connected") this.restart();
    }, RESTART_MS);
    try {
      pc.restartIce();
      await this.useRelays(pc);
      if (pc !== this.pc || round !== this.round) return;
      await pc.setLocalDescription();
      const sdp = await this.events.negotiate(pc.localDescription?.sdp ?? "");
      // Overtaken, or the line is lost: when it is back, `ensure` comes.
      if (pc !== this.pc || round !== this.round || sdp === null) return;
      // The server knew nothing of this connection and has begun another one.
      if (identity(sdp) !== identity(this.answer)) return this.restart();
      await pc.setRemoteDescription({ type: "answer", sdp });
    } catch {
      if (pc === this.pc && round === this.round) this.restart();
    }
  }

  private later(): void {
    clearTimeout(this.retry);
    this.retry = setTimeout(
      () => this.restart(),
      Math.min(RETRY_MAX_MS, 500 * 2 ** this.attempt++),
    );
  }

  private restart(): void {
    void this.start(this.capacity);
  }

  private apply(): void {
    this.encryption?.seat(({ mid }) => this.seatAt(mid));
    const video = new Map<string, MediaStreamTrack>();
    for (const transceiver of this.pc?.getTransceivers() ?? []) {
      const { mid, direction, receiver } = transceiver;
      const seat = mid === null ? undefined : this.mids[mid];
      if (mid === null || direction !== "recvonly") continue;
      if (receiver.track.kind === "audio") this.listen(mid, seat ? receiver.track : null);
      else if (seat) video.set(seat, receiver.track);
    }
    this.events.video(video);
  }

  /** Whose media a section carries; the last one is whoever's who shows a screen. */
  private seatAt(mid: string | null): string | null {
    if (mid === null) return null;
    return mid === this.shown?.mid ? this.sharing : (this.mids[mid] ?? null);
  }

  private listen(mid: string, track: MediaStreamTrack | null): void {
    const player = this.players.get(mid);
    if (!track) {
      if (player) player.srcObject = null;
      this.players.delete(mid);
    } else if (!player) {
      const made = new Audio();
      made.autoplay = true;
      made.srcObject = new MediaStream([track]);
      this.players.set(mid, made);
      void this.play(made);
    } else player.volume = 1;
  }

  private async play(player: HTMLAudioElement): Promise<void> {
    try {
      await player.play();
    } catch (error) {
      // AbortError only says that the player was taken away meanwhile.
      if (!(error instanceof DOMException && error.name === "NotAllowedError")) return;
      // After a reload any tap will do, such as "I am ready".
      globalThis.addEventListener?.("click", this.onTap, { once: true });
    }
    this.events.blocked([...this.players.values()].some(({ paused }) => paused));
  }

  private drop(): void {
    clearTimeout(this.retry);
    this.wasUp = this.isRestarting = false;
    for (const player of this.players.values()) player.srcObject = null;
    this.players.clear();
    this.senders = {};
    this.mids = {};
    const pc = this.pc;
    this.pc = null;
    pc?.close();
    this.shown = null;
    this.events.video(new Map());
    this.events.screen(null);
  }
}

interface NetworkInformation extends EventTarget {
  readonly type?: string;
}

/** What only some browsers tell: which kind of network this is, such as wifi or cellular. */
function networkOf(): NetworkInformation | undefined {
  return (globalThis.navigator as { connection?: NetworkInformation } | undefined)?.connection;
}

function networkType(): string | undefined {
  return networkOf()?.type;
}

/** What an answer says of one connection on the server: its key and the numbers of its streams. */
function identity(sdp: string): string {
  return (sdp.match(/^a=(fingerprint|ssrc):.*$/gm) ?? []).join("\n");
}

/** The largest picture that flows now. */
function largest(reports: RTCStats[], type: "inbound-rtp" | "outbound-rtp"): Size | null {
  const sizes = (reports as (RTCStats & Record<string, number | undefined>)[])
    .filter((it) => (it.type as string) === type && (it.framesPerSecond ?? 0) > 0)
    .map(({ frameWidth: width = 0, frameHeight: height = 0 }) => ({ width, height }));
  return sizes.sort((a, b) => b.width * b.height - a.width * a.height)[0] ?? null;
}

async function swap(sender: RTCRtpSender | undefined, track: MediaStreamTrack | null) {
  try {
    await sender?.replaceTrack(track);
  } catch {
    // The connection was closed in the same moment; its successor sends the track.
  }
}

/** Switches the encoding of the larger layer on or off. */
async function encode(sender: RTCRtpSender, high: boolean): Promise<void> {
  const parameters = sender.getParameters();
  const layer = parameters.encodings.find(({ rid }) => rid === "h");
  if (!layer || layer.active === high) return;
  layer.active = high;
  try {
    await sender.setParameters(parameters);
  } catch {
    // The connection was closed in the same moment; its successor is told anew.
  }
}

/** Opus or VP8 alone, with what repairs VP8: with thirty-two sections the full list makes an offer too long to send. */
function preferOneCodec(transceiver: RTCRtpTransceiver, kind: Kind): void {
  const wanted = kind === "audio" ? ["audio/opus"] : ["video/VP8", "video/rtx"];
  if (!("setCodecPreferences" in transceiver)) return; // Firefox before 128
  const codecs = RTCRtpReceiver.getCapabilities(kind)?.codecs ?? [];
  const chosen = codecs.filter(({ mimeType }) => wanted.includes(mimeType));
  if (chosen.length > 0) transceiver.setCodecPreferences(chosen);
}
