// What this tab keeps between two page loads (sessionStorage: three tabs are three people), and
// the settings of this device (localStorage). Names and links never leave the tab.

import { effect, signal } from "@preact/signals";
import type { Profile } from "../protocol";

/** What the door tells before anybody sits down. */
export interface Door {
  isOn: boolean;
  /** Why it is off, in the host's words; null in a practice circle, where the server takes part. */
  reason: string | null;
  /** The link's secret is an older one: whoever leads may hand over the new one inside. */
  isOlder: boolean;
}

interface Kept {
  link: string;
  resume: string;
  profile: Profile;
  /** The version of the agreement this person has affirmed. */
  agreement: number;
  listenOnly: boolean;
  /** The group's secret as it stood in the link, until the group is known. */
  secret: string;
  /** The group whose circle this is, and what its door told. */
  door: Door & { group: string };
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
  const given = decodeURIComponent(location.hash.slice(1));
  if (given === "") return false;
  history.replaceState(null, "", location.pathname);
  const { link, secret } = parts(given);
  drop("secret", "door");
  if (secret !== null) keep("secret", secret);
  if (link !== kept("link")) drop("resume");
  keep("link", link);
  return true;
}

/** A link's token, which has one dot in it, and the group's secret behind another one. */
export function parts(given: string): { link: string; secret: string | null } {
  const [body = "", mac, secret] = given.split(".");
  return { link: mac === undefined ? body : `${body}.${mac}`, secret: secret || null };
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
