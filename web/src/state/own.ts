// This person's own microphone and camera. Both are off until tapped, and follow the server:
// nothing is sent unless the view says that the device is on.

import { signal } from "@preact/signals";
import { tell } from "../a11y/announce";
import { type DeviceTrouble, openCamera, openMicrophone } from "../net/devices";
import type { Media } from "../net/media";
import type { Command } from "../net/socket";
import { text } from "../text/en";
import { may, me, view } from "./circle";

/** The microphone track, once permitted. It stays disabled unless the person is heard. */
export const microphone = signal<MediaStreamTrack | null>(null);
/** The camera track, only while the camera is on: off turns its light off. */
export const camera = signal<MediaStreamTrack | null>(null);
export const micTrouble = signal<DeviceTrouble | null>(null);
export const cameraTrouble = signal<DeviceTrouble | null>(null);
/** What this page shows as on; sent again when only the socket was lost. */
let wantsMic = false;
let wantsCamera = false;
let resend = false;
/** With whom in a space of their own, when a view last came; the circle is nobody. */
let company = "";
/** Changes on their way; until they are answered the view is not compared with the wish. */
let asking = 0;

interface Outside {
  media: Pick<Media, "send">;
  ask(command: Command): Promise<boolean>;
}
let outside: Outside;

export function connect(to: Outside): void {
  outside = to;
}

/** Asks for the microphone, on a tap. */
export async function permitMic(): Promise<boolean> {
  if (microphone.value?.readyState === "live") return true;
  const opened = await openMicrophone();
  micTrouble.value = "trouble" in opened ? opened.trouble : null;
  if ("trouble" in opened) return false;
  opened.track.enabled = false;
  opened.track.onended = () => {
    // Unplugged, or the permission was taken back in the browser.
    micTrouble.value = "device_missing";
    void switchMic(false);
  };
  microphone.value = opened.track;
  return true;
}

export async function permitCamera(): Promise<boolean> {
  if (camera.value?.readyState === "live") return true;
  const opened = await openCamera();
  cameraTrouble.value = "trouble" in opened ? opened.trouble : null;
  if ("trouble" in opened) return false;
  opened.track.onended = () => {
    cameraTrouble.value = "device_missing";
    void switchCamera(false);
  };
  camera.value = opened.track;
  return true;
}

export function switchMic(on: boolean): Promise<void> {
  return whileAsking(async () => {
    if (on && !(await permitMic())) {
      tell(text.code(micTrouble.value ?? "device_missing"));
      return;
    }
    wantsMic = on;
    // Off is off here and now, whatever the server answers.
    if (!on) apply();
    if (!(await outside.ask({ kind: "set_mic", on })) && on) wantsMic = false;
  });
}

export function switchCamera(on: boolean): Promise<void> {
  return whileAsking(async () => {
    if (on && !(await permitCamera())) {
      tell(text.code(cameraTrouble.value ?? "device_missing"));
      return;
    }
    wantsCamera = on;
    if (!on) closeCamera();
    if (!(await outside.ask({ kind: "set_camera", on })) && on) closeCamera();
  });
}

async function whileAsking(change: () => Promise<void>): Promise<void> {
  asking++;
  try {
    await change();
  } finally {
    asking--;
    apply();
  }
}

export function closeCamera(): void {
  wantsCamera = false;
  camera.value?.stop();
  camera.value = null;
}

/** Before sitting down the camera was on: it is on in the circle too. */
export function newConnection(): void {
  wantsCamera = camera.value !== null;
  resend = true;
}

/** Compares a newly arrived view with what this page shows. */
export function follow(): void {
  const seat = me.value;
  if (!seat) return;
  const before = company;
  company = [view.value?.quiet.with_you ?? "", ...(view.value?.pair?.with_you ?? [])].join(" ");
  if (resend) {
    resend = false;
    // A server that comes back knows of no quiet word: what was for one must not reach all.
    if (company !== before) {
      wantsMic = false;
      closeCamera();
    }
    if (wantsMic && seat.mic === "off" && may("set_mic")) void switchMic(true);
    if (wantsCamera && seat.camera === "off" && may("set_camera")) void switchCamera(true);
  }
  if (asking === 0) {
    // The permission ended: the next turn begins with a tap again.
    if (seat.mic !== "on") wantsMic = false;
    if (seat.camera !== "on" && wantsCamera) closeCamera();
    if (seat.mic === "on" && !wantsMic) void switchMic(false);
    if (seat.camera === "on" && !wantsCamera) void switchCamera(false);
  }
  apply();
}

/** Sends exactly what is wished here and shown as on by the server. */
function apply(): void {
  const seat = me.value;
  const heard = wantsMic && seat?.mic === "on";
  if (microphone.value) microphone.value.enabled = heard;
  outside.media.send("audio", heard ? microphone.value : null);
  const seen = wantsCamera && seat?.camera === "on";
  outside.media.send("video", seen ? camera.value : null);
}

export function stopAll(): void {
  wantsMic = false;
  wantsCamera = false;
  for (const device of [microphone, camera]) {
    device.value?.stop();
    device.value = null;
  }
}
