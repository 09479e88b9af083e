// GENERATED from the server's protocol.py by `npm run types`. Do not edit.

export type Frame = ClientFrame | ServerFrame;
export type ClientFrame =
  | Hello
  | Do
  | Offer
  | ChangeProfile
  | ChooseSheet
  | GetLibrary
  | GetSheet
  | ForgetSheet
  | GetIceServers
  | Say
  | HandKeys
  | Watch
  | Ping;
/**
 * What happens when a turn's time is used up.
 */
export type Timeout = "soft" | "firm" | "none";
/**
 * Who comes next.
 */
export type Order = "list" | "seeded-random" | "hand" | "quiet-first" | "previous-names-next";
/**
 * How a phase gives out the floor.
 */
export type Mode = "talk" | "round" | "queue" | "read" | "pairs" | "silence";
/**
 * What happens when a turn's time is used up.
 */
export type Timeout1 = "soft" | "firm" | "none";
/**
 * Why a camera was covered: told to its person, from a fixed list.
 */
export type Reason = "unsaid" | "private-things" | "somebody-else" | "distressing" | "moving";
/**
 * A reminder of what the group agreed, shown to all without a name or to one in private.
 */
export type Card =
  "cross-talk" | "advice" | "graphic-detail" | "confidentiality" | "side-chat" | "substances-or-driving";
/**
 * What a content note may name; a fixed list, so that no words are kept.
 */
export type Topic =
  "death" | "suicide" | "self-harm" | "violence" | "sexual-violence" | "substances" | "eating" | "illness" | "other";
/**
 * What a seat does for the circle. A seat may have several, or none: a member.
 *
 * Their powers stand in powers.py. The first facilitator is the one who leads.
 */
export type Role =
  "facilitator" | "co-facilitator" | "timekeeper" | "guardian" | "greeter" | "interpreter" | "listener";
export type ServerFrame =
  | Welcome
  | Show
  | SheetWords
  | Library
  | SheetText
  | IceServers
  | Said
  | Keys
  | Streams
  | Demand
  | Lines
  | Reoffer
  | Done
  | RefusedFrame
  | Answer
  | Pong
  | FaultFrame
  | Bye;
/**
 * Whom a phase is for.
 */
export type Who = "all" | "facilitators" | "speaker" | "unheard";
/**
 * What a holder may do with the turn beside ending it, which is always theirs.
 */
export type Pass = "later" | "to-anyone";
/**
 * Whether people may answer one another.
 */
export type CrossTalk = "none" | "invited" | "open";
export type Chat = "off" | "to-facilitators" | "on";
/**
 * Who may be heard while somebody holds the floor.
 */
export type Mics = "holder" | "all";
export type Mic = "on" | "off" | "held";
export type Camera = "on" | "off" | "covered";
/**
 * Where a seat is in this phase's line.
 */
export type Progress = "spoke" | "speaking" | "waiting";
/**
 * How far a turn has come; grows only while its clock runs.
 */
export type Stage = "speaking" | "warned" | "grace" | "overdue";
/**
 * What a pair does.
 */
export type StepKind = "together" | "speak" | "silence";
/**
 * Why a camera was covered: told to its person, from a fixed list.
 */
export type Reason1 = "unsaid" | "private-things" | "somebody-else" | "distressing" | "moving";
/**
 * What happens to newcomers. Who has a seat may always come back.
 */
export type Door = "open" | "ask" | "closed";

/**
 * The first frame. `resume` brings a person back to their seat, `link` gives a new one.
 *
 * When both are given and the seat still exists, the seat wins; else the link.
 */
export interface Hello {
  version: number;
  profile: Profile | SealedProfile;
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
 * The same in an encrypted circle, with this page's public keys; we cannot read it.
 */
export interface SealedProfile {
  sealed: string;
}
/**
 * Ask for a command. Answered by `done` or `refused` with the same ref.
 */
export interface Do {
  ref: string;
  command:
    | SetMic
    | SetCamera
    | StartShare
    | StopShare
    | RaiseHand
    | LowerHand
    | PassTurn
    | Later
    | PassToAnyone
    | NameNext
    | BeginTurn
    | WelcomeResponses
    | FirstNextRound
    | ListenOnly
    | NextTurn
    | Back
    | GiveTurn
    | Extend
    | HoldClock
    | ReleaseClock
    | SignalGently
    | OpenPhase
    | ReturnToPhase
    | ChangePhase
    | DropPhase
    | CallBack
    | StartPhase
    | PauseCircle
    | ResumeCircle
    | AskPause
    | DeclinePause
    | SafeRoom
    | Readmit
    | LiftSafety
    | HoldMic
    | ReleaseMic
    | CoverCamera
    | UncoverCamera
    | ShowCard
    | WithdrawCard
    | PutAwayCard
    | NoteContent
    | EndNote
    | StepOut
    | StepIn
    | OfferQuiet
    | AcceptQuiet
    | DeclineQuiet
    | LeaveSpace
    | MoveToWaiting
    | Admit
    | Remove
    | TakeBackRemoval
    | SetRoles
    | CloseDoor
    | AskAtDoor
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
/**
 * Show one's own screen to the circle. For whoever holds the floor or leads; one at a time.
 */
export interface StartShare {
  kind: "start_share";
}
/**
 * Stop showing one's screen; who moderates may stop another's by naming the seat.
 */
export interface StopShare {
  seat?: string | null;
  kind: "stop_share";
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
 * End one's own turn and leave the floor to whoever wants it.
 */
export interface PassToAnyone {
  turn: number;
  kind: "pass_to_anyone";
}
/**
 * End one's own turn and name who comes next.
 */
export interface NameNext {
  turn: number;
  seat: string;
  kind: "name_next";
}
/**
 * Say that one is ready: the clock of one's turn begins.
 */
export interface BeginTurn {
  turn: number;
  kind: "begin_turn";
}
/**
 * Say whether answers to one's turn are welcome.
 */
export interface WelcomeResponses {
  turn: number;
  on: boolean;
  kind: "welcome_responses";
}
/**
 * Give up the short turn of a phase that ran out for first place in the next round.
 */
export interface FirstNextRound {
  turn: number;
  kind: "first_next_round";
}
/**
 * Be here only to listen today, or no longer.
 */
export interface ListenOnly {
  on: boolean;
  kind: "listen_only";
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
 * Tell the holder alone, and early, that time goes by.
 */
export interface SignalGently {
  turn: number;
  kind: "signal_gently";
}
/**
 * Begin the phase of the run sheet at `index`. after: the number of the phase now.
 */
export interface OpenPhase {
  after: number;
  index: number;
  kind: "open_phase";
}
/**
 * End an insert: what it interrupted goes on as it stood. after: as in OpenPhase.
 */
export interface ReturnToPhase {
  after: number;
  kind: "return_to_phase";
}
/**
 * Change a phase of the run sheet, now or to come. What is None stays as it is.
 *
 * Ranges as in StartPhase.
 */
export interface ChangePhase {
  index: number;
  turn_ms?: number | null;
  length_ms?: number | null;
  timeout?: Timeout | null;
  order?: Order | null;
  kind: "change_phase";
}
/**
 * Take a phase that is still to come out of the run sheet.
 */
export interface DropPhase {
  index: number;
  kind: "drop_phase";
}
/**
 * Ask the pairs back: they have 20 seconds to finish.
 */
export interface CallBack {
  kind: "call_back";
}
/**
 * Begin a phase. Lengths left out are filled in by the rules.
 *
 * turn_ms: 5,000–3,600,000. warn_ms, grace_ms: 0–600,000. length_ms: 10,000–7,200,000.
 * first: the seat that begins a round; else the order of arrival.
 */
export interface StartPhase {
  mode: Mode;
  turn_ms?: number;
  timeout?: Timeout1;
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
 * Ask for a pause. Those who may pause learn that somebody asks, not who.
 */
export interface AskPause {
  kind: "ask_pause";
}
/**
 * Go on without the pause that was asked for.
 */
export interface DeclinePause {
  kind: "decline_pause";
}
/**
 * Make the room safe: nobody but facilitators is heard or seen, clocks stand, door closed.
 */
export interface SafeRoom {
  kind: "safe_room";
}
/**
 * Let one person be heard and seen again after the room was made safe.
 */
export interface Readmit {
  seat: string;
  kind: "readmit";
}
/**
 * Go on as before. Who was not readmitted stays veiled, unless everyone is to be readmitted.
 */
export interface LiftSafety {
  everyone?: boolean;
  kind: "lift_safety";
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
/**
 * Hide a person's video from all; they are told why.
 */
export interface CoverCamera {
  seat: string;
  reason?: Reason;
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
 * Remind all, naming nobody, or one person in private (seat).
 */
export interface ShowCard {
  card: Card;
  seat?: string | null;
  kind: "show_card";
}
export interface WithdrawCard {
  seat?: string | null;
  kind: "withdraw_card";
}
/**
 * Put away the card that was shown to oneself.
 */
export interface PutAwayCard {
  kind: "put_away_card";
}
/**
 * Say that a hard topic comes, for about so many minutes; who wants to may step out.
 */
export interface NoteContent {
  topic: Topic;
  minutes: 2 | 5 | 10 | 15;
  kind: "note_content";
}
/**
 * The hard topic is over; who stepped out is called back.
 */
export interface EndNote {
  kind: "end_note";
}
/**
 * Be away for a moment: hear and see nothing, keep the place.
 */
export interface StepOut {
  kind: "step_out";
}
export interface StepIn {
  kind: "step_in";
}
/**
 * Offer a quiet word. A member asks whoever cares (seat None) or one of them by name.
 */
export interface OfferQuiet {
  seat?: string | null;
  kind: "offer_quiet";
}
/**
 * Accept what `seat` offered: both go to a space of their own, microphones off.
 */
export interface AcceptQuiet {
  seat: string;
  kind: "accept_quiet";
}
/**
 * Decline what `seat` offered, or take one's own offer back.
 */
export interface DeclineQuiet {
  seat: string;
  kind: "decline_quiet";
}
/**
 * Leave one's pair or quiet space now and be in the circle again, microphone off.
 */
export interface LeaveSpace {
  kind: "leave_space";
}
/**
 * Bring a person to the waiting area: they neither hear nor see the circle.
 */
export interface MoveToWaiting {
  seat: string;
  kind: "move_to_waiting";
}
/**
 * Let a person in from the waiting area.
 */
export interface Admit {
  seat: string;
  kind: "admit";
}
/**
 * Remove a seat for today. The door closes to newcomers, else the same person walks in.
 */
export interface Remove {
  seat: string;
  kind: "remove";
}
/**
 * Let a removed person return to their seat.
 */
export interface TakeBackRemoval {
  seat: string;
  kind: "take_back_removal";
}
/**
 * Give a seat exactly these roles. Making somebody the facilitator hands the role over.
 */
export interface SetRoles {
  seat: string;
  roles?: Role[];
  kind: "set_roles";
}
/**
 * Let nobody new in; who has a seat may always come back.
 *
 * after_ms: latecomers may come for so long: 0, or 5, 10 or 15 minutes.
 */
export interface CloseDoor {
  after_ms: 0 | 300000 | 600000 | 900000;
  kind: "close_door";
}
/**
 * Newcomers wait until they are admitted.
 */
export interface AskAtDoor {
  kind: "ask_at_door";
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
  profile: Profile | SealedProfile;
  kind: "profile";
}
/**
 * Make a run sheet the circle's: one that is kept (sheet), or a new one (text), which the
 * group then keeps. insert: set the phase aside and run it first. Answered by `done` or
 * `refused`.
 */
export interface ChooseSheet {
  ref: string;
  sheet?: string | null;
  text?: string | null;
  insert?: boolean;
  kind: "choose_sheet";
}
/**
 * Ask which run sheets there are. Answered by `library` or `refused`.
 */
export interface GetLibrary {
  ref: string;
  kind: "get_library";
}
/**
 * Ask for the text of a run sheet, to copy, edit or carry away. Answered by `sheet_text`.
 */
export interface GetSheet {
  ref: string;
  sheet: string;
  kind: "get_sheet";
}
/**
 * Let the group no longer keep one of its own sheets.
 */
export interface ForgetSheet {
  ref: string;
  sheet: string;
  kind: "forget_sheet";
}
/**
 * Ask for fresh credentials before a new media connection. Answered by `ice_servers`.
 */
export interface GetIceServers {
  ref: string;
  kind: "get_ice_servers";
}
/**
 * Write to all, to the facilitators, or in the channel of those who help.
 *
 * text or, in an encrypted circle, sealed: one of them. as: of text alone; what is sealed says it
 * inside.
 */
export interface Say {
  ref: string;
  to: "all" | "facilitators" | "team";
  text?: string | null;
  sealed?: string | null;
  as: "chat" | "share" | "caption";
  kind: "say";
}
/**
 * Hand each of these members what is sealed for them alone. Who is away does not get it.
 */
export interface HandKeys {
  to: {
    [k: string]: string;
  };
  kind: "keys";
}
/**
 * What pictures this person wants from now on, whole; the newest wins. Sound always comes.
 *
 * video: "all" of whoever has the floor and of `seats`, "holder" the former alone, "none" no
 * pictures. seats: those on the screen now; null is everybody. A new media connection begins
 * with everything, so it is sent again after each `answer` and each `welcome`.
 */
export interface Watch {
  video: "all" | "holder" | "none";
  seats?: string[] | null;
  kind: "watch";
}
export interface Ping {
  kind: "ping";
}
/**
 * You have a seat. resume: keep it for this tab only; it brings you back to the seat.
 *
 * circle: the name of this meeting. encrypted: end to end. capacity: seats of a circle; a client
 * offers capacity - 1 receiving pairs. ice_servers: none where the server has no relay.
 */
export interface Welcome {
  seat: string;
  resume: string;
  circle: string;
  encrypted: boolean;
  capacity: number;
  ice_servers?: IceServer[];
  heartbeat_ms?: number;
  silence_ms?: number;
  kind: "welcome";
}
/**
 * A TURN relay that may be used, as W3C WebRTC's `RTCIceServer` §4.2.4.
 *
 * lasts_ms: for how long from now the credential opens new allocations; one in use lives on.
 */
export interface IceServer {
  urls: string[];
  username: string;
  credential: string;
  lasts_ms: number;
}
/**
 * The whole view, again after each change. `seq` grows; a smaller one is old news.
 *
 * profiles: of the seats in the view, except that a veiled person's is for those who lead.
 * links: to those who moderate, by which invitation link a removed person came.
 */
export interface Show {
  seq: number;
  view: View;
  profiles?: {
    [k: string]: Profile | SealedProfile;
  };
  notices?: Notice[];
  links?: {
    [k: string]: string;
  };
  kind: "view";
}
/**
 * Everything one seat may know, whole.
 *
 * you: the viewer's seat. now: server time the numbers hold for. waiting: you are in the waiting
 * area, and the rest says nothing. turns_given: the number to name in *next* and *back* when
 * nobody holds the floor. before_you: turns before yours, 0 = you are next, None = you hold the
 * floor or have none to come. fit: to those who lead. pause_asked: to those who may pause.
 * removed: to those who moderate. sharing: whose screen you may see, your own too. card,
 * your_card: shown to all, to you alone. covered: why your camera is. write: to whom you may
 * write now. may: kinds of commands you may send now.
 */
export interface View {
  you: string;
  now: number;
  waiting: boolean;
  phase: PhaseView;
  sheet: SheetView | null;
  fit: Fit[];
  seats: SeatView[];
  order: OrderEntry[];
  turn: TurnView | null;
  turns_given: number;
  before_you: number | null;
  hands: string[];
  pair: PairView | null;
  quiet: QuietView;
  stepped_out: boolean;
  sharing: string | null;
  card: Card | null;
  your_card: Card | null;
  covered: Reason1 | null;
  note: NoteView | null;
  pause_asked: boolean;
  paused: boolean;
  safe: boolean;
  holding: boolean;
  door: Door;
  door_closes_in_ms: number | null;
  removed: string[];
  write: ("all" | "facilitators" | "team")[];
  may: string[];
}
/**
 * The phase now. length_ms, remaining_ms: of a phase that has a length, else None.
 *
 * over: everyone had their turn, or the length is used up. ran_out: it is used up while people
 * still wait. line: the number of the line to read, from 0; lines: how many there are.
 * words: which words of the run sheet belong to it. insert: what it interrupted waits.
 */
export interface PhaseView {
  number: number;
  mode: Mode;
  order: Order;
  who: Who;
  passes: Pass[];
  crosstalk: CrossTalk;
  chat: Chat;
  mics: Mics;
  timeout: Timeout;
  turn_ms: number;
  length_ms: number | null;
  remaining_ms: number | null;
  over: boolean;
  ran_out: boolean;
  line: number;
  lines: number;
  words: number | null;
  insert: boolean;
}
/**
 * The run sheet. id: its words come by it. index: of the phase now, None before the first.
 */
export interface SheetView {
  id: string;
  index: number | null;
  phases: PlannedPhase[];
}
/**
 * A phase of the run sheet, as everybody may see it.
 */
export interface PlannedPhase {
  mode: Mode;
  order: Order;
  who: Who;
  timeout: Timeout;
  turn_ms: number;
  length_ms: number | null;
  optional: boolean;
  words: number | null;
}
/**
 * What one phase of a sheet needs. needed_ms: with `turn_ms` for everyone.
 *
 * length_ms: what the sheet gives it. turn_ms: as planned. shorter_ms: the turn that would fit,
 * or None if the plan fits or no turn would. two_circles: even the shortest turn is too long.
 */
export interface Fit {
  index: number;
  needed_ms: number;
  length_ms: number;
  turn_ms: number;
  shorter_ms: number | null;
  two_circles: boolean;
}
/**
 * One seat as the viewer may see it. may: commands the viewer may send that name this seat.
 *
 * apart: away for a moment, whether stepped out, in a quiet space or in another pair; its
 * microphone and camera then look switched off. waiting: in the waiting area, told only to
 * those who admit people. veiled: not readmitted since the room was made safe.
 */
export interface SeatView {
  id: string;
  roles: Role[];
  present: boolean;
  mic: Mic;
  camera: Camera;
  hand: boolean;
  apart: boolean;
  waiting: boolean;
  veiled: boolean;
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
 * running: the clock moves. ready: the holder has begun. stage: told to the holder and to those
 * who keep time only (else None), because nobody else needs to see that somebody's time is up.
 * fades_at_ms: in a firm turn, the remaining_ms (negative) at which the floor moves on.
 * welcomes: the holder welcomes answers. response: this turn is one.
 */
export interface TurnView {
  number: number;
  seat: string;
  given_ms: number;
  remaining_ms: number | null;
  running: boolean;
  ready: boolean;
  held: boolean;
  stage: Stage | null;
  timeout: Timeout;
  fades_at_ms: number | null;
  welcomes: boolean;
  response: boolean;
}
/**
 * What one's own pair does. with_you: the others of it. speaker: in a step of that kind.
 *
 * remaining_ms: of this step. steps_left: after this one. ends_soon: they were told.
 */
export interface PairView {
  with_you: string[];
  step: StepKind;
  speaker: string | null;
  remaining_ms: number;
  running: boolean;
  steps_left: number;
  ends_soon: boolean;
}
/**
 * Quiet words as they concern the viewer.
 *
 * with_you: who is in a quiet space with you. asked_by: whose offer you may accept or decline.
 * asked: you have made an offer yourself; to: to whom, None for whoever cares.
 */
export interface QuietView {
  with_you: string | null;
  asked_by: string[];
  asked: boolean;
  to: string | null;
}
/**
 * A hard topic was announced, by `seat`.
 */
export interface NoteView {
  seat: string;
  topic: Topic;
  remaining_ms: number;
}
/**
 * Something a person should notice once.
 *
 * kind: the event's own kind, or a sharper word where one event means different things to
 * different people. seat: whom it is about, if anybody. index: of a phase in the run sheet.
 */
export interface Notice {
  kind: string;
  seat?: string | null;
  index?: number | null;
}
/**
 * The words of the run sheet with this id; a phase's `words` counts into `phases`.
 */
export interface SheetWords {
  id: string;
  title: string;
  source: string;
  phases: PhaseWords[];
  kind: "sheet";
}
/**
 * What people read in a phase. lines: of a text to read aloud, one turn each.
 */
export interface PhaseWords {
  title: string;
  words?: string;
  lines?: string[];
}
export interface Library {
  ref: string;
  sheets: SheetEntry[];
  kind: "library";
}
/**
 * A run sheet that may be chosen. minutes: what it plans. own: the group's, not shipped.
 */
export interface SheetEntry {
  id: string;
  title: string;
  source: string;
  minutes: number;
  own: boolean;
}
export interface SheetText {
  ref: string;
  sheet: string;
  text: string;
  kind: "sheet_text";
}
/**
 * The relays again, with a fresh credential.
 */
export interface IceServers {
  ref: string;
  servers: IceServer[];
  kind: "ice_servers";
}
/**
 * Somebody wrote: text, or sealed in an encrypted circle; the other is null.
 *
 * Kept in memory only, and gone when the circle ends. at: server time, ms. as: of text alone.
 */
export interface Said {
  seat: string;
  to: "all" | "facilitators" | "team";
  text: string | null;
  sealed: string | null;
  at: number;
  as: "chat" | "share" | "caption";
  kind: "said";
}
/**
 * What another member has sealed for you.
 */
export interface Keys {
  seat: string;
  sealed: string;
  kind: "keys";
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
 * Whether anybody is to see the larger layer of your camera; until told, nobody is.
 */
export interface Demand {
  high: boolean;
  kind: "demand";
}
/**
 * How good people's media lines are, whole. own: null while you have none.
 *
 * seats: of your space, yourself with them; who has no media connection is not named.
 */
export interface Lines {
  own: OwnLine | null;
  seats: {
    [k: string]: SeatLine;
  };
  kind: "lines";
}
/**
 * weak: your pictures are reduced to keep the sound.
 */
export interface OwnLine {
  mark: 1 | 2 | 3;
  weak: boolean;
}
/**
 * details: of yourself, and of everybody to those who care for people; else null.
 */
export interface SeatLine {
  mark: 1 | 2 | 3;
  details: LineDetails | null;
}
/**
 * A line in figures; null is unknown. loss_percent: of the worse direction, whole.
 *
 * layer: of the holder's picture as it is sent to them: "h" large, "l" small. path: the
 * transport to the server; whether a relay stands between only the client itself knows.
 */
export interface LineDetails {
  rtt_ms: number | null;
  loss_percent: number | null;
  layer: ("h" | "l") | null;
  path: "udp" | "tcp";
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
 * Nothing has changed. faults: with `bad_sheet`.
 */
export interface RefusedFrame {
  ref: string;
  code: string;
  faults?: SheetFault[];
  kind: "refused";
}
/**
 * A mistake in the text of a run sheet. line: from 1.
 */
export interface SheetFault {
  line: number;
  words: string;
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
