// Every sentence the client shows, in plain words. No logic beyond choosing a sentence.

import type { Role, Said } from "../protocol";
import { agreement } from "./agreement.ts";
import { BYES, CODES } from "./codes.ts";
import { join } from "./join.ts";
import { lines } from "./lines.ts";
import { away, need, sign, writing } from "./need.ts";
import { type About, MINE, NOTICES } from "./notices.ts";
import { page } from "./page.ts";
import { screen } from "./screen.ts";
import { CARDS, MARKS, REASONS, ROLES, TOPICS } from "./signs.ts";

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

  join,
  ...page,
  screen,
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

  lines,
  card: CARDS,
  topic: TOPICS,
  reason: REASONS,
  mark: MARKS,
  /** "the facilitator and a timekeeper"; "" for a member. */
  roles: (roles: readonly Role[]) => roles.map((role) => ROLES[role]).join(" and "),
  need,
  sign,
  away,
  writing: {
    ...writing,
    wrote: (name: string, to: Said["to"]) =>
      to === "all" ? `${name} wrote something.` : `${name} wrote to those who help.`,
  },

  bye: (code: string) => BYES[code] ?? BYES.trouble ?? { title: "", body: "" },
  notYet: "Not yet. Nobody is told that you tried, and you may try again later.",
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
