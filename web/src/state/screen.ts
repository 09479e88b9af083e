// Screens: this person's own, which is shown only after they chose it in the browser's own window,
// and somebody else's, which anybody may hide for themselves.

import { signal } from "@preact/signals";
import { tell } from "../a11y/announce";
import { canShowScreens, openScreen } from "../net/devices";
import type { Media } from "../net/media";
import type { Command } from "../net/socket";
import type { View } from "../protocol";
import { text } from "../text/en";
import { may, view } from "./circle";

/** The captured screen, only while it is shown: what is no longer shown is no longer captured. */
export const screen = signal<MediaStreamTrack | null>(null);
/** The screen that arrives, whoever's it is. */
export const arriving = signal<MediaStreamTrack | null>(null);
/** Some are distracted by it. Kept until they want to see it again. */
export const isHidden = signal(false);
/** The browser's window is open, or the server is asked. */
const isChoosing = signal(false);

interface Outside {
  media: Pick<Media, "send">;
  ask(command: Command): Promise<boolean>;
}
let outside: Outside;

export function connect(to: Outside): void {
  outside = to;
}

/** Whether this person may show a screen now, and this browser can. Phones mostly cannot. */
export const mayShow = (): boolean => may("start_share") && canShowScreens() && !showsOwn();

const showsOwn = (): boolean => view.value !== null && view.value.sharing === view.value.you;

/** Whose screen there is to be seen here; one's own is on one's own desk. */
export const shownBy = (now: View): string | null => (now.sharing === now.you ? null : now.sharing);

/** Lets the person choose, on a tap, and shows what they chose. */
export async function showScreen(): Promise<void> {
  if (isChoosing.value) return;
  isChoosing.value = true;
  try {
    const opened = await openScreen();
    if ("trouble" in opened) {
      tell(text.screen.nothing);
      return;
    }
    const { track } = opened;
    // The browser has a button of its own for this.
    track.onended = () => void stopScreen();
    screen.value = track;
    if (!(await outside.ask({ kind: "start_share" }))) close();
  } finally {
    isChoosing.value = false;
    follow();
  }
}

export async function stopScreen(): Promise<void> {
  close();
  if (showsOwn()) await outside.ask({ kind: "stop_share" });
}

/** Compares a newly arrived view with what this page captures. */
export function follow(): void {
  if (isChoosing.value) return;
  if (!showsOwn()) close();
  else if (screen.value === null) void outside.ask({ kind: "stop_share" });
  else outside.media.send("screen", screen.value);
}

/** Captures nothing any more, here and now, whatever the server answers. */
export function close(): void {
  outside.media.send("screen", null);
  if (screen.value === null) return;
  screen.value.onended = null;
  screen.value.stop();
  screen.value = null;
}
