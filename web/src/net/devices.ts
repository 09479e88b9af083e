// Microphone and camera of this device. They are opened on a tap, never by themselves.

/** Why a device could not be opened; each is a sentence in text/en.ts. */
export type DeviceTrouble = "device_denied" | "device_missing" | "device_busy";

export type Opened = { track: MediaStreamTrack } | { trouble: DeviceTrouble };

const MICROPHONE: MediaStreamConstraints = {
  audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
};
const CAMERA: MediaStreamConstraints = {
  video: { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 15, max: 20 } },
};

async function open(constraints: MediaStreamConstraints): Promise<Opened> {
  // An insecure page has no mediaDevices at all.
  if (!navigator.mediaDevices) return { trouble: "device_missing" };
  try {
    const stream = await navigator.mediaDevices.getUserMedia(constraints);
    const [track] = stream.getTracks();
    return track ? { track } : { trouble: "device_missing" };
  } catch (error) {
    const name = error instanceof DOMException ? error.name : "";
    if (name === "NotAllowedError" || name === "SecurityError") return { trouble: "device_denied" };
    if (name === "NotFoundError" || name === "OverconstrainedError")
      return { trouble: "device_missing" };
    return { trouble: "device_busy" };
  }
}

/** Text must stay sharp; five pictures a second are enough for slides, ten for a hand that points. */
const SCREEN = {
  video: { width: { max: 1920 }, height: { max: 1080 }, frameRate: { ideal: 5, max: 10 } },
  audio: false,
  // A circle inside a circle helps nobody.
  selfBrowserSurface: "exclude",
};

export const canShowScreens = () => navigator.mediaDevices?.getDisplayMedia !== undefined;

/** Opens the browser's own window to choose from, on a tap. Whoever closes it is "denied" too. */
export async function openScreen(): Promise<Opened> {
  try {
    const stream = await navigator.mediaDevices.getDisplayMedia(SCREEN);
    const [track] = stream.getVideoTracks();
    if (!track) return { trouble: "device_missing" };
    track.contentHint = "detail";
    return { track };
  } catch {
    return { trouble: "device_denied" };
  }
}

export const openMicrophone = () => open(MICROPHONE);
export const openCamera = () => open(CAMERA);

/** Tells the loudness of a track, 0–1, about twenty times a second, until stopped. */
export function meter(track: MediaStreamTrack, tell: (level: number) => void): () => void {
  const audio = new AudioContext();
  const analyser = audio.createAnalyser();
  analyser.fftSize = 1024;
  audio.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const timer = setInterval(() => {
    analyser.getFloatTimeDomainData(samples);
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    // From -60 dB (a quiet room) to -10 dB (close and loud).
    tell(Math.min(1, Math.max(0, (10 * Math.log10(power + 1e-9) + 60) / 50)));
  }, 50);
  return () => {
    clearInterval(timer);
    void audio.close();
  };
}

/** Keeps a phone from falling asleep while its owner listens; ends with the page. */
export function keepAwake(): void {
  // The browser lets go of it whenever the page is hidden.
  document.addEventListener("visibilitychange", stayAwake);
  void stayAwake();
}

async function stayAwake(): Promise<void> {
  try {
    if (document.visibilityState === "visible") await navigator.wakeLock?.request("screen");
  } catch {
    // A low battery may refuse it; then the phone sleeps as it likes.
  }
}
