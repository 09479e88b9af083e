// What people read about a shown screen.

export const screen = {
  show: "Show my screen…",
  title: "Show your screen?",
  what: "Everybody in the circle sees what you choose, as it moves. No sound is sent, and nothing is recorded.",
  window:
    "Choose one window rather than the whole screen: messages that come in could be seen too.",
  untilTurn: "It ends by itself when your turn does. You can stop at any time.",
  untilStop: "It ends when you stop, and by itself in a pause or a silence.",
  choose: "Choose what to show",
  nothing: "Nothing is shown.",
  mine: "You are showing your screen.",
  stop: "Stop",
  of: (name: string) => `Screen of ${name}`,
  shows: (name: string) => `${name} shows their screen.`,
  hide: "Hide the screen",
  end: "End it for everybody",
};
