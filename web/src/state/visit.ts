// One tab's visit to a circle: it ties the socket, the media and the signals together. The pages
// call these functions and nothing below them.

import { effect, signal } from "@preact/signals";
import { endCall, tell } from "../a11y/announce";
import { allowChime } from "../a11y/chime";
import { askLink, type Blocked, type Told } from "../net/api";
import { keepAwake } from "../net/devices";
import { Media } from "../net/media";
import { Relays } from "../net/relays";
import { type Command, type Line, type Outcome, type Request, Socket } from "../net/socket";
import { empty } from "../net/vault";
import type { Hello, Profile, ServerFrame } from "../protocol";
import { text } from "../text/en";
import * as circle from "./circle";
import { startClock, stopClock } from "./clock";
import { forgetLines, hearLines } from "./lines";
import * as own from "./own";
import * as screen from "./screen";
import * as secrecy from "./secrecy";
import { drop, dropAll, keep, kept, takeLink } from "./session";
import { notice, noticeWriting } from "./telling";
import { startWatching, stopWatching, watchAgain } from "./watching";

/** The agreement whose words are in text/agreement.ts. */
const AGREEMENT = 1;
const VERSION = 3;

/** After these the seat may still be there, and "come back in" leads to it. */
const SEAT_REMAINS: ReadonlySet<string> = new Set([
  "replaced",
  "bad_version",
  "trouble",
  "removed",
]);

export type Page =
  | "landing"
  | "checking"
  | "bad_link"
  | "unreachable"
  | "no_encryption"
  | "no_worker"
  | "key_missing"
  | "downgraded"
  | "join"
  | "circle"
  | "bye"
  | "debrief";
export const page = signal<Page>("landing");
/** The invitation is a facilitators' one. */
export const mayPractise = signal(false);
/** The newest of this person's commands that took effect. */
export const lastDone = signal<Command["kind"] | null>(null);
/** Why the circle said good-bye. */
export const byeCode = signal("");
/** What the host of the group adds to it, in paragraphs. */
export const byeWords = signal<string[]>([]);

/** What the server told of the link. */
let told: Told | null = null;
/** A removed person has asked whether they may come back. */
let triedAgain = false;

let socket: Socket | null = null;

const relays = new Relays(request);

export const media = new Media({
  iceServers: () => relays.fresh(performance.now()),
  async negotiate(sdp) {
    const outcome = await socket?.request({ kind: "offer", sdp });
    if (outcome?.kind !== "answer") return null;
    watchAgain();
    return outcome.sdp;
  },
  video(tracks) {
    circle.videos.value = tracks;
  },
  screen(track) {
    screen.arriving.value = track;
  },
  blocked(isBlocked) {
    circle.soundBlocked.value = isBlocked;
  },
});
own.connect({ media, ask });
secrecy.connect({
  media,
  send: (frame) => socket?.send(frame) ?? false,
  fail: () => goWithoutLine("no_worker"),
});
screen.connect({ media, ask });

/** Decides what a freshly loaded tab shows. */
export async function arrive(): Promise<void> {
  const isNew = takeLink();
  if (kept("resume") && kept("profile") && kept("door") && !isNew) return sitDown();
  const link = kept("link");
  if (!link) {
    page.value = "landing";
    return;
  }
  page.value = "checking";
  const answer = await askLink(link);
  if (typeof answer === "string") page.value = answer;
  else if ("words" in answer) sayGoodBye("blocked", false, answer);
  else {
    told = answer;
    mayPractise.value = answer.role === "facilitator";
    page.value = await secrecy.knock(answer);
  }
}

/** A facilitator makes a new secret for a group whose secret they do not have. False: not now. */
export async function makeKey(): Promise<boolean> {
  if (!told || !(await secrecy.makeKey(told))) return false;
  await arrive();
  return true;
}

/** The person has chosen how to be here and has affirmed the agreement. */
export function agree(profile: Profile, listenOnly: boolean): void {
  keep("profile", profile);
  keep("agreement", AGREEMENT);
  keep("listenOnly", listenOnly);
  void sitDown();
}

/** How this person appears. */
const ownProfile = (): Profile => kept("profile") ?? { name: text.someone, color: "sage" };

async function sitDown(): Promise<void> {
  circle.forget();
  // After a reload there was no tap yet, and a browser would refuse the sound aloud.
  if (navigator.userActivation?.isActive) allowChime();
  else addEventListener("pointerdown", allowChime, { once: true });
  keepAwake();
  page.value = "circle";
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket?.close();
  const opening = new Socket(`${scheme}://${location.host}/ws`, { hello, frame, line });
  socket = opening;
  // Nobody waits for what was under way on another line.
  taking = Promise.resolve();
  startClock((seat, volume) => media.setVolume(seat, volume));
  startWatching((watch) => socket?.send(watch) ?? false);
  const wrong = await secrecy.prepare(ownProfile()).catch(() => "no_worker" as const);
  if (socket !== opening) return;
  if (wrong === null) opening.open();
  else goWithoutLine(wrong);
}

/** Out of the circle, to a page that says why. The place is kept. */
function goWithoutLine(to: Page): void {
  stop();
  page.value = to;
}

function hello(): Hello {
  return {
    kind: "hello" as const,
    version: VERSION,
    agreement: kept("agreement") ?? 0,
    // Sealed or not at all: a name in clear is nothing for an encrypted circle's server.
    profile: secrecy.isOn() ? (secrecy.shown() ?? { sealed: "" }) : ownProfile(),
    link: kept("link"),
    resume: kept("resume"),
  };
}

function line(line: Line): void {
  if (line === "lost" && circle.line.value !== "lost") tell(text.line.lost, true);
  if (line === "on" && circle.line.value === "lost") tell(text.line.back, true);
  circle.line.value = line;
}

/** One frame after the other: in an encrypted circle some take a moment to open. */
let taking: Promise<void> = Promise.resolve();

function frame(frame: ServerFrame): void {
  const from = socket;
  const take = async () => {
    if (socket !== from) return;
    await unseal(frame);
    if (socket === from) follow(frame);
  };
  if (secrecy.isOn()) taking = taking.then(take).catch(() => tell(text.code("bad_frame")));
  else follow(frame);
}

/** How the people of the newest view appear. */
let names: Record<string, Profile> | undefined;
/** What was written last, opened. */
let words: circle.Written | null = null;
/** What was written before the key that has come now. */
let late: circle.Written[] = [];

/** What takes a moment before a frame can be followed. */
async function unseal(frame: ServerFrame): Promise<void> {
  switch (frame.kind) {
    case "welcome":
      return secrecy.sitDown(frame, ownProfile());
    case "view":
      names = await secrecy.follow(frame);
      return;
    case "said":
      words = await secrecy.open(frame, circle.view.value?.you ?? "");
      return;
    case "keys":
      await secrecy.receive(frame, ownProfile());
      late = await secrecy.openAgain(frame);
      return;
  }
}

function follow(frame: ServerFrame): void {
  switch (frame.kind) {
    case "welcome":
      if (!frame.encrypted && secrecy.isOn()) {
        sayGoodBye("not_encrypted", false, {});
        break;
      }
      keep("resume", frame.resume);
      circle.capacity.value = frame.capacity;
      circle.forgetSeq();
      forgetLines();
      watchAgain();
      own.newConnection();
      screen.close();
      relays.given(frame.ice_servers ?? [], performance.now());
      void media.ensure(frame.capacity);
      break;
    case "view":
      if (circle.show(frame, performance.now(), secrecy.isOn() ? (names ?? {}) : undefined)) {
        own.follow();
        screen.follow();
        media.setSharing(frame.view.sharing);
        listenIfWished();
        notice(frame);
      }
      break;
    case "sheet":
      circle.sheetWords.value = frame;
      break;
    case "said":
      // In clear, in an encrypted circle: somebody else's words in the name of one who is here.
      if (frame.text !== null && !secrecy.isOn())
        hearWriting({
          seat: frame.seat,
          to: frame.to,
          at: frame.at,
          text: frame.text,
          kind: frame.as,
        });
      else if (words !== null && secrecy.isOn()) hearWriting(words);
      break;
    case "keys":
      for (const said of late) hearWriting(said);
      late = [];
      break;
    case "streams":
      media.setStreams(frame.mids);
      break;
    case "demand":
      media.setDemand(frame.high);
      break;
    case "lines":
      hearLines(frame);
      break;
    case "reoffer":
      void media.renew(circle.capacity.value);
      break;
    case "fault":
      tell(text.code(frame.code));
      break;
    case "bye":
      sayGoodBye(frame.code, frame.again, frame);
      break;
  }
}

function hearWriting(said: circle.Written): void {
  if (circle.hearWriting(said)) noticeWriting(said);
}

/** Whoever chose only to listen before sitting down says so once, as soon as they are in. */
function listenIfWished(): void {
  if (!kept("listenOnly") || !circle.may("listen_only")) return;
  drop("listenOnly");
  void ask({ kind: "listen_only", on: true });
}

/** Sends a command; a refusal becomes a sentence. Resolves to true when it took effect. */
export async function ask(command: Command): Promise<boolean> {
  if (!socket || circle.waiting.value.has(command.kind)) return false;
  circle.waiting.value = new Set([...circle.waiting.value, command.kind]);
  const outcome: Outcome = await socket.ask(command);
  if (outcome.kind === "done") await shownUpTo(outcome.seq);
  const rest = new Set(circle.waiting.value);
  rest.delete(command.kind);
  circle.waiting.value = rest;
  if (outcome.kind === "refused") tell(text.code(outcome.code));
  if (outcome.kind === "done") lastDone.value = command.kind;
  return outcome.kind === "done";
}

/** Sends a frame that is no command and is answered by its `ref`. What a refusal says is the
 *  asker's business. */
export async function request(frame: Request): Promise<Outcome> {
  return (await socket?.request(frame)) ?? { kind: "lost" };
}

/** `done` may come before the view that shows it; the buttons wait for both. */
function shownUpTo(seq: number): Promise<void> {
  const { promise, resolve } = deferred();
  const stop = effect(() => {
    if (circle.line.value !== "on" || (circle.shown.value?.seq ?? -1) >= seq) resolve();
  });
  return promise.finally(stop);
}

function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}

type Added = { [Key in keyof Blocked]?: Blocked[Key] | null };

function sayGoodBye(code: string, again: boolean, { words, review_on }: Added): void {
  if (again) return;
  if (code === "bad_resume" && kept("link")) {
    // The seat is gone but the invitation is at hand: a new seat, after a look at the link.
    drop("resume");
    stop();
    void arrive();
    return;
  }
  stop();
  if (!SEAT_REMAINS.has(code)) drop("resume");
  if (code === "removed" || code === "blocked") drop("link");
  byeCode.value = code;
  const isStill = code === "removed" && triedAgain;
  triedAgain = false;
  if (isStill) tell(text.notYet, true);
  byeWords.value = [
    ...(isStill ? [text.notYet] : []),
    ...(words ? [words] : []),
    ...(review_on ? [text.reviewOn(review_on)] : []),
  ];
  page.value = "bye";
}

function stop(): void {
  own.stopAll();
  screen.close();
  stopClock();
  stopWatching();
  forgetLines();
  media.close();
  socket?.close();
  socket = null;
  secrecy.stop();
  endCall();
}

export async function leave(): Promise<void> {
  socket?.send({ kind: "do", ref: "leave", command: { kind: "leave" } });
  stop();
  drop("resume");
  byeCode.value = "left";
  byeWords.value = [];
  page.value = "bye";
}

/** Back to the seat if it is still there, else to the door with the same invitation. */
export function comeBack(): void {
  triedAgain = byeCode.value === "removed";
  if (byeCode.value === "bad_version") location.reload();
  else void arrive();
}

/**
 * Gone at once: devices off, page blank, nothing kept, no way back by the Back button. Nothing
 * here may wait for an answer.
 */
export function quickExit(): void {
  document.documentElement.hidden = true;
  own.stopAll();
  screen.close();
  document.body.replaceChildren();
  socket?.send({ kind: "do", ref: "leave", command: { kind: "leave" } });
  media.close();
  dropAll();
  empty();
  history.replaceState(null, "", "/left");
  location.replace("/left");
}
