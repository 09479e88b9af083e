// What somebody may need for themselves, and the pages of being away from the circle.

export const need = {
  button: "I need…",
  title: "What do you need?",
  stepOut: "Step out for a moment",
  stepOutHint: "You hear and see nothing for a while. Your place is kept.",
  quiet: "A quiet word",
  quietHint: "Just you and a facilitator, away from the circle. Only they learn that you ask.",
  pause: "A pause for all of us",
  pauseHint: "The facilitators learn that somebody asks, but not who.",
  note: "To say that a hard topic comes…",
  noteHint: "Everybody reads it, and who wants to may step out for a while.",
  listen: "Only to listen today",
  listenHint: "No turn comes to you. You can change your mind.",
  speak: "To take part in turns again",
  speakHint: "The next turns come to you too. Passing is always fine.",
};

export const sign = {
  holding: "The circle waits for its facilitator. Your place is kept.",
  help: "If waiting is hard just now, help is there.",
  card: "A reminder for all of us",
  yourCard: "A word for you alone",
  putAway: "Put away",
  note: (name: string, topic: string) => `${name} says that a hard topic comes: ${topic}.`,
  yourNote: (topic: string) => `You told everybody that a hard topic comes: ${topic}.`,
  noteStep: "You may step out for a while. You will be called back.",
  noteOver: "It is over",
  stepOut: "Step out",
  asks: (name: string) => `${name} would like a quiet word with you.`,
  asksSub: "You two would be away from the circle for a while, microphones off at first.",
  accept: "Yes, let us go",
  decline: "Not now",
  asked: (name: string | null) =>
    name
      ? `You asked ${name} for a quiet word. They come when they can.`
      : "You asked for a quiet word. Somebody comes when they can.",
  takeBack: "Take it back",
};

export const away = {
  waitingTitle: "You are in the waiting area",
  waiting: [
    "Somebody will let you in. You can see and hear nothing of the circle, and nobody can see or hear you.",
    "This can take a while. You do not need to do anything.",
  ],
  outTitle: "You have stepped out",
  out: [
    "You hear and see nothing of the circle, and your microphone and camera are off. Your place is kept.",
    "Take as long as you need. Some people look out of the window, drink some water, or breathe slowly.",
  ],
  noteGoesOn: "The hard topic still goes on.",
  noteIsOver: "The hard topic is over. Come back when you are ready.",
  comeIn: "Come back in",
  safeTitle: "One moment, please",
  safe: [
    "The facilitators have stopped everything for a moment. There is no need to leave.",
    "Nobody sees or hears you just now. You did nothing wrong. Somebody will let you back in soon.",
  ],
};

export const writing = {
  title: "Written words",
  kept: "Nothing is kept. It is all gone when the circle ends.",
  nothing: "Nobody has written anything.",
  label: "Write",
  to: "It goes to",
  way: {
    chat: "everybody in the circle",
    share: "everybody, instead of speaking",
    caption: "everybody, as captions",
    facilitators: "the facilitators only",
  },
  hint: {
    chat: "Everybody in the circle can read it.",
    share: "It is shown large, and read out to those who cannot see it.",
    caption: "Write what is said or signed. The newest two lines are shown large.",
    facilitators: "Only the facilitators can read it.",
  },
  off: "Writing is off in this part.",
  send: "Send",
  privately: "to the facilitators",
  mark: { share: "instead of speaking", caption: "captions" },
  large: "In writing",
  says: (name: string, words: string) => `${name} writes: ${words}`,
};
