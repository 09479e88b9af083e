// A sentence for everything the server can say: good-byes, refusals, faults and notices.

export const BYES: Record<string, { title: string; body: string; again?: boolean }> = {
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
    body: "A facilitator has asked you to leave for today. This can be hard. You may talk with the host of the group about it, and help is there if you need it.",
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
  not_allowed: "Only facilitators can do that.",
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
  paused: "The circle is paused for a moment.",
  bad_phase: "That length does not work.",
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

export const NOTICES: Record<string, (name: string) => string> = {
  your_turn: () => "It is your turn. Take your time.",
  turn_started: (name) => `${name} has the piece.`,
  turn_warned: (name) => `${name} has a little time left.`,
  turn_grace: (name) => `${name} has reached the time.`,
  turn_overdue: (name) => `${name} is past the time.`,
  turn_extended: () => "You have some more time.",
  talk_started: () => "Open talk begins.",
  round_started: () => "A round begins.",
  silence_started: () => "A silence begins.",
  phase_completed: () => "This part is complete.",
  seat_taken: (name) => `${name} has sat down.`,
  seat_away: (name) => `${name} is away for a moment.`,
  seat_returned: (name) => `${name} is back.`,
  seat_left: (name) => `${name} has left.`,
  hand_raised: (name) => `${name} asked for a turn.`,
  circle_paused: () => "The circle is paused.",
  circle_resumed: () => "The circle goes on.",
  circle_ended: () => "The circle has ended.",
  mic_held: () => "The facilitator holds your microphone for now.",
  mic_released: () => "Your microphone is yours again. It stays off until you turn it on.",
  camera_covered: () => "The facilitator has covered your camera.",
  camera_uncovered: () => "Your camera is yours again. It stays off until you turn it on.",
  role_changed: () => "Your role has changed.",
};

export const MINE: Record<string, string> = {
  turn_warned: "A little time is left.",
  turn_grace: "Finish in your own time.",
  turn_overdue: "Finish in your own time.",
};
