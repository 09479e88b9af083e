// What is written in the circle: as a chat, as a turn that is typed, or as captions for what is said.

import type { Said, View } from "../protocol";
import { type Kind, leadsBy, type Written } from "./circle";
import { seatOf } from "./reading";
import { isOn, seal } from "./secrecy";
import { request } from "./visit";

/** Whom a member may address, and as what. */
export type Way = "chat" | "share" | "caption" | "facilitators";

/** The ways open to the viewer, the likeliest first. */
export function waysToWrite(view: View): Way[] {
  const toAll = view.write.includes("all");
  const holds = view.turn?.seat === view.you;
  const all: Way[] = [
    ...(toAll && isInterpreter(view) ? ["caption" as const] : []),
    ...(toAll ? ["chat" as const] : []),
    ...(toAll && holds ? ["share" as const] : []),
    ...(toAll && mayCaption(view) ? ["caption" as const] : []),
    ...(view.write.includes("facilitators") ? ["facilitators" as const] : []),
  ];
  return [...new Set(all)];
}

const isInterpreter = (view: View) =>
  seatOf(view, view.you)?.roles.includes("interpreter") ?? false;

/** Whoever may write to everybody in any phase (powers.py, WRITE). */
function mayCaption(view: View): boolean {
  const me = seatOf(view, view.you);
  return me !== undefined && (leadsBy(me) || isInterpreter(view));
}

/**
 * What is shown large: the newest captions, or what the holder types instead of speaking.
 *
 * since: server time in ms; older words belong to an earlier turn.
 */
export function shownLarge(view: View, written: readonly Written[], since: number): Written[] {
  return written
    .filter(({ seat, to, at, kind }) => {
      if (to !== "all" || at <= since) return false;
      return kind === "caption" || (kind === "share" && seat === view.turn?.seat);
    })
    .slice(-MOST_LARGE);
}

const MOST_LARGE = 2;

/** Writes it, sealed if need be; what a refusal says is the asker's business. */
export async function say(to: Said["to"], text: string, kind: Kind = "chat") {
  if (!isOn()) return request({ kind: "say", to, text, as: kind });
  const sealed = await seal({ kind, text }, to);
  return sealed === null
    ? { kind: "lost" as const }
    : request({ kind: "say", to, sealed, as: "chat" });
}
