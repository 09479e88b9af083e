// The run sheet in words: what is now, what comes next, what there is to read. Pure functions.

import type { PhaseWords, SheetWords, View } from "../protocol";
import { text } from "../text/en";

export interface Part {
  title: string;
  isNow: boolean;
  isDone: boolean;
  isNext: boolean;
  isOptional: boolean;
  /** How long it is meant to take, or null. */
  lengthMs: number | null;
  words: string;
}

/** The words of the part that runs now, also of one whose run sheet waits for it. */
export function wordsNow(view: View, sheet: SheetWords | null): PhaseWords | null {
  const { words } = view.phase;
  return words === null ? null : (sheet?.phases[words] ?? null);
}

/** What the part now is called. */
export function titleNow(view: View, sheet: SheetWords | null): string {
  const { mode, number } = view.phase;
  const own = wordsNow(view, sheet)?.title;
  return own || (mode === "talk" && number === 0 ? text.phase.gathering : text.phase[mode]);
}

/** All parts, in their order. Empty without a run sheet. */
export function parts(view: View, sheet: SheetWords | null): Part[] {
  const now = view.sheet?.index ?? -1;
  return (view.sheet?.phases ?? []).map((phase, index) => {
    const own = phase.words === null ? undefined : sheet?.phases[phase.words];
    return {
      title: own?.title || text.phase[phase.mode],
      isNow: index === now,
      isDone: index < now,
      isNext: index === now + 1,
      isOptional: phase.optional,
      lengthMs: phase.length_ms,
      words: own?.words?.trim() ?? "",
    };
  });
}

/** The line that is read now, and null when there is none. */
export function lineNow(view: View, sheet: SheetWords | null): string | null {
  const { mode, line, over } = view.phase;
  return mode === "read" && !over ? (wordsNow(view, sheet)?.lines?.[line] ?? null) : null;
}

/** One line for the head of the page: what is now, for about how long (left), and what then. */
export function nowWords(view: View, sheet: SheetWords | null, left: string): string {
  const next = parts(view, sheet).find((part) => part.isNext);
  const { over } = view.phase;
  const title = titleNow(view, sheet);
  const now = view.safe
    ? text.phase.safe
    : view.paused
      ? text.phase.paused
      : over
        ? text.phase.isOver(title)
        : title;
  const then = next && view.sheet?.index !== null ? text.phase.next(next.title) : "";
  return [now, !over && !view.safe && left, then].filter(Boolean).join(" · ");
}
