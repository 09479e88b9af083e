// One encrypted connection, driven by tests/e2ee/test_browser.py: real worker, real policy, real
// media, and nothing of the client around it.

import type { FromWorker, ToWorker } from "../../src/e2ee/worker";
import { configuration, hook, startWorker, transformsBy } from "../../src/net/transforms";

const worker = startWorker();
let counts: FromWorker | null = null;
let answered: (message: FromWorker) => void = () => {};
worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
  if (data.kind === "counts") counts = data;
  else answered(data);
};

const tell = (message: ToWorker) => worker.postMessage(message);
const ask = (message: ToWorker) =>
  new Promise<FromWorker>((resolve) => {
    answered = resolve;
    tell(message);
  });

let pc: RTCPeerConnection;
let camera: RTCRtpTransceiver;

/** Offers to send and to see `places` others; every transceiver is hooked in this one tick. */
async function offer(places: number): Promise<string | undefined> {
  const stream = await navigator.mediaDevices.getUserMedia({
    audio: true,
    video: { width: 640, height: 360, frameRate: 20 },
  });
  pc = new RTCPeerConnection({ bundlePolicy: "max-bundle", ...configuration() });
  const [sound] = stream.getAudioTracks() as [MediaStreamTrack];
  const [picture] = stream.getVideoTracks() as [MediaStreamTrack];
  hook(worker, { sends: "audio" }, pc.addTransceiver(sound, { direction: "sendonly" }).sender);
  const sendEncodings = [
    { rid: "l", scaleResolutionDownBy: 2, maxBitrate: 150_000 },
    { rid: "h", maxBitrate: 1_300_000, active: false },
  ];
  camera = pc.addTransceiver(picture, { direction: "sendonly", sendEncodings });
  hook(worker, { sends: "video" }, camera.sender);
  for (let place = 2; place < 2 + 2 * places; place += 2) {
    for (const [at, plays] of (["audio", "video"] as const).entries()) {
      const { receiver } = pc.addTransceiver(plays, { direction: "recvonly" });
      hook(worker, { plays, place: `${place + at}` }, receiver);
    }
  }
  for (const transceiver of pc.getTransceivers()) {
    const kind = transceiver.receiver.track.kind;
    const wanted = kind === "audio" ? ["audio/opus"] : ["video/VP8", "video/rtx"];
    const { codecs } = RTCRtpReceiver.getCapabilities(kind) as RTCRtpCapabilities;
    transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => wanted.includes(mimeType)));
  }
  pc.ontrack = ({ track }) => {
    const player = document.createElement(track.kind) as HTMLMediaElement;
    player.autoplay = true;
    player.srcObject = new MediaStream([track]);
    document.body.append(player);
  };
  await pc.setLocalDescription();
  return pc.localDescription?.sdp;
}

const proof = {
  offer,
  answer: (sdp: string) => pc.setRemoteDescription({ type: "answer", sdp }),
  encode: async (high: boolean) => {
    const parameters = camera.sender.getParameters();
    for (const layer of parameters.encodings) if (layer.rid === "h") layer.active = high;
    await camera.sender.setParameters(parameters);
  },
  stats: async (type: string) =>
    [...(await pc.getStats()).values()].filter((report) => report.type === type),
  by: transformsBy,
  counts: () => counts,
  tell,
  /** My keys as lists of numbers, because of somebody who joins, leaves or asks. */
  keys: async (why: "joined" | "left" | "asked") => {
    const told = await ask({ kind: "hand", ref: 1, why });
    return told.kind === "hand" ? told.keys.map(({ id, key }) => ({ id, key: [...key] })) : [];
  },
  take: (seat: number, id: number, key: number[]) =>
    tell({ kind: "key", seat, key: { id, key: Uint8Array.from(key) } }),
};
Object.assign(globalThis, { proof });
