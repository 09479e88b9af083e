// What this page knows of the end-to-end encryption of its circle, for the screens to show.

import { signal } from "@preact/signals";

/** What the door tells before anybody sits down. */
export interface Door {
  isOn: boolean;
  /** Why it is off, in the host's words; null in a practice circle, where the server takes part. */
  reason: string | null;
  /** The link's secret is an older one: whoever leads may hand over the new one inside. */
  isOlder: boolean;
}
export const door = signal<Door | null>(null);

/**
 * How the circle is protected just now.
 * off: not encrypted, and everybody was told why. checking: nothing has been sealed or opened yet.
 * on: every stream that flows from and to this page is really sealed and opened here.
 * unheard: this page's secret is not the circle's; nothing that arrives can be opened.
 * stopped: this page's own sound, picture or screen could not be sealed and was taken off.
 */
export type Protection =
  | { kind: "off" | "checking" | "on" | "unheard" }
  | { kind: "stopped"; what: "audio" | "video" | "screen" };
export const protection = signal<Protection>({ kind: "checking" });

/** Four numbers, 0–255, each of which names a word; null while there is nobody to compare with. */
export const safetyNumbers = signal<readonly number[] | null>(null);

/** Seats whose profile this page cannot open: they came with another secret. */
export const strangers = signal<readonly string[]>([]);

/** Of those, for who leads: who came with an older secret of the group. name: as it says there. */
export const returning = signal<readonly { seat: string; name: string }[]>([]);

/** This browser has the group's secret, so that links for others can be made here. */
export const hasSecret = signal(false);

/** Hands the group's secret of today to somebody who came with an older one. */
export async function handOver(_seat: string): Promise<void> {}

/** Makes a new secret for the group and hands it to everybody who is here. False: not now. */
export async function renew(): Promise<boolean> {
  return false;
}

export interface Invitation {
  /** The whole link, the secret in it. */
  url: string;
  /** What the host calls the link by. */
  code: string;
}

/** A fresh link for others; null when the server gives none just now. */
export async function invite(_role: "facilitator" | "participant"): Promise<Invitation | null> {
  return null;
}

/** A link that the host made on the server, with the secret added; null if it is none of ours. */
export function complete(_link: string): string | null {
  return null;
}
