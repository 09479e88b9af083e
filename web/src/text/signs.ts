// Cards, topics, reasons and roles: the fixed lists of the circle, in words.

import type { Card, Reason, Role, Topic } from "../protocol";

/** What a card says to the whole circle, or to one person. */
export const CARDS: Record<Card, string> = {
  "cross-talk": "One voice at a time. We listen, and we do not answer one another just now.",
  advice: "We speak from our own experience, and we leave advice out unless somebody asks for it.",
  "graphic-detail": "Please leave out details of harm and of methods. How it felt is enough.",
  confidentiality: "What is said here stays here. Please name nobody who is not here.",
  "side-chat": "Let us stay together in one talk, without whispering beside it.",
  "substances-or-driving": "Please do not drive or use anything while you are in the circle.",
};

/** What a hard topic is about. */
export const TOPICS: Record<Topic, string> = {
  death: "death and loss",
  suicide: "suicide",
  "self-harm": "self-harm",
  violence: "violence",
  "sexual-violence": "sexual violence",
  substances: "alcohol or other substances",
  eating: "eating and weight",
  illness: "illness",
  other: "something hard",
};

/** Why somebody's own camera is covered. */
export const REASONS: Record<Reason, string> = {
  unsaid: "",
  "private-things": "private things could be seen",
  "somebody-else": "somebody else could be seen",
  distressing: "the picture could be hard for others to see",
  moving: "the picture moved a lot",
};

/** What somebody is: "You are … now." */
export const ROLES: Record<Role, string> = {
  facilitator: "the facilitator",
  "co-facilitator": "a co-facilitator",
  timekeeper: "a timekeeper",
  guardian: "a guardian",
  greeter: "a greeter",
  interpreter: "an interpreter",
  listener: "a listener",
};

/** The mark under a face. */
export const MARKS: Record<Role, string> = {
  facilitator: "facilitator",
  "co-facilitator": "facilitator",
  timekeeper: "keeps time",
  guardian: "guardian",
  greeter: "greets",
  interpreter: "interpreter",
  listener: "listens today",
};
