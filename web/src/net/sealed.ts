// What is in what is sealed: profiles, messages between two, and words, as docs/encryption.md has
// them. Whatever opened may still be anything; here it is one of these or null.

import { type Bytes, fromB64, type SenderKey, toB64 } from "../e2ee/frames";
import { inB64, type Person, pack, readPerson, seal, unpack, unseal } from "../e2ee/keys";
import type { Profile } from "../protocol";

const COLORS: readonly unknown[] = [
  "sage",
  "rose",
  "sky",
  "sand",
  "lilac",
  "teal",
  "clay",
  "honey",
] satisfies Profile["color"][];
const isColor = (color: unknown): color is Profile["color"] => COLORS.includes(color);
/** No control characters, and no half of a character. */
const NAME = /^[^\p{Cc}\p{Cs}]{1,40}$/u;
const MAX_KEY_ID = 2 ** 40;

/** A secret or a key as it is written, 43 letters; null if it is none. */
export function read32(text: unknown): Bytes | null {
  const data = fromB64(text);
  return data?.length === 32 ? data : null;
}

/** How somebody appears to those who have the same secret. announce: its key. */
export async function sealProfile(announce: Bytes, own: Person, profile: Profile) {
  const { name, color } = profile;
  return seal(announce, "profile", pack({ name, color, ...inB64(own) }));
}

/** Who that is; null if it does not open or is not the profile of anybody. */
export async function openProfile(
  announce: Bytes,
  text: string,
): Promise<(Profile & Person) | null> {
  const what = unpack(await unseal(announce, "profile", text));
  const { name, color } = what;
  if (typeof name !== "string" || name !== name.trim() || !NAME.test(name)) return null;
  const person = isColor(color) ? await readPerson(what) : null;
  return person && { name, color: color as Profile["color"], ...person };
}

/** What one hands to another. secret: from who leads only, which is for the caller to judge. */
export type Message =
  | ({ kind: "key" } & SenderKey)
  | { kind: "ask" }
  | { kind: "secret"; secret: Bytes };

export function writeMessage(message: Message): object {
  if (message.kind === "key") return { ...message, key: toB64(message.key) };
  return message.kind === "secret" ? { ...message, secret: toB64(message.secret) } : message;
}

export function readMessage(opened: Record<string, unknown> | null): Message | null {
  const { kind, id } = opened ?? {};
  if (kind === "ask") return { kind };
  if (kind === "secret") {
    const secret = read32(opened?.secret);
    return secret && { kind, secret };
  }
  const key = kind === "key" ? read32(opened?.key) : null;
  const isId = Number.isSafeInteger(id) && (id as number) >= 0 && (id as number) < MAX_KEY_ID;
  return key && isId ? { kind: "key", id: id as number, key } : null;
}

export type Words = { kind: "chat" | "caption" | "share"; text: string };

export const writeWords = ({ kind, text }: Words): Bytes => pack({ kind, text });

/** null also for what holds half a character. */
export function readWords(plain: Bytes | null): Words | null {
  const { kind, text } = unpack(plain);
  const isKind = kind === "chat" || kind === "caption" || kind === "share";
  return isKind && typeof text === "string" && !/\p{Cs}/u.test(text) ? { kind, text } : null;
}
