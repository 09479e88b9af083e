import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { Media } from "../src/net/media";

class FakeSender {
  track: unknown = null;
  async replaceTrack(track: unknown) {
    this.track = track;
  }
}

class FakeConnection {
  static all: FakeConnection[] = [];
  connectionState = "new";
  onconnectionstatechange = () => {};
  localDescription = { sdp: "offer" };
  remote: string[] = [];
  restarts = 0;
  servers: RTCIceServer[][] = [];
  transceivers: {
    mid: string;
    direction: string;
    sender: FakeSender;
    receiver: { track: { kind: string; of: string } };
    setCodecPreferences(codecs: { mimeType: string }[]): void;
    codecs: string[];
  }[] = [];

  constructor() {
    FakeConnection.all.push(this);
  }
  addTransceiver(kind: string, { direction }: { direction: string }) {
    const mid = String(this.transceivers.length);
    const made = {
      mid,
      direction,
      sender: new FakeSender(),
      receiver: { track: { kind, of: mid } },
      codecs: [] as string[],
      setCodecPreferences(codecs: { mimeType: string }[]) {
        this.codecs = codecs.map(({ mimeType }) => mimeType);
      },
    };
    this.transceivers.push(made);
    return made;
  }
  getTransceivers = () => this.transceivers;
  getConfiguration = () => ({ bundlePolicy: "max-bundle" });
  setConfiguration({ bundlePolicy, iceServers }: RTCConfiguration) {
    expect(bundlePolicy).toBe("max-bundle");
    this.servers.push(iceServers ?? []);
  }
  async setLocalDescription() {}
  async setRemoteDescription({ sdp }: { sdp: string }) {
    this.remote.push(sdp);
  }
  restartIce() {
    this.restarts++;
  }
  close() {
    this.connectionState = "closed";
  }
  becomes(state: string) {
    this.connectionState = state;
    this.onconnectionstatechange();
  }
}

class FakeAudio {
  static playing: FakeAudio[] = [];
  static isAllowed = true;
  paused = true;
  autoplay = false;
  volume = 1;
  srcObject: unknown = null;
  async play() {
    if (!FakeAudio.isAllowed) throw new DOMException("no tap yet", "NotAllowedError");
    this.paused = false;
    FakeAudio.playing.push(this);
  }
}

const ANSWER = "a=ice-ufrag:a\r\na=fingerprint:sha-256 AB\r\na=ssrc:7 cname:slot0\r\n";
let answer: string | null;
let servers: RTCIceServer[];
let videos: ReadonlyMap<string, MediaStreamTrack>;
let media: Media;
let shown: { of: string } | null;
let blocked: boolean | undefined;
const last = () => FakeConnection.all.at(-1) as FakeConnection;

beforeEach(() => {
  vi.useFakeTimers();
  const codecs = ["audio/opus", "audio/PCMU", "video/VP8", "video/H264"];
  const getCapabilities = () => ({ codecs: codecs.map((mimeType) => ({ mimeType })) });
  vi.stubGlobal("RTCPeerConnection", FakeConnection);
  vi.stubGlobal("RTCRtpReceiver", { getCapabilities });
  vi.stubGlobal("MediaStream", class {});
  vi.stubGlobal("Audio", FakeAudio);
  FakeConnection.all = [];
  FakeAudio.playing = [];
  FakeAudio.isAllowed = true;
  answer = ANSWER;
  servers = [];
  media = new Media({
    iceServers: async () => servers,
    negotiate: async () => answer,
    video: (tracks) => {
      videos = tracks;
    },
    screen: (track) => {
      shown = track as unknown as { of: string } | null;
    },
    blocked: (isBlocked) => {
      blocked = isBlocked;
    },
  });
});
afterEach(() => {
  media.close();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("the offer has the order of the protocol, and one codec each", async () => {
  await media.start(4);
  const sections = last().transceivers.map(({ receiver, direction, codecs }) =>
    [receiver.track.kind, direction, ...codecs].join(" "),
  );
  const pair = ["audio recvonly audio/opus", "video recvonly video/VP8"];
  expect(sections).toEqual([
    "audio sendonly audio/opus",
    "video sendonly video/VP8",
    "video sendonly video/VP8",
    ...pair,
    ...pair,
    ...pair,
    "video recvonly video/VP8",
  ]);
  expect(last().remote).toEqual([ANSWER]);
});

test("each connection asks for relays anew, before it gathers", async () => {
  servers = [{ urls: ["turn:relay.example"], username: "1:a", credential: "x" }];
  await media.start(4);
  servers = [{ urls: ["turn:relay.example"], username: "2:a", credential: "y" }];
  last().becomes("failed");
  await vi.advanceTimersByTimeAsync(1_000);
  const names = FakeConnection.all.map(({ servers }) => servers.flat().map((s) => s.username));
  expect(names).toEqual([["1:a"], ["2:a"]]);
});

test("each seat's picture and sound come from where the server says", async () => {
  await media.start(4);
  media.setStreams({ "3": "s5", "4": "s5", "7": "s9" });
  expect(
    [...videos].map(([seat, track]) => [seat, (track as unknown as { of: string }).of]),
  ).toEqual([["s5", "4"]]);
  expect(FakeAudio.playing).toHaveLength(2);
});

test("a screen is sent on the section after the camera's and comes on the last", async () => {
  const track = { kind: "video" } as MediaStreamTrack;
  media.send("screen", track);
  await media.start(3);
  expect(last().transceivers[2]?.sender.track).toBe(track);
  expect(shown?.of).toBe("7");
  media.close();
  expect(shown).toBeNull();
});

test("a place that changes hands is loud again, after somebody faded in it", async () => {
  await media.start(4);
  media.setStreams({ "3": "s5" });
  media.setVolume("s5", 0);
  expect(FakeAudio.playing[0]?.volume).toBe(0);
  media.setStreams({ "3": "s7" });
  expect(FakeAudio.playing[0]?.volume).toBe(1);
});

test("a failed connection is made anew and sends the same tracks", async () => {
  const microphone = { kind: "audio" } as MediaStreamTrack;
  media.send("audio", microphone);
  await media.start(4);
  last().becomes("failed");
  await vi.advanceTimersByTimeAsync(1_000);
  expect(FakeConnection.all).toHaveLength(2);
  expect(FakeConnection.all[0]?.connectionState).toBe("closed");
  expect(last().transceivers[0]?.sender.track).toBe(microphone);
});

test("a short loss heals by itself", async () => {
  await media.start(4);
  last().becomes("connected");
  last().becomes("disconnected");
  await vi.advanceTimersByTimeAsync(300);
  last().becomes("connected");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(FakeConnection.all).toHaveLength(1);
  expect(last().restarts).toBe(0);
});

test("a longer loss restarts ICE, and then makes a new connection within three seconds", async () => {
  await media.start(4);
  last().becomes("connected");
  last().becomes("disconnected");
  await vi.advanceTimersByTimeAsync(600);
  expect(last().restarts).toBe(1);
  expect(last().remote).toEqual([ANSWER, ANSWER]);
  last().becomes("connecting");
  last().becomes("connected");
  await vi.advanceTimersByTimeAsync(10_000);
  expect(FakeConnection.all).toHaveLength(1);

  last().becomes("disconnected");
  await vi.advanceTimersByTimeAsync(600);
  last().becomes("connecting");
  await vi.advanceTimersByTimeAsync(1_000);
  last().becomes("disconnected");
  expect(FakeConnection.all).toHaveLength(1);
  await vi.advanceTimersByTimeAsync(1_400);
  expect(FakeConnection.all).toHaveLength(2);
});

test("another network restarts ICE at once, and a living connection stays", async () => {
  const page = new EventTarget();
  const connection = Object.assign(new EventTarget(), { type: "wifi" });
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  vi.stubGlobal("navigator", { connection });
  const media = new Media({
    iceServers: async () => servers,
    negotiate: async () => answer,
    video: () => {},
    screen: () => {},
    blocked: () => {},
  });
  page.dispatchEvent(new Event("online"));
  await media.start(4);
  page.dispatchEvent(new Event("online"));
  expect(last().restarts).toBe(0);
  last().becomes("connected");
  // The estimated speed has changed, and nothing else.
  connection.dispatchEvent(new Event("change"));
  expect(last().restarts).toBe(0);
  connection.type = "cellular";
  connection.dispatchEvent(new Event("change"));
  expect(last().restarts).toBe(1);
  page.dispatchEvent(new Event("online"));
  expect(last().restarts).toBe(2);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(FakeConnection.all).toHaveLength(1);
  // Of two that overlap only the newer one counts.
  expect(last().remote).toHaveLength(2);
  media.close();
  page.dispatchEvent(new Event("online"));
  expect(FakeConnection.all).toHaveLength(1);
});

test("a change of network without a line is made up for when the line is back", async () => {
  const page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  media = new Media({
    iceServers: async () => servers,
    negotiate: async () => answer,
    video: () => {},
    screen: () => {},
    blocked: () => {},
  });
  await media.start(4);
  last().becomes("connected");
  answer = null;
  page.dispatchEvent(new Event("online"));
  await vi.advanceTimersByTimeAsync(100);
  answer = ANSWER;
  await media.ensure(4);
  await vi.advanceTimersByTimeAsync(10_000);
  expect([FakeConnection.all.length, last().restarts, last().remote.length]).toEqual([1, 2, 2]);
});

test.each([
  ["another worker", "a=fingerprint:sha-256 CD\r\na=ssrc:7 cname:slot0\r\n"],
  ["a worker that forgot it", "a=fingerprint:sha-256 AB\r\na=ssrc:8 cname:slot0\r\n"],
])("%s, which knew nothing of the connection, gets a new one", async (_, other) => {
  await media.start(4);
  last().becomes("connected");
  last().becomes("disconnected");
  answer = other;
  await vi.advanceTimersByTimeAsync(600);
  expect(FakeConnection.all).toHaveLength(2);
  expect(FakeConnection.all[0]?.remote).toHaveLength(1);
});

test("a wish of the server for a new connection counts also while ICE restarts", async () => {
  await media.start(4);
  await media.renew(4);
  expect(FakeConnection.all).toHaveLength(1);
  last().becomes("connected");
  last().becomes("disconnected");
  await vi.advanceTimersByTimeAsync(600);
  last().becomes("connecting");
  await media.renew(4);
  expect(FakeConnection.all).toHaveLength(2);
});

test("an offer that is refused is made again, each time later", async () => {
  answer = null;
  await media.start(4);
  await vi.advanceTimersByTimeAsync(60_000);
  const attempts = FakeConnection.all.length;
  expect(attempts).toBeGreaterThan(4);
  expect(attempts).toBeLessThan(15);
});

test("a living connection outlives the socket, and looks for a new way", async () => {
  await media.start(4);
  last().becomes("connected");
  answer = ANSWER.replace("ufrag:a", "ufrag:b");
  await media.ensure(4);
  expect(FakeConnection.all).toHaveLength(1);
  expect([last().restarts, last().remote.length]).toEqual([1, 2]);
  last().becomes("failed");
  await media.ensure(4);
  expect(FakeConnection.all).toHaveLength(2);
});

test("sound that the browser held back plays after any tap, all of it", async () => {
  const page = new EventTarget();
  vi.stubGlobal("addEventListener", page.addEventListener.bind(page));
  await media.start(4);
  FakeAudio.isAllowed = false;
  media.setStreams({ "3": "s5", "5": "s6" });
  await vi.advanceTimersByTimeAsync(0);
  expect(blocked).toBe(true);
  FakeAudio.isAllowed = true;
  media.setStreams({ "3": "s5", "5": "s6", "7": "s7" });
  await vi.advanceTimersByTimeAsync(0);
  expect(blocked).toBe(true);
  page.dispatchEvent(new Event("click"));
  await vi.advanceTimersByTimeAsync(0);
  expect(blocked).toBe(false);
  expect(FakeAudio.playing).toHaveLength(3);
});

describe("one's own path", () => {
  const stats = (...reports: { id: string; [key: string]: unknown }[]) => {
    Object.assign(last(), { getStats: async () => new Map(reports.map((it) => [it.id, it])) });
  };
  const pair = { id: "p", type: "candidate-pair", localCandidateId: "l" };

  test("is straight or through a relay, as the browser's chosen pair says", async () => {
    expect(await media.path()).toBeNull();
    await media.start(4);
    const transport = { id: "t", type: "transport", selectedCandidatePairId: "p" };
    stats(transport, pair, { id: "l", candidateType: "host", protocol: "udp" });
    expect(await media.path()).toMatchObject({ isRelayed: false, protocol: "udp" });
    // What goes to the relay is what may be blocked, whatever the relay sends on.
    const relay = { id: "l", candidateType: "relay", protocol: "udp", relayProtocol: "tls" };
    stats(transport, pair, relay);
    expect(await media.path()).toMatchObject({ isRelayed: true, protocol: "tcp" });
  });

  test("is found in Firefox too, and not before there is one", async () => {
    await media.start(4);
    stats({ ...pair, selected: false });
    expect(await media.path()).toBeNull();
    stats({ ...pair, selected: true }, { id: "l", candidateType: "srflx", protocol: "tcp" });
    expect(await media.path()).toMatchObject({ isRelayed: false, protocol: "tcp" });
  });

  test("carries pictures of a size, the largest that moves now", async () => {
    await media.start(4);
    const picture = (id: string, type: string, width: number, framesPerSecond: number) => ({
      ...{ id, type, framesPerSecond, frameWidth: width, frameHeight: width / 2 },
    });
    stats(
      { ...pair, selected: true },
      { id: "l", candidateType: "host", protocol: "udp" },
      picture("1", "inbound-rtp", 320, 15),
      picture("2", "inbound-rtp", 640, 15),
      picture("3", "inbound-rtp", 1280, 0),
    );
    const path = await media.path();
    expect(path?.received).toEqual({ width: 640, height: 320 });
    expect(path?.sent).toBeNull();
  });
});
