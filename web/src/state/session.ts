// What this tab keeps between two page loads (sessionStorage: three tabs are three people), and
// the settings of this device (localStorage). Names and links never leave the tab.

import { effect, signal } from "@preact/signals";
import type { Profile } from "../protocol";

interface Kept {
  link: string;
  resume: string;
  profile: Profile;
  /** The version of the agreement this person has affirmed. */
  agreement: number;
  listenOnly: boolean;
  /** The link of a practice circle, and the one it was asked for with. */
  practice: { link: string; from: string };
}

/** Reads one thing this tab keeps; null when it is not there or not readable. */
export function kept<Key extends keyof Kept>(key: Key): Kept[Key] | null {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null");
  } catch {
    return null;
  }
}

export function keep<Key extends keyof Kept>(key: Key, value: Kept[Key]): void {
  sessionStorage.setItem(key, JSON.stringify(value));
}

export function drop(...keys: (keyof Kept)[]): void {
  for (const key of keys) sessionStorage.removeItem(key);
}

/** After this the tab knows nothing of a circle. */
export function dropAll(): void {
  sessionStorage.clear();
}

/** Takes the invitation out of the address bar, at once; true when there was one. */
export function takeLink(): boolean {
  const link = decodeURIComponent(location.hash.slice(1));
  if (link === "") return false;
  history.replaceState(null, "", location.pathname);
  if (link !== kept("link")) drop("resume");
  keep("link", link);
  return true;
}

export const settings = {
  sound: signal(true),
  ring: signal(true),
  /** Tell the time in words, beside or instead of the ring. */
  words: signal(false),
  vibration: signal(false),
  /** Single keys for facilitators (WCAG 2.1.4: they can be switched off). */
  keys: signal(true),
  selfView: signal(false),
};

/** Whose pictures this person wants: to save data, or because faces are too much today. */
export const PICTURES = ["all", "holder", "none"] as const;
export type Pictures = (typeof PICTURES)[number];
export const pictures = signal<Pictures>("all");

export type Setting = keyof typeof settings;

/** The ways to notice how the time goes. Each person has the ones they chose, or none. */
export const SIGNALS = ["ring", "words", "sound", "vibration"] as const satisfies Setting[];

/** Reads the settings of this device and writes each change back. */
export function rememberSettings(): void {
  // Storage may be forbidden; then settings last as long as the page.
  try {
    for (const [name, setting] of Object.entries(settings)) {
      const stored = localStorage.getItem(name);
      if (stored !== null) setting.value = stored === "yes";
      effect(() => localStorage.setItem(name, setting.value ? "yes" : "no"));
    }
    pictures.value = PICTURES.find((one) => one === localStorage.getItem("pictures")) ?? "all";
    effect(() => localStorage.setItem("pictures", pictures.value));
  } catch {}
}
