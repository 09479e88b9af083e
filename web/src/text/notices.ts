// One sentence for each thing that people should notice, the same for the eye and for the ear.

/** What a sentence may speak of. title: of a part of the run sheet. words: of a card or a topic. */
export interface About {
  name: string;
  title: string;
  words: string;
}

/** A title may end with a mark of its own. */
const now = (title: string) => `Now: ${title}${/[.?!…]$/.test(title) ? "" : "."}`;

export const NOTICES: Record<string, (about: About) => string> = {
  your_turn: () => "It is your turn. Take your time.",
  turn_started: ({ name }) => `${name} has the piece.`,
  your_response: () => "It is your turn to answer, if you like.",
  response_started: ({ name }) => `${name} may answer.`,
  you_are_next: () => "You are next.",
  two_before_you: () => "One person before you.",
  turn_warned: ({ name }) => `${name} has a little time left.`,
  turn_grace: ({ name }) => `${name} has reached the time.`,
  turn_overdue: ({ name }) => `${name} is past the time.`,
  turn_extended: () => "You have some more time.",
  gently_signalled: () => "A little time is left.",
  responses_welcomed: ({ name }) => `${name} welcomes answers. Raise your hand if you have one.`,

  talk_started: ({ title }) => (title ? now(title) : "Open talk begins."),
  round_started: ({ title }) => (title ? now(title) : "A round begins."),
  queue_started: ({ title }) =>
    `${title ? now(title) : "Open sharing begins."} Raise your hand when you want to speak.`,
  read_started: ({ title }) => (title ? now(title) : "We read together."),
  pairs_started: ({ title }) => (title ? now(title) : "We talk in pairs."),
  silence_started: ({ title }) => (title ? now(title) : "A silence begins."),
  pair_turn: ({ name }) => `${name} speaks. You listen.`,
  pair_silence: () => "A short silence.",
  pair_together: () => "You may both speak.",
  pair_ends_soon: () => "About twenty seconds, then you are back in the circle.",
  time_ran_out: () =>
    "The time of this part is used. Who has not spoken may say a few words, or be first next time.",
  phase_completed: () => "This part is complete.",
  phase_changed: ({ title }) =>
    title ? `The facilitator changed “${title}”.` : "The facilitator changed the plan.",
  phase_dropped: () => "The facilitator took a part out of the plan.",
  phase_taken_up: () => "We go on where we were.",
  sheet_chosen: ({ title }) =>
    title ? `The plan for today is “${title}”.` : "There is a plan for today.",
  closing_soon: () => "About a quarter of an hour is left.",

  knock: ({ name }) => `${name} is at the door.`,
  admitted: () => "You are in. Welcome to the circle.",
  sent_to_wait: () => "You are in the waiting area. Somebody will let you in.",
  seat_taken: ({ name }) => `${name} has sat down.`,
  seat_away: ({ name }) => `${name}’s line broke. The place is kept.`,
  seat_returned: ({ name }) => `${name} is connected again.`,
  seat_left: ({ name }) => `${name} has left.`,
  seat_apart: ({ name }) => `${name} is away for a moment.`,
  seat_back: ({ name }) => `${name} is back.`,
  hand_raised: ({ name }) => `${name} raised a hand.`,

  quiet_offered: ({ name }) => `${name} would like a quiet word with you.`,
  quiet_begun: ({ name }) => `You and ${name} are in a quiet space. Nobody else hears you.`,
  card_shown: ({ words }) => words || "A card is shown.",
  card_for_you: ({ words }) => `For you alone: ${words || "a card is shown."}`,
  content_noted: ({ words }) =>
    `A hard topic comes${words ? `: ${words}` : ""}. You may step out for a while.`,
  called_back: () => "The hard topic is over. You can come back when you are ready.",
  pause_asked: () => "Somebody asks for a pause.",
  circle_paused: () => "The circle is paused.",
  circle_resumed: () => "The circle goes on.",
  room_made_safe: () =>
    "The facilitators have stopped everything for a moment. There is no need to leave.",
  seat_readmitted: () => "You are back in the circle. Thank you for waiting.",
  safety_lifted: () => "The circle goes on.",
  circle_held: () => "The circle waits for its facilitator. Your place is kept.",
  circle_ended: () => "The circle has ended.",

  mic_held: () => "The facilitator holds your microphone for now.",
  mic_released: () => "Your microphone is yours again. It stays off until you turn it on.",
  camera_covered: ({ words }) =>
    `The facilitator has covered your camera${words ? `: ${words}` : ""}.`,
  camera_uncovered: () => "Your camera is yours again. It stays off until you turn it on.",
  share_started: ({ name }) => `${name} shows their screen.`,
  share_ended: () => "The screen is no longer shown.",
  roles_changed: ({ words }) =>
    words ? `You are ${words} now.` : "You take part as a member now.",
};

/** The same, told to the one whose turn or screen it is. */
export const MINE: Record<string, string> = {
  share_started: "The circle sees your screen now.",
  share_ended: "Your screen is no longer shown.",
  turn_warned: "A little time is left.",
  turn_grace: "Finish in your own time.",
  turn_overdue: "Finish in your own time.",
};
