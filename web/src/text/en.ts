// Every sentence the client shows, in plain words. No logic beyond choosing a sentence.

import type { Role, Said } from "../protocol";
import { agreement } from "./agreement.ts";
import { BYES, CODES } from "./codes.ts";
import { type About, MINE, NOTICES } from "./notices.ts";
import { CARDS, MARKS, REASONS, ROLES, TOPICS } from "./signs.ts";

const NUMBERS =
  "no one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen".split(
    " ",
  );
const spelled = (n: number) => NUMBERS[n] ?? String(n);
const capital = (s: string) => s.charAt(0).toUpperCase() + s.slice(1);
const people = (n: number) => `${capital(spelled(n))} ${n === 1 ? "person" : "people"} before you.`;

export const crisis = {
  button: "Help in a crisis",
  title: "Help in a crisis",
  near: "If you or somebody else is in danger now, call the emergency number. Tell someone near you: you do not have to be alone with this.",
  emergency: "In danger now",
  talk: "Somebody to talk to",
  numbers: [
    ["European Union", "112"],
    ["United States, Canada", "911"],
    ["United Kingdom", "999"],
    ["Australia", "000"],
  ] as const,
  lines: [
    ["United States, Canada", "988"],
    ["UK, Ireland (Samaritans)", "116 123"],
    ["France", "3114"],
    ["Netherlands", "113 or 0800-0113"],
    ["Spain", "024"],
  ] as const,
  verify:
    "Numbers change. The host of your group should check this list; if one does not work, call the emergency number.",
  noScript: "To sit in the circle, this page needs scripts. Please allow them for this address.",
  not: "This circle is peer support. It is not a crisis service, and nobody is told that you opened this.",
};

export const text = {
  title: "Circle",
  someone: "Somebody",
  you: "You",
  close: "Close",
  cancel: "Cancel",
  back: "Back",
  quickExit: "Quick exit",
  quickExitHint: "Closes everything at once. Three presses of Shift do the same.",
  leftTitle: "Blank page",
  agreement,

  landing: {
    title: "A quiet place to speak and to be heard",
    body: [
      "Here a small group sits in a circle. One person speaks at a time, and everybody else listens. Everybody gets the same time, and passing is always fine.",
      "To sit down you need the link that your group sent you. Open it, and we begin from there.",
    ],
  },
  checking: "One moment…",
  badLink: {
    title: "This link does not open a circle",
    body: "It may have expired, or a part of it was lost on the way. Nothing is wrong with you or your device. Ask your group for a new link.",
  },
  unreachable: {
    title: "We cannot reach the circle just now",
    body: "Your connection or our server is resting. Your link is kept in this tab.",
    again: "Try again",
  },
  notPrivate: "Peer support, not therapy and not a crisis service. Nothing is recorded.",

  join: {
    step: (n: number) => `Step ${n} of 3`,
    next: "Next",
    welcomeTitle: "Welcome. Take your time.",
    happens: [
      "You sit in a circle with a few people.",
      "One person speaks at a time. A ring shows softly how the time goes; nobody cuts you off.",
      "When it is your turn you are asked. You may speak, be silent, pass, or say “later”.",
      "Your microphone never opens by itself. Your camera is your choice.",
      "In rounds we do not answer one another. Open talk comes when the facilitator says so.",
    ],
    isNot: "This is peer support. It is not therapy and not a crisis service.",
    exit: "“Quick exit”, always at the top, closes everything at once. So do three presses of Shift. It cannot hide everything, such as what you opened before.",
    howTitle: "How would you like to be here?",
    name: "Name in this circle",
    nameHint: "Not your real name. Only this circle sees it.",
    nameNeeded: "Please choose a name.",
    suggest: "Suggest another",
    color: "Your colour",
    colors: {
      sage: "Sage",
      rose: "Rose",
      sky: "Sky",
      sand: "Sand",
      lilac: "Lilac",
      teal: "Teal",
      clay: "Clay",
      honey: "Honey",
    },
    camera: "Camera",
    cameraOff: "Camera is off",
    cameraOffHint: "You can sit here unseen.",
    cameraHint: "Only you see this, until you sit down.",
    turnCameraOn: "Turn camera on",
    turnCameraOff: "Turn camera off",
    mic: "Microphone",
    micHint: "Only you see this test. In the circle it starts switched off.",
    testMic: "Test my microphone",
    stopTest: "Stop the test",
    micWorks: "Say something. The bar moves when we hear you.",
    micLevel: "How loud you are",
    listenOnly: "Listen only today",
    listenOnlyHint: "We will not ask for your microphone. You can change your mind.",
    read: "Read our agreement",
    agreeTitle: "What we promise one another",
    agree: "I agree and sit down",
  },

  phase: {
    gathering: "Settling in",
    talk: "Open talk",
    round: "Sharing round",
    silence: "Silence together",
    queue: "Open sharing",
    read: "Reading together",
    pairs: "In pairs",
    queueOver: "Open sharing is over",
    readOver: "The reading is over",
    pairsOver: "The pairs are back",
    roundOver: "The round is complete",
    talkOver: "Open talk is over",
    silenceOver: "The silence is over",
    paused: "Paused for a moment",
  },
  piece: {
    yourTurn: "It is your turn",
    yourTurnSub: "Take your time. Nobody hears you before you tap.",
    speaking: "You are speaking",
    speakingSub: "Everybody listens.",
    clockRests: "The clock rests. Take your time.",
    warned: "Everybody listens. A little time is left.",
    ownTime: "Finish in your own time.",
    firmEnd: "Please come to an end. The piece will move on softly.",
    otherSpeaks: (name: string) => `${name} is speaking`,
    otherHolds: (name: string) => `${name} has the piece`,
    otherAway: (name: string) => `${name}’s line broke. The place is kept.`,
    listening: "You are listening.",
    before: (n: number | null) => (n === null ? "" : n === 0 ? "You are next." : people(n)),
    overdue: (name: string) =>
      `${name} is past the time. Thank and pass, add a minute, or let it rest.`,
    asked: (name: string) => `${name} asked for a turn.`,
    between: "The piece is in the middle",
    betweenSub: "It goes on in a moment.",
    over: "The round is complete",
    overSub: "Thank you, everybody.",
    gathering: "Welcome, have a seat",
    gatheringSub: "We begin when the facilitator does. Until then anybody may speak.",
    talk: "Open talk",
    talkSub: "Anybody may speak. Leave a breath between voices.",
    silence: "Silence together",
    silenceSub: "There is nothing to do. Nobody is heard.",
    silenceOver: "The silence is over",
    silenceOverSub: "Come back when you are ready.",
    paused: "We pause for a moment",
    pausedSub: "Nobody is heard, and all clocks stand still. Breathe with the shape, if you like.",
  },
  time: [
    "The time has just begun.",
    "There is time.",
    "About half of the time is used.",
    "Most of the time is used.",
    "The time is used.",
  ] as const,
  seat: {
    facilitates: "facilitator",
    holds: "holding the piece",
    asked: "asked for a turn",
    away: "away for a moment",
    micOn: "mic on",
    micHeld: "mic held",
    menu: (name: string) => `More for ${name}`,
    picture: (name: string) => `Camera picture of ${name}`,
    ofCircle: "People in the circle",
  },
  order: {
    title: "Order of this round",
    spoke: "spoke",
    speaking: "speaking",
    holds: "holding the piece",
    next: "next",
    before: (n: number) => `${spelled(n)} before you`,
    youNext: "you are next",
    keeps: "keeps the place",
  },
  listening: {
    title: "While you listen",
    body: "Speak from “I”. No advice unless asked. Silence is welcome.",
  },
  act: {
    ready: "I am ready",
    pass: "Pass the piece",
    passUnspoken: "Pass",
    later: "Later",
    speakAfterAll: "Speak after all",
    raise: "Raise my hand",
    lower: "Lower my hand",
    micOn: "Turn microphone on",
    micOff: "Turn microphone off",
    leave: "Leave…",
    hearAgain: "Let me hear the circle",
  },
  mic: {
    title: "Microphone",
    waits: "Mic waits for you",
    off: "Mic off",
    on: "Mic on",
    held: "Mic held by the facilitator",
    listen: "Listening only",
  },
  camera: {
    on: "Camera on",
    off: "Camera off",
    covered: "Camera covered by the facilitator",
    turnOn: "Turn it on",
    turnOff: "Turn it off",
    seeMe: "My picture",
  },
  settings: {
    button: "Settings",
    title: "What I see and hear",
    time: "How I notice the time",
    ring: "A ring that fills",
    words: "Words",
    sound: "A soft sound, also when it is my turn",
    vibration: "A short touch (vibration)",
    none: "None of these",
    preview: "Hear the sound",
    feel: "Feel the touch",
    shown: "And besides",
    selfView: "My own picture, when my camera is on",
    keys: "Single keys for facilitators",
  },
  leave: {
    title: "Leave the circle?",
    body: "Leaving is always fine. If you can, a word to the others helps them not to worry.",
    yes: "Leave now",
    no: "Stay",
  },
  line: {
    joining: "Finding your seat…",
    lost: "The connection broke. Your place is kept. Coming back…",
    back: "You are back in your seat.",
  },

  card: CARDS,
  topic: TOPICS,
  reason: REASONS,
  mark: MARKS,
  /** "the facilitator and a timekeeper"; "" for a member. */
  roles: (roles: readonly Role[]) => roles.map((role) => ROLES[role]).join(" and "),
  writing: {
    wrote: (name: string, to: Said["to"]) =>
      to === "all" ? `${name} wrote something.` : `${name} wrote to those who help.`,
  },

  bye: (code: string) => BYES[code] ?? BYES.trouble ?? { title: "", body: "" },
  /** day: as 2027-01-31. */
  reviewOn: (day: string) => {
    const written = new Date(`${day}T00:00:00Z`).toLocaleDateString("en", {
      dateStyle: "long",
      timeZone: "UTC",
    });
    return `Without asking, it will be looked at again by ${written}.`;
  },
  comeBack: "Come back in",
  code: (code: string) => CODES[code] ?? "That did not work just now. Nothing has changed.",
  notice: (kind: string, about: Partial<About> = {}, mine = false) =>
    (mine ? MINE[kind] : undefined) ??
    NOTICES[kind]?.({ name: text.someone, title: "", words: "", ...about }) ??
    "",
};

/** Quiet words to be called by; none is a common first name in disguise of a person. */
export const PSEUDONYMS =
  "Alder Aspen Birch Brook Cedar Clover Comet Coral Cove Dune Elm Ember Fern Finch Harbor Hazel Heron Juniper Larch Lark Linden Maple Marsh Meadow Moss Otter Pebble Pine Plum River Robin Rowan Sorrel Sparrow Swift Thistle Tide Willow Wren Yarrow".split(
    " ",
  );
