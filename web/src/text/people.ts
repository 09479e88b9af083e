// What a facilitator reads about one person: roles, reasons, and what may be done.

import type { Reason, Role } from "../protocol";

export const person = {
  give: "Give the turn",
  lowerHand: "Lower the hand",
  holdMic: "Hold the microphone",
  releaseMic: "Release the microphone",
  cover: "Cover the camera…",
  uncover: "Uncover the camera",
  endScreen: "End their screen",
  card: "Card in private…",
  withdraw: "Take the private card back",
  quiet: "Offer a quiet word",
  admit: "Let in",
  readmit: "Let back into sight",
  waiting: "To the waiting area",
  roles: "Roles…",
  handOver: "Hand over facilitation…",
  remove: "Remove for today…",
  removeTitle: (name: string) => `Remove ${name} for today?`,
  removeBody:
    "They see a kind message. An open door closes too, so that they cannot come straight back. You can let them back under “Door”.",
  removeYes: "Remove for today",
  coverTitle: (name: string) => `Why cover the camera of ${name}?`,
  coverBody: (name: string) => `Nobody sees the picture any more. ${name} is told why.`,
  reason: {
    unsaid: "Say no reason",
    "private-things": "Private things can be seen",
    "somebody-else": "Somebody else can be seen",
    distressing: "The picture may distress others",
    moving: "The picture moves a lot",
  } satisfies Record<Reason, string>,
  cardTitle: (name: string) => `A card for ${name}`,
  rolesTitle: (name: string) => `Roles of ${name}`,
  rolesBody: "One person can have several. They are told.",
  rolesSave: "Give these roles",
  handOverTitle: (name: string) => `Hand the circle over to ${name}?`,
  handOverBody: (name: string) =>
    `${name} facilitates from now on. You become co-facilitator and keep every control but giving roles.`,
  handOverYes: "Hand over",
  role: {
    facilitator: ["Facilitator", "leads the circle and gives the roles"],
    "co-facilitator": ["Co-facilitator", "has the same controls, and cares for single people"],
    timekeeper: ["Timekeeper", "moves the turn on, gives time, holds the clock"],
    guardian: ["Guardian", "may pause the circle and make the room safe"],
    greeter: ["Greeter", "looks after the door and who waits at it"],
    interpreter: ["Interpreter", "signs or types beside the circle; takes no turns"],
    listener: ["Listener", "only listens today; takes no turns"],
  } satisfies Record<Role, [string, string]>,
};
