// GENERATED from the server's protocol.py by `npm run types`. Do not edit.

export type Frame = ClientFrame | ServerFrame;
export type ClientFrame = Hello | Do | Offer | ChangeProfile | Ping;
/**
 * How a phase gives out the floor.
 */
export type Mode = "talk" | "round" | "silence";
/**
 * What happens when a turn's time is used up.
 */
export type Timeout = "soft" | "firm" | "none";
/**
 * What a seat may do. A co-facilitator has the same powers as the facilitator.
 */
export type Role = "facilitator" | "co-facilitator" | "member";
export type ServerFrame = Welcome | Show | Streams | Reoffer | Done | RefusedFrame | Answer | Pong | FaultFrame | Bye;
export type Mic = "on" | "off" | "held";
export type Camera = "on" | "off" | "covered";
/**
 * Where a seat is in this round.
 */
export type Progress = "spoke" | "speaking" | "waiting";
/**
 * How far a turn has come; grows only while its clock runs.
 */
export type Stage = "speaking" | "warned" | "grace" | "overdue";
/**
 * What happens when a turn's time is used up.
 */
export type Timeout1 = "soft" | "firm" | "none";

/**
 * The first frame. `resume` brings a person back to their seat, `link` gives a new one.
 *
 * When both are given and the seat still exists, the seat wins; else the link.
 */
export interface Hello {
  version: number;
  profile: Profile;
  agreement: number;
  link?: string | null;
  resume?: string | null;
  kind: "hello";
}
/**
 * How a person appears in this circle. Held by the client, relayed, never stored or logged.
 */
export interface Profile {
  name: string;
  color: "sage" | "rose" | "sky" | "sand" | "lilac" | "teal" | "clay" | "honey";
}
/**
 * Ask for a command. Answered by `done` or `refused` with the same ref.
 */
export interface Do {
  ref: string;
  command:
    | SetMic
    | SetCamera
    | RaiseHand
    | LowerHand
    | PassTurn
    | Later
    | NextTurn
    | Back
    | GiveTurn
    | Extend
    | HoldClock
    | ReleaseClock
    | StartPhase
    | PauseCircle
    | ResumeCircle
    | HoldMic
    | ReleaseMic
    | CoverCamera
    | UncoverCamera
    | Remove
    | SetRole
    | CloseDoor
    | OpenDoor
    | Leave
    | EndCircle;
  kind: "do";
}
/**
 * Switch one's own microphone. On needs the permission to be heard.
 */
export interface SetMic {
  on: boolean;
  kind: "set_mic";
}
/**
 * Switch one's own camera.
 */
export interface SetCamera {
  on: boolean;
  kind: "set_camera";
}
export interface RaiseHand {
  kind: "raise_hand";
}
/**
 * Lower one's own hand; a facilitator may lower another's by naming the seat.
 */
export interface LowerHand {
  seat?: string | null;
  kind: "lower_hand";
}
/**
 * End or decline one's own turn. Needs no reason.
 */
export interface PassTurn {
  turn: number;
  kind: "pass_turn";
}
/**
 * Ask for one's turn again at the end of this round; once.
 */
export interface Later {
  turn: number;
  kind: "later";
}
/**
 * Move the floor on to whoever is next.
 */
export interface NextTurn {
  turn: number;
  kind: "next_turn";
}
/**
 * Undo the last handing on: the one before holds the floor again, with the time they had.
 */
export interface Back {
  turn: number;
  kind: "back";
}
/**
 * Hand the floor to a named seat.
 */
export interface GiveTurn {
  turn: number;
  seat: string;
  kind: "give_turn";
}
/**
 * Add time to this turn: 60,000 or 180,000 ms.
 */
export interface Extend {
  turn: number;
  by_ms: 60000 | 180000;
  kind: "extend";
}
/**
 * Let this turn's clock stand still.
 */
export interface HoldClock {
  turn: number;
  kind: "hold_clock";
}
/**
 * Let this turn's clock run again.
 */
export interface ReleaseClock {
  turn: number;
  kind: "release_clock";
}
/**
 * Begin a phase. Lengths left out are filled in by the rules.
 *
 * turn_ms: 10,000–3,600,000. warn_ms, grace_ms: 0–600,000. length_ms: 10,000–7,200,000.
 * first: the seat that begins a round; else the order of arrival.
 */
export interface StartPhase {
  mode: Mode;
  turn_ms?: number;
  timeout?: Timeout;
  warn_ms?: number | null;
  grace_ms?: number | null;
  length_ms?: number | null;
  first?: string | null;
  kind: "start_phase";
}
export interface PauseCircle {
  kind: "pause_circle";
}
export interface ResumeCircle {
  kind: "resume_circle";
}
/**
 * Keep a seat's microphone closed until it is released.
 */
export interface HoldMic {
  seat: string;
  kind: "hold_mic";
}
/**
 * Permit a held microphone again; it stays off until its person switches it on.
 */
export interface ReleaseMic {
  seat: string;
  kind: "release_mic";
}
export interface CoverCamera {
  seat: string;
  kind: "cover_camera";
}
/**
 * Permit a covered camera again; it stays off until its person switches it on.
 */
export interface UncoverCamera {
  seat: string;
  kind: "uncover_camera";
}
/**
 * Remove a seat for today. The door closes to newcomers, else the same person walks in.
 */
export interface Remove {
  seat: string;
  kind: "remove";
}
export interface SetRole {
  seat: string;
  role: Role;
  kind: "set_role";
}
/**
 * Let nobody new in; who has a seat may always come back.
 */
export interface CloseDoor {
  kind: "close_door";
}
export interface OpenDoor {
  kind: "open_door";
}
export interface Leave {
  kind: "leave";
}
/**
 * End the circle for all.
 */
export interface EndCircle {
  kind: "end_circle";
}
/**
 * An SDP offer for a new media connection. Answered by `answer` or `refused`.
 */
export interface Offer {
  ref: string;
  sdp: string;
  kind: "offer";
}
export interface ChangeProfile {
  profile: Profile;
  kind: "profile";
}
export interface Ping {
  kind: "ping";
}
/**
 * You have a seat. resume: keep it for this tab only; it brings you back to the seat.
 *
 * capacity: seats of a circle; a client offers capacity - 1 receiving pairs.
 */
export interface Welcome {
  seat: string;
  resume: string;
  capacity: number;
  heartbeat_ms?: number;
  silence_ms?: number;
  kind: "welcome";
}
/**
 * The whole view, again after each change. `seq` grows; a smaller one is old news.
 */
export interface Show {
  seq: number;
  view: View;
  profiles?: {
    [k: string]: Profile;
  };
  notices?: Notice[];
  kind: "view";
}
/**
 * Everything one seat may know, whole.
 *
 * you: the viewer's seat. now: server time the numbers hold for. turns_given: the number to
 * name in *next* and *back* when nobody holds the floor. before_you: turns before yours in this
 * round, 0 = you are next, None = you hold the floor or have none to come.
 * may: kinds of commands the viewer may send now.
 */
export interface View {
  you: string;
  now: number;
  phase: PhaseView;
  seats: SeatView[];
  order: OrderEntry[];
  turn: TurnView | null;
  turns_given: number;
  before_you: number | null;
  hands: string[];
  paused: boolean;
  door_open: boolean;
  may: string[];
}
/**
 * length_ms, remaining_ms: of a phase that has a length, else None.
 * over: the round or the length is complete.
 */
export interface PhaseView {
  number: number;
  mode: Mode;
  length_ms: number | null;
  remaining_ms: number | null;
  over: boolean;
}
/**
 * One seat as everybody sees it. may: commands the viewer may send that name this seat.
 */
export interface SeatView {
  id: string;
  role: Role;
  present: boolean;
  mic: Mic;
  camera: Camera;
  hand: boolean;
  may: string[];
}
export interface OrderEntry {
  seat: string;
  progress: Progress;
}
/**
 * The turn as one viewer may know it.
 *
 * remaining_ms: true at the view's `now`; below zero past the limit. None without a limit.
 * running: the clock moves. stage: told to the holder and to facilitators only (else None),
 * because nobody else needs to see that somebody's time is up.
 * fades_at_ms: in a firm turn, the remaining_ms (negative) at which the floor moves on.
 */
export interface TurnView {
  number: number;
  seat: string;
  given_ms: number;
  remaining_ms: number | null;
  running: boolean;
  held: boolean;
  stage: Stage | null;
  timeout: Timeout1;
  fades_at_ms: number | null;
}
/**
 * Something a person should notice once, by eye, ear or screen reader.
 *
 * kind: the event's own kind, or a sharper word where one event means different things to
 * different people. seat: whom it is about, if anybody.
 */
export interface Notice {
  kind: string;
  seat?: string | null;
}
/**
 * Whose audio and video arrives on which of your receiving transceivers, whole.
 */
export interface Streams {
  mids: {
    [k: string]: string;
  };
  kind: "streams";
}
/**
 * Your media connection is gone on the server's side: make a new one.
 */
export interface Reoffer {
  kind: "reoffer";
}
/**
 * The command took effect and is kept, even through a crash. seq: of the view that shows it.
 */
export interface Done {
  ref: string;
  seq: number;
  kind: "done";
}
/**
 * Nothing has changed.
 */
export interface RefusedFrame {
  ref: string;
  code: string;
  kind: "refused";
}
export interface Answer {
  ref: string;
  sdp: string;
  kind: "answer";
}
export interface Pong {
  kind: "pong";
}
/**
 * A frame could not be taken; the connection stays. ref: the frame's, if it could be read.
 */
export interface FaultFrame {
  code: string;
  ref?: string | null;
  kind: "fault";
}
/**
 * The last frame before the server closes. again: reconnecting makes sense.
 *
 * Only with `blocked`: words, the host's own, say how to appeal; review_on is the day on which
 * the block will be looked at again.
 */
export interface Bye {
  code: string;
  again: boolean;
  words?: string | null;
  review_on?: string | null;
  kind: "bye";
}
