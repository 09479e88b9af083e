// The end-to-end encryption of this page's circle: what the screens show of it, and the one place
// that ties the keys to the door, the socket and the media.

import { signal } from "@preact/signals";
import { type Bytes, draw, toB64 } from "../e2ee/frames";
import { announceKey, check, makePair, type Self, selfOf } from "../e2ee/keys";
import { askInvitation, putCheck, type Told } from "../net/api";
import { Encryption, isSupported } from "../net/encryption";
import { Keyring, type Stranger } from "../net/keyring";
import type { Media } from "../net/media";
import { read32, sealProfile, type Words } from "../net/sealed";
import { deviceKeys, keepSecret, keptOf, type Met, noteDevice } from "../net/vault";
import type { ClientFrame, Keys, Profile, Said, Show, View, Welcome } from "../protocol";
import type * as circle from "./circle";
import { leadsIn } from "./reading";
import { type Door, drop, keep, kept, parts } from "./session";

export type { Door };
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

/** Eight numbers, 0–255, each of which names a word; null while there is nobody to compare with. */
export const safetyNumbers = signal<readonly number[] | null>(null);

/** Seats whose profile this page cannot open: they came with another secret. */
export const strangers = signal<readonly string[]>([]);

/** Of those, for who leads: who came with an older secret of the group. name: as it says there. */
export interface Returning {
  seat: string;
  /** Whose it is: the server could show another one there between a look and a tap. */
  hand: string;
  name: string;
  /** How this browser has met their device: a removed member has the older secret, too. */
  met: "here" | "removed" | "never";
}
export const returning = signal<readonly Returning[]>([]);

/** This browser has the group's secret, so that links for others can be made here. */
export const hasSecret = signal(false);

export interface Invitation {
  /** The whole link, the secret in it. */
  url: string;
  /** What the host calls the link by. */
  code: string;
}

type Sealed = { sealed: string };

interface Outside {
  media: Pick<Media, "encrypt">;
  send(frame: ClientFrame): boolean;
  /** The encryption does not run any more. */
  fail(): void;
}
let outside: Outside;
let self: Self | null = null;
let keyring: Keyring | null = null;
let encryption: Encryption | null = null;
let seatedAt = "";
let known: Stranger[] = [];
/** One's own words, by how they were sealed: they come back like those of others. */
const ownWords = new Map<string, string>();

export function connect(to: Outside): void {
  outside = to;
}

// --- The door -----------------------------------------------------------------------------------

/** Which page a link leads to, by what the server tells of it. */
export async function knock(
  told: Told,
): Promise<"join" | "no_encryption" | "key_missing" | "downgraded" | "unreachable"> {
  const given = kept("secret");
  const { on, reason } = told.encryption;
  const enter = (isOlder = false) => {
    door.value = { isOn: on, reason, isOlder };
    keep("door", { ...door.value, group: told.group });
    hasSecret.value = on && keptOf(told.group).secret !== null;
    return "join" as const;
  };
  // What this tab has been told before, or the link itself, says otherwise.
  if (!on) return given !== null || isOn() ? "downgraded" : enter();
  if (!isSupported()) return "no_encryption";
  keep("door", { isOn: true, reason: null, isOlder: false, group: told.group });
  const { secret, older } = keptOf(told.group);
  // One that has had a successor here is never gone back to, whatever an old link or the server says.
  const isFresh = (one: string | null) => read32(one) !== null && !older.includes(one ?? "");
  const have = [given, secret].filter((one): one is string => isFresh(one));
  for (const one of have) {
    if (told.encryption.check === (await checkOf(one))) {
      if (one !== secret) keepSecret(told.group, one);
      return enter();
    }
  }
  const leads = told.role === "facilitator";
  if (told.encryption.check === null) {
    const newest = have[0];
    if (newest === undefined && !leads) return "key_missing";
    // Nobody has said which is the group's secret: whoever leads does.
    offered ??= draw(32);
    const mine = newest ?? toB64(offered);
    if (leads) {
      const now = await putCheck(kept("link") ?? "", await checkOf(mine), null);
      if (now === null) return "unreachable";
      offered = null;
      // Somebody else was quicker by a moment: the server tells the same question otherwise now.
      if (now !== (await checkOf(mine))) return "key_missing";
    }
    keepSecret(told.group, mine);
    return enter();
  }
  // A link that the server does not vouch for replaces nothing that was known before.
  const mine = secret ?? have[0];
  if (mine === undefined) return "key_missing";
  if (mine !== secret) keepSecret(told.group, mine);
  return enter(true);
}

/** A new secret of which the server may have the check, for all that this page has heard. */
let offered: Bytes | null = null;

/**
 * Puts the check of a new secret in the place of an old one. The same secret again when it was not
 * heard whether that has worked: else nobody would have the one whose check is there. lost: no
 * answer. taken: there is another one now.
 */
async function offerFresh(old: string | null): Promise<Bytes | "lost" | "taken"> {
  offered ??= draw(32);
  const fresh = offered;
  const wanted = await check(fresh);
  const now = await putCheck(kept("link") ?? "", wanted, old);
  if (now === null) return "lost";
  offered = null;
  return now === wanted ? fresh : "taken";
}

/** A new secret for a group whose secret nobody here has. True: the door can be tried again. */
export async function makeKey(told: Told): Promise<boolean> {
  const fresh = await offerFresh(told.encryption.check);
  if (typeof fresh === "string") return false;
  keepSecret(told.group, toB64(fresh));
  drop("secret");
  return true;
}

const checkOf = async (secret: string) => check(read32(secret) ?? new Uint8Array(0));

// --- In the circle ------------------------------------------------------------------------------

/** Whether frames must come through here: the circle is encrypted. */
export const isOn = (): boolean => kept("door")?.isOn ?? false;

/** How oneself appears in an encrypted circle; null in another. */
export const shown = (): Sealed | null => (isOn() ? appearance : null);
let appearance: Sealed | null = null;

/** Before the line is opened. Anything but null: it must not be, and which page says why. */
export async function prepare(profile: Profile): Promise<null | "key_missing" | "no_worker"> {
  const at = kept("door");
  door.value = at;
  protection.value = { kind: isOn() ? "checking" : "off" };
  appearance = null;
  if (!at?.isOn) return null;
  // Another tab may have forgotten everything meanwhile.
  const secret = read32(keptOf(at.group).secret);
  if (!secret) return "key_missing";
  hasSecret.value = true;
  try {
    if (!encryption) startWorker();
  } catch {
    return "no_worker";
  }
  const mine = encryption;
  self ??= await makeSelf(at.group);
  appearance = { sealed: await sealProfile(await announceKey(secret), self, profile) };
  return (await mine?.works()) || mine !== encryption ? null : "no_worker";
}

/** A new hand: nobody has handed it anything yet that could come again. */
const makeSelf = async (group: string): Promise<Self> =>
  selfOf(await makePair(), await deviceKeys(group, makePair));

function startWorker(): void {
  encryption?.stop();
  encryption = new Encryption({
    changed: judge,
    failed: () => outside.fail(),
    lacking: (seats) => void inTurn(async () => keyring?.ask(seats)).catch(() => {}),
  });
  outside.media.encrypt(encryption);
}

/** Calls of the keyring come from frames and from taps; it takes one after the other. */
let turn: Promise<unknown> = Promise.resolve();
function inTurn<T>(act: () => Promise<T>): Promise<T> {
  const done = turn.then(act);
  turn = done.catch(() => {});
  return done;
}

/** Takes the seat: the keys of a meeting live as long as this page has its seat. */
export const sitDown = (welcome: Welcome, profile: Profile) =>
  inTurn(async () => {
    const { seat, circle: meeting, encrypted } = welcome;
    const at = kept("door");
    if (!at?.isOn || !encrypted) return;
    const name = `${meeting} ${seat}`;
    const { secret, older } = keptOf(at.group);
    if (!self || !encryption || !secret || (keyring && seatedAt === name)) return;
    const isMoved = keyring !== null;
    if (isMoved) {
      // A worker has one seat for good, and what a hand was given could come again.
      startWorker();
      self = await makeSelf(at.group);
    }
    seatedAt = name;
    lastDevices.clear();
    removed = [];
    const mine = encryption;
    const read = (one: string) => read32(one) ?? new Uint8Array(0);
    const made = await Keyring.make(
      self,
      { seat, circle: meeting },
      read(secret),
      older.map(read),
      mine,
      (to) => outside.send({ kind: "keys", to }),
    );
    // The page may have left meanwhile.
    if (mine !== encryption) return;
    keyring = made;
    if (isMoved) await appear(profile);
  });

/** Shows the others how one appears, sealed anew. */
async function appear(profile: Profile): Promise<void> {
  if (!keyring) return;
  appearance = { sealed: await keyring.sealProfile(profile) };
  outside.send({ kind: "profile", profile: appearance });
}

/** How the people of a view appear; hands over what it makes due. */
export const follow = (show: Show) => inTurn(() => followNow(show));

async function followNow({ view, profiles }: Show): Promise<Record<string, Profile>> {
  const at = kept("door");
  const mine = keyring;
  if (!mine || !at) return {};
  const { names, devices, members, strangers: others } = await mine.follow(view, profiles ?? {});
  // The page may have left meanwhile.
  if (mine !== keyring) return names;
  noteRemoved(at.group, view);
  for (const [seat, device] of devices) lastDevices.set(seat, toB64(device));
  known = others;
  for (const { id, roles } of view.seats) {
    const device = members.get(id)?.device;
    const leads = roles.includes("facilitator") || roles.includes("co-facilitator");
    if (device) noteDevice(at.group, toB64(device), leads ? "led" : "here");
  }
  tellStrangers();
  void compareAnew();
  judge();
  return names;
}

/** Who is here with a new secret takes a moment to appear with it, and is no stranger meanwhile. */
const SETTLES_MS = 3_000;
let settling: ReturnType<typeof setTimeout> | undefined;

function settle(): void {
  clearTimeout(settling);
  settling = setTimeout(() => {
    settling = undefined;
    tellStrangers();
    judge();
  }, SETTLES_MS);
}

function tellStrangers(): void {
  const group = kept("door")?.group;
  const others = settling === undefined && group !== undefined ? known : [];
  strangers.value = others.map(({ seat }) => seat);
  returning.value = others.flatMap(({ seat, older }) => {
    if (!older || group === undefined) return [];
    const met = keptOf(group).devices[toB64(older.person.device)];
    const hand = toB64(older.person.hand);
    return [{ seat, hand, name: older.name, met: met === "led" ? "here" : (met ?? "never") }];
  });
}

/** Which device each seat has shown last, and who was removed, of this meeting. */
const lastDevices = new Map<string, string>();
let removed: readonly string[] = [];

/** Who was removed, by whomever of those who lead, is known again by their device. */
function noteRemoved(group: string, view: View): void {
  // Others are not told who was removed.
  if (!leadsIn(view)) return;
  const note = (seats: readonly string[], met: Met) => {
    for (const seat of seats) {
      const device = lastDevices.get(seat);
      if (device) noteDevice(group, device, met);
    }
  };
  note(
    view.removed.filter((seat) => !removed.includes(seat)),
    "removed",
  );
  note(
    removed.filter((seat) => !view.removed.includes(seat)),
    "here",
  );
  removed = view.removed;
}

let comparing = 0;
let compared = "";

/** The safety words take a moment to work out, and only the newest count. */
async function compareAnew(): Promise<void> {
  const name = keyring?.company() ?? "";
  if (name === compared) return;
  compared = name;
  const mine = ++comparing;
  safetyNumbers.value = null;
  const numbers = (await keyring?.safety()) ?? null;
  if (mine === comparing) safetyNumbers.value = numbers;
}

/** What somebody has handed over. A new secret is taken from who leads. */
export const receive = ({ seat, sealed }: Keys, profile: Profile) =>
  inTurn(async () => {
    const at = kept("door");
    const mine = keyring;
    const got = await mine?.receive(seat, sealed);
    if (!got || !at || mine !== keyring) return;
    const { older, devices } = keptOf(at.group);
    const fresh = toB64(got.secret);
    const hasLed = devices[toB64(got.from.device)] === "led";
    // One that was had before is never taken again. Another tab may have kept this one already.
    if (!hasLed || fresh === toB64(keyring?.secret ?? draw(0)) || older.includes(fresh)) return;
    await takeSecret(fresh, profile);
  });

async function takeSecret(fresh: string, profile: Profile): Promise<void> {
  const at = kept("door");
  const secret = read32(fresh);
  if (!at || !secret || !keyring) return;
  keepSecret(at.group, fresh);
  keep("door", { ...at, isOlder: false });
  door.value = { ...at, isOlder: false };
  settle();
  await keyring.renew(secret);
  await appear(profile);
}

/** Seals what is written. */
export async function seal(words: Words, to: Said["to"]) {
  const text = (await keyring?.say(words, to)) ?? null;
  if (text !== null) ownWords.set(text, JSON.stringify(words));
  return text;
}

/** Opens what was written; null for what is not for this page to read. */
export async function open(said: Said, you: string): Promise<circle.Written | null> {
  const { seat, to, at, sealed } = said;
  if (sealed === null) return null;
  const own = seat === you ? ownWords.get(sealed) : undefined;
  const words = own ? JSON.parse(own) : await keyring?.hear({ seat, to, at, sealed });
  return words ? { seat, to, at, text: words.text, kind: words.kind } : null;
}

/** What somebody wrote before their key was here, now that something was handed over. */
export async function openAgain({ seat }: Keys): Promise<circle.Written[]> {
  const opened = (await keyring?.hearAgain(seat)) ?? [];
  return opened.map(([{ to, at }, { text, kind }]) => ({ seat, to, at, text, kind }));
}

// --- What people see of it ----------------------------------------------------------------------

/** Works out `protection` from what the worker has really done. */
function judge(): void {
  if (!encryption || !keyring) return;
  const { stopped, isProven } = encryption.state;
  if (stopped) protection.value = { kind: "stopped", what: stopped };
  else if (strangers.value.length > 0 && !keyring.hasMembers)
    protection.value = { kind: "unheard" };
  else protection.value = { kind: isProven ? "on" : "checking" };
}

// --- What facilitators do -----------------------------------------------------------------------

/** Hands the group's secret of today to somebody who came with an older one. False: not now. */
export function handOver({ seat, hand }: Returning): Promise<boolean> {
  const isThey = ({ seat: at, older }: Stranger) =>
    at === seat && older !== null && toB64(older.person.hand) === hand;
  return inTurn(async () => {
    const who = known.find(isThey);
    return (who && (await keyring?.handOver(who))) ?? false;
  }).catch(() => false);
}

/** Makes a new secret for the group and hands it to everybody who is here. False: not now. */
export async function renew(): Promise<boolean> {
  const at = kept("door");
  const profile = kept("profile");
  const secret = at && keptOf(at.group).secret;
  if (!keyring || !profile || !secret) return false;
  const fresh = await offerFresh(await checkOf(secret));
  if (typeof fresh === "string") return false;
  return inTurn(async () => {
    // Who has left meanwhile keeps it: the server has its check.
    if (keyring) await keyring.handSecret(fresh);
    else keepSecret(at.group, toB64(fresh));
    await takeSecret(toB64(fresh), profile);
    return true;
  });
}

/** A fresh link for others; null when the server gives none just now. */
export async function invite(role: "facilitator" | "participant"): Promise<Invitation | null> {
  const given = await askInvitation(kept("link") ?? "", role);
  // Behind the # and nowhere else: what stands before it is sent to the server.
  return given?.link.includes("#") ? { url: withSecret(given.link), code: given.code } : null;
}

/** A link that the host made on the server, with the secret added; null if it is none of ours. */
export function complete(given: string): string | null {
  let url: URL;
  try {
    url = new URL(given.trim());
  } catch {
    return null;
  }
  const { link } = parts(url.hash.slice(1));
  if (url.origin !== location.origin || !link.includes(".")) return null;
  url.hash = link;
  return withSecret(url.href);
}

function withSecret(url: string): string {
  const at = kept("door");
  const secret = at?.isOn ? keptOf(at.group).secret : null;
  return secret === null ? url : `${url}.${secret}`;
}

/** What was sealed, opened and dropped so far: numbers only. */
export const counts = () => encryption?.counts ?? null;

/** The circle is over for this page. */
export function stop(): void {
  keyring = null;
  // A new seat is taken with a new hand.
  self = appearance = null;
  seatedAt = compared = "";
  clearTimeout(settling);
  settling = undefined;
  comparing++;
  known = [];
  ownWords.clear();
  encryption?.stop();
  encryption = null;
  outside.media.encrypt(null);
  safetyNumbers.value = null;
  strangers.value = [];
  returning.value = [];
}
