// A sentence for everything the server can refuse, and for every good-bye.

interface Bye {
  title: string;
  body: string;
  /** A way back: with its own words, or with the usual ones. */
  again?: true | string;
}

export const BYES: Record<string, Bye> = {
  left: {
    title: "You have left the circle",
    body: "Your microphone and camera are off. Thank you for being here. Be gentle with yourself.",
    again: true,
  },
  circle_ended: {
    title: "The circle has ended",
    body: "Your microphone and camera are off. Thank you for being here. Be gentle with yourself.",
  },
  replaced: {
    title: "The circle is open in another window",
    body: "Your seat moved there, so this window has let go of it. You can take it back.",
    again: true,
  },
  removed: {
    title: "You cannot be in this circle today",
    body: "A facilitator has asked you to leave for today. This can be hard. They can take it back, so you may try again in a while. You may also talk with the host of the group about it, and help is there if you need it.",
    again: "Try to come back in",
  },
  blocked: {
    title: "This link does not let you in for now",
    body: "The host of the group has closed the link you came by for a while. This can be hard, and it may be meant for somebody else who has the same link. Help is there if you need it. You can ask for another look:",
  },
  circle_full: {
    title: "Every seat is taken",
    body: "The circle is full just now. You can try again later, or ask the facilitator.",
    again: true,
  },
  door_closed: {
    title: "The door is closed",
    body: "The circle has begun and lets nobody new in just now. Ask the facilitator, or try again later.",
    again: true,
  },
  bad_link: {
    title: "This link does not open a circle",
    body: "It may have expired. Ask your group for a new one.",
  },
  bad_resume: {
    title: "Your seat was given back",
    body: "You were away for a while. Open the link of your group again to sit down.",
  },
  agreement_needed: {
    title: "Our agreement has changed",
    body: "Please open the link again and read it once more.",
  },
  bad_version: {
    title: "This page is older than the circle",
    body: "Please load it again.",
    again: true,
  },
  trouble: {
    title: "Something broke on our side",
    body: "This is not your fault. You can try to come back in.",
    again: true,
  },
};

export const CODES: Record<string, string> = {
  not_allowed: "That is for somebody with another role.",
  not_your_turn: "The piece is with somebody else now.",
  stale_turn: "That turn is already over.",
  no_turn: "Nobody has the piece just now.",
  wrong_phase: "That does not fit this part of the circle.",
  no_such_seat: "That person has left.",
  seat_away: "That person is away for a moment.",
  already_later: "You have already said “later” in this round.",
  nobody_left: "Nobody who is here waits for a turn.",
  nothing_to_undo: "There is no turn to go back to.",
  floor_taken: "Your microphone waits until it is your turn.",
  mic_held: "Your microphone is held by the facilitator.",
  camera_covered: "Your camera is covered by the facilitator.",
  screens_off: "This group shows no screens.",
  screen_taken: "Somebody else’s screen is shown just now.",
  paused: "The circle is paused for a moment.",
  bad_phase: "That length does not work.",
  stale_phase: "The circle has already moved on to another part.",
  no_such_phase: "That part is not in the plan any more.",
  not_offered: "This part of the circle does not offer that.",
  only_listening: "You are only listening today. You can change that at any time.",
  not_eligible: "This part is for others just now.",
  in_waiting_area: "You are in the waiting area. Somebody will let you in.",
  veiled: "Everything rests for a moment. Please wait.",
  away_from_circle: "That does not work while you or they are away from the circle.",
  no_offer: "Nobody offers that just now.",
  needs_one_who_cares: "A quiet word is between one person and one facilitator.",
  unled: "The circle waits for its facilitator.",
  chat_off: "Writing is off in this part of the circle.",
  circle_full: "Every seat is taken.",
  door_closed: "The door is closed.",
  removed: "You cannot be in this circle today.",
  blocked: "This link does not let you in for now.",
  circle_ended: "The circle has ended.",
  bad_frame: "Something went wrong between this page and the server.",
  unknown_command: "The server does not know that yet. Please load the page again.",
  hello_first: "Something went wrong between this page and the server.",
  bad_version: "This page is older than the server. Please load it again.",
  bad_link: "This link does not open a circle.",
  bad_resume: "Your seat was given back.",
  agreement_needed: "Please read our agreement first.",
  too_fast: "That was a bit fast. Please try again in a moment.",
  busy: "The server could not do it just now. Please try again.",
  bad_sheet: "This text is not a run sheet yet. Look at the lines below.",
  no_such_sheet: "This run sheet is not there any more.",
  seal_needed: "This circle is end-to-end encrypted. Please open the whole link again.",
  not_encrypted: "This circle is not end-to-end encrypted, and your link says that it is.",
  bad_sdp: "Sound and picture could not be connected in this browser.",
  replaced: "The circle is open in another window.",
  left: "You have left the circle.",
  restarting: "The server restarts. Your place is kept.",
  silent: "The connection broke. Your place is kept.",
  trouble: "Something broke on our side. This is not your fault.",
  device_denied:
    "The browser did not allow it. You can sit and listen, or allow it in the browser’s settings and try again.",
  device_missing: "We found no device for that. You can sit and listen all the same.",
  device_busy:
    "The device did not start. Another program may be using it. You can sit and listen all the same.",
};
