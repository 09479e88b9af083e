// Run sheets as a facilitator handles them: the library, a sheet's text, choosing and forgetting.
// The text is read by the server alone; here it is only carried.

import { signal } from "@preact/signals";
import { tell } from "../a11y/announce";
import type { SheetEntry, SheetFault } from "../protocol";
import { text } from "../text/en";
import { lead } from "../text/lead";
import { request } from "./visit";

/** What may be chosen; null until it has been asked for. */
export const library = signal<SheetEntry[] | null>(null);

/** The longest run sheet the server takes, in bytes (core/runsheet.py). */
const FILE_BYTES = 32 * 1024;

export async function getLibrary(): Promise<void> {
  const outcome = await request({ kind: "get_library" });
  if (outcome.kind === "library") library.value = outcome.sheets;
  else refuse(outcome);
}

/** The text of a sheet, or null when it could not be had. */
export async function getText(sheet: string): Promise<string | null> {
  const outcome = await request({ kind: "get_sheet", sheet });
  if (outcome.kind === "sheet_text") return outcome.text;
  refuse(outcome);
  return null;
}

/** Makes a kept sheet the circle's. True when it took effect. */
export async function choose(sheet: string): Promise<boolean> {
  const outcome = await request({ kind: "choose_sheet", sheet });
  return settle(outcome);
}

/** Sets the phase aside and runs a kept sheet first. */
export async function insert(sheet: string): Promise<boolean> {
  const outcome = await request({ kind: "choose_sheet", sheet, insert: true });
  return settle(outcome);
}

/** Makes a text the circle's run sheet. [] when it took effect, else what to mend. */
export async function chooseText(words: string): Promise<SheetFault[] | null> {
  const outcome = await request({ kind: "choose_sheet", text: words });
  if (outcome.kind === "refused" && (outcome.faults ?? []).length > 0) return outcome.faults ?? [];
  return settle(outcome) ? [] : null;
}

export async function forget(sheet: string): Promise<boolean> {
  const outcome = await request({ kind: "forget_sheet", sheet });
  if (!settle(outcome)) return false;
  tell(lead.library.forgotten);
  await getLibrary();
  return true;
}

/** Reads a file that somebody has picked; null, with a sentence, when it is too long. */
export async function readFile(file: File): Promise<string | null> {
  if (file.size > FILE_BYTES) {
    tell(lead.library.tooLong);
    return null;
  }
  return file.text();
}

/** Gives a text to the browser to save, without asking any server. */
export function saveFile(name: string, words: string): void {
  const address = URL.createObjectURL(new Blob([words], { type: "text/plain" }));
  const anchor = document.createElement("a");
  anchor.href = address;
  anchor.download = `${fileName(name)}.toml`;
  anchor.click();
  // The browser has taken its own hold of it by the next turn of the loop.
  setTimeout(() => URL.revokeObjectURL(address));
}

export function fileName(title: string): string {
  const plain = title.toLowerCase().replace(/[^\p{L}\p{N}]+/gu, "-");
  return plain.replace(/^-|-$/g, "").slice(0, 60) || "run-sheet";
}

type Settled = Awaited<ReturnType<typeof request>>;

function settle(outcome: Settled): boolean {
  refuse(outcome);
  return outcome.kind === "done";
}

function refuse(outcome: Settled): void {
  if (outcome.kind === "refused") tell(text.code(outcome.code));
}
