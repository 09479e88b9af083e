// What people read about the end-to-end encryption: at the door, beside the circle, and to invite others.

type What = "audio" | "video" | "screen";

/** What this browser could not seal. */
const TAKEN: Record<What, string> = {
  audio: "microphone",
  video: "camera",
  screen: "screen",
};

/** Pages in front of the door, with no way past them. */
export const before = {
  noEncryption: {
    title: "This browser cannot keep the circle private",
    body: [
      "This circle is encrypted from end to end: what is said is locked in the browser of who speaks and opened in yours. This browser cannot do that, so we do not let you in half protected.",
      "A current Firefox can, and so can a current Chrome, Edge or other Chromium, and a current Safari. On an iPhone or iPad it is the system that needs the update.",
      "Update this browser or take another one, and open the link that your group sent you there.",
    ],
  },
  noWorker: {
    title: "The encryption did not start",
    body: [
      "This circle is encrypted from end to end, and the part of this page that does it did not come, or does not run in this browser. Nothing is sent without it.",
      "Load the page again. If that does not help, take another browser, and open the link that your group sent you there.",
    ],
    again: "Load the page again",
  },
  keyMissing: {
    title: "A part of your link is missing",
    body: [
      "The link to this circle ends with its key: the long row of letters after the last dot. Without it you would hear nobody, and nobody would hear you.",
      "Some programs cut long links off. Ask whoever invited you for the whole link, and open it, or copy it whole into the address bar.",
    ],
  },
  downgraded: {
    title: "Please do not come in just now",
    body: [
      "Your link says that this circle is encrypted from end to end. The server says that it is not. One of the two is wrong, so we have stopped here, and nothing about you was sent.",
      "Please tell the host of your group in another way, as by a call: something was changed on the server, by mistake or on purpose. If the host meant to do it, they can send you a new link.",
    ],
  },
  newKey: {
    button: "Make a new key for the group…",
    title: "Make a new key for the group?",
    body: [
      "First look whether somebody else of the group still has the whole link: it saves everybody work.",
      "With a new key, the links that everybody else has no longer fit. They need a new link, or you hand them the key when they come in.",
    ],
    yes: "Make a new key",
    failed:
      "That did not work just now. If somebody else of the group made a new key in the same moment, ask them for the whole link; else try again.",
  },
};

/** On the steps of coming in. */
export const atDoor = {
  on: "What is said here is encrypted end to end: this server passes it on and cannot hear it. Names and writing too.",
  older:
    "Your link has an older key. Come in; a facilitator who is there can give you the new one.",
  off: "This circle is not end-to-end encrypted",
  offBody:
    "It is encrypted on the way to the server and from there to the others. The server itself could hear what is said and read what is written.",
  reason: (words: string) => `Why, in the words of the host: “${words}”`,
  practice:
    "Robots are played by the server, so a practice circle is not end-to-end encrypted. Say nothing here that is private.",
  agreeing: "By sitting down I agree to that, too.",
};

export const badge = {
  off: "Not end-to-end encrypted",
  checking: "Checking…",
  on: "End-to-end encrypted",
  unheard: "Different key",
  stopped: (what: What) => `Not sealed: your ${TAKEN[what]} was taken off`,
};

/** Behind the badge. */
export const isPrivate = {
  title: "Is this private?",
  off: "No. This circle is not end-to-end encrypted.",
  offWhy: "The host of your group can tell you why.",
  checking: "Not known yet.",
  checkingMore:
    "As soon as sound, a picture or words have really been sealed and opened in this browser, it says so.",
  on: "Yes, as far as a circle can be.",
  onMore: "What flows from and to this page is really sealed and opened in this browser.",
  unheard: "Your link’s key is not the key of this circle.",
  stopped: (what: What) =>
    `This browser could not seal your ${TAKEN[what]}, so it was taken off before anything was sent unsealed.`,
  isTitle: "What is protected",
  is: [
    "What is said, shown and written is locked in your browser and opened only in the browsers of those who are here.",
    "The server passes it on and cannot hear, see or read it, nor your names.",
    "Who leaves hears nothing more, and who comes later hears nothing from before.",
  ],
  isNotTitle: "What is not protected",
  isNot: [
    "Anybody who is here can record or repeat what they hear. We promise one another not to.",
    "The server knows that somebody met, when, from which addresses, and whose turn it was.",
    "This page comes from the server, too. Comparing the words shows somebody in between, but not a page that was changed.",
  ],
  words: "Safety words",
  compare:
    "Read them to one another: the same words on every screen mean that nobody sits in between. They change when somebody comes or goes.",
  more: "Four more words",
  whyMore:
    "Whoever has the key and works together with the server could look for a match of the first four, at great effort. Compare all eight if you fear that.",
  noWords: "There are four words here as soon as somebody else is in the circle.",
  reload: "Load the page again",
  stoppedNext: (what: What) =>
    `To be ${what === "audio" ? "heard" : "seen"} again, load the page again. Your place is kept.`,
};

/** In the middle of the page for who came with another key. */
export const unheard = {
  title: "Your link has a different key",
  body: "You hear nobody here, and nobody hears you. You did nothing wrong.",
  ask: "Ask whoever invited you for the new link, and open it. If a facilitator is here, they see that you came and can hand you the new key; then you need to do nothing.",
};

/** For who leads. */
export const keys = {
  invite: "Invite…",
  title: "Invite people",
  body: "Whoever opens the link may come in while the door is open.",
  bodyKey:
    "The link carries the key of the group. Send it to each person alone, and put it on no page that strangers can read.",
  make: "Make a link for participants",
  forLead: "A link to lead with you…",
  forLeadTitle: "A link for a co-facilitator?",
  forLeadBody:
    "Whoever opens it leads with you, today and later: they can open parts, hold microphones, remove people and invite others.",
  forLeadYes: "Make this link",
  label: {
    participant: "Link for participants",
    facilitator: "Link for a co-facilitator",
    completed: "The whole link",
  },
  code: (code: string) => `Its code, if it must be blocked one day: ${code}`,
  copy: "Copy the link",
  copied: "Copied",
  byHand: "The link is chosen. Copy it as you copy other words.",
  none: "There is no link just now. Only who came by a facilitators’ link can make one; if you did, try again in a moment.",
  complete: "Add the key to a host’s link…",
  completeTitle: "A link from the host",
  completeBody:
    "The host can make links on the server, but has no key. Put such a link in here; nothing of it is sent.",
  completeLabel: "Link without a key",
  completeYes: "Add the key",
  notOurs: "This is no link of this group.",
  renew: "Make a new key…",
  renewTitle: "Make a new key for the group?",
  renewBody: [
    "Do it after somebody must not come back. Old links alone then open nothing of what is said.",
    "Who is here gets the new key by itself.",
    "Everybody else needs a new link, or a facilitator who hands them the key when they come in.",
  ],
  renewYes: "Make a new key",
  renewed: "The group has a new key. Who is here has it already.",
  notRenewed:
    "That did not work just now. If nobody else made a new key in the same moment, the key is the same as before: try again.",
  returning: (name: string) => `${name} came with an older key.`,
  returningBody: {
    here: "Their device has been here before. Hand over the new one? Only if you know it is them.",
    removed: "Their device was removed here before, under this or another name.",
    never:
      "Their device has never been here while you were. Hand over only if you know it is them.",
  },
  handOver: "Hand over",
  handOverTo: (name: string) => `Hand over to ${name}`,
  handed: (name: string) =>
    `The new key is on its way. This note goes as soon as ${name} has it. A browser that has not been here while you led does not take it: then send a new link.`,
  notHanded: "That did not work just now. Try again in a moment.",
  notNow: "Not now",
  stranger: "Somebody came whose key does not fit; they hear nothing.",
  seen: "I have seen it",
};
