// The practice room: a circle of one's own with robots, and what was tried in it. What is ticked
// is read from the views and from what this person did; nothing of it leaves the page.

import { signal } from "@preact/signals";
import { tell } from "../a11y/announce";
import { askPractice } from "../net/api";
import type { Command } from "../net/socket";
import type { View } from "../protocol";
import { practice as words } from "../text/after";
import { drop, keep, kept } from "./session";
import { page } from "./visit";

export type ToTry = keyof typeof words.toTry;

/** No practice circle could be had just now. */
export const isFull = signal(false);
export const tried = signal<ReadonlySet<ToTry>>(new Set());

/** Asks for a practice circle and goes there. The way back to one's own circle is kept. */
export async function startPractice(): Promise<void> {
  const from = kept("link");
  if (!from) return;
  page.value = "checking";
  const link = await askPractice(from);
  isFull.value = link === null;
  if (link === null) {
    page.value = "join";
    tell(words.not);
    return;
  }
  keep("practice", { link, from });
  location.hash = link;
}

export function isPractising(): boolean {
  const practice = kept("practice");
  return practice !== null && practice.link === kept("link");
}

/** Back to the invitation of the group. */
export function leavePractice(): void {
  const practice = kept("practice");
  drop("practice");
  if (practice) location.hash = practice.from;
}

/** Follows one practice, view by view and command by command. */
export class Watching {
  private before: View | null = null;
  private did = new Set<Command["kind"]>();
  private dropped: string | null = null;
  /** The turn whose holder was silent all along, by its number. */
  private silent: number | null = null;

  /**
   * asking: kinds of commands on their way. done: the last that took effect. isHushed: nothing is
   * heard of the one who has the floor.
   */
  see(
    view: View,
    asking: ReadonlySet<string>,
    done: Command["kind"] | null,
    isHushed: boolean,
  ): ToTry[] {
    if (done) this.did.add(done);
    const found = [
      ...(this.hasTried("signal_gently", "extend", "next_turn") ? ["overrun" as const] : []),
      ...(this.hasTried("safe_room", "readmit") ? ["intruder" as const] : []),
      ...(view.quiet.with_you !== null ? ["distress" as const] : []),
      ...(this.hasWaited(view) ? ["drop" as const] : []),
      ...(this.hasLetBe(view, asking, isHushed) ? ["silence" as const] : []),
    ];
    this.before = view;
    return found;
  }

  private hasTried(...kinds: Command["kind"][]): boolean {
    return kinds.every((kind) => this.did.has(kind));
  }

  /** A line dropped, and its person is back. */
  private hasWaited(view: View): boolean {
    const away = view.seats.find(({ id, present }) => !present && id === view.turn?.seat);
    if (away) this.dropped = away.id;
    return view.seats.some(({ id, present }) => id === this.dropped && present);
  }

  /** A silent turn ended, and not by the hand of who leads. */
  private hasLetBe(view: View, asking: ReadonlySet<string>, isHushed: boolean): boolean {
    const wasSilent = this.silent !== null && this.silent === this.before?.turn?.number;
    const isOver = view.turn?.number !== this.silent;
    if (view.turn && view.turn.seat !== view.you && isHushed) this.silent = view.turn.number;
    return wasSilent && isOver && !asking.has("next_turn") && !asking.has("give_turn");
  }
}
