// Where the worker of end-to-end encryption meets the browser: how it is started, and how the
// frames of a connection go through it. A hook later than the tick in which its transceiver was
// made is ignored without an error, and the frames go out in the clear.

import type { End, ToWorker } from "../e2ee/worker";
import url from "../e2ee/worker?worker&url";

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(): string },
  ): { createScriptURL(from: string): string };
}
type OlderEnd = (RTCRtpSender | RTCRtpReceiver) & {
  createEncodedStreams?(): { readable: ReadableStream; writable: WritableStream };
};

/** How frames go through a worker here: the standard's way, older Chromium's, or none. */
export function transformsBy(): "transform" | "streams" | null {
  if ("RTCRtpScriptTransform" in globalThis) return "transform";
  const end = globalThis.RTCRtpSender?.prototype as OlderEnd | undefined;
  return end?.createEncodedStreams ? "streams" : null;
}

/** What a connection has to be made with for `hook`. */
export const configuration = (): RTCConfiguration =>
  (transformsBy() === "streams" ? { encodedInsertableStreams: true } : {}) as RTCConfiguration;

let policy: ReturnType<TrustedTypes["createPolicy"]> | undefined;

/** A worker of `e2ee/worker.ts`: the one script that the page's policy (api/pages.py) lets in. */
export function startWorker(): Worker {
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  policy ??= types?.createPolicy("peermeet-worker", { createScriptURL: () => url });
  return new Worker(policy?.createScriptURL(url) ?? url, { type: "module" });
}

/** Puts the worker between a sender or receiver and the network, for good. */
export function hook(worker: Worker, end: End, at: RTCRtpSender | RTCRtpReceiver): void {
  if (transformsBy() === "transform") {
    at.transform = new RTCRtpScriptTransform(worker, end);
    return;
  }
  const streams = (at as OlderEnd).createEncodedStreams?.();
  if (!streams) throw new Error("this browser cannot encrypt");
  const message: ToWorker = { kind: "streams", end, ...streams };
  worker.postMessage(message, [streams.readable, streams.writable]);
}
