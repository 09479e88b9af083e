// Before and after a meeting: practising with robots, and the talk among those who helped.

export const practice = {
  title: "New to this, or a little rusty?",
  body: "You can practise with robots in a circle of your own. They talk on and on, fall silent, shout, leave and drop out. Nobody else is there, and nothing is kept.",
  button: "Practise with robots",
  not: "No practice circle is free just now. Please try again in a few minutes.",
  tryTitle: "To try in this practice",
  toTry: {
    overrun: "Somebody talks on and on: give a gentle signal, add a minute, then thank and pass.",
    silence: "Somebody holds the piece and says nothing: silence is a turn. Let it be.",
    intruder: "Somebody shouts out of turn: safe the room, then let back whom you know.",
    distress: "Somebody is in distress: offer a quiet word, or accept theirs.",
    drop: "Somebody’s line drops: wait. The clock stands, and the place is kept.",
    unseen: "Somebody came without a picture, as from a phone: they take turns like everybody.",
  },
  endTitle: "What you tried",
  real: "To the circle of your group",
};

export const debrief = {
  button: "Debrief",
  title: "After the circle",
  body: "For those who helped, together, in the half hour after. Nothing you tick here is kept or sent.",
  parts: [
    {
      title: "First ten minutes: the others",
      items: [
        "Was anybody missing at the end, or left in a hurry?",
        "Are we worried about somebody?",
        "Who looks after them, and how did they agree to that?",
      ],
    },
    {
      title: "Then: ourselves",
      items: [
        "What was hard? What went well?",
        "What do I take home, and what do I leave here?",
        "Do I need somebody to talk to today?",
      ],
    },
    {
      title: "Then: the circle",
      items: [
        "Did everybody who wanted to speak get to?",
        "Did the time fit?",
        "What do we change in the run sheet?",
      ],
    },
    {
      title: "If there was a concern",
      items: [
        "Write down the date, what kind it was, what we did, and the next step. Not the story.",
        "Tell the safeguarding lead of the host.",
        "Follow up only as it was agreed with the person.",
      ],
    },
    {
      title: "Last",
      items: ["Close private notes: they go with the tab.", "Thank one another."],
    },
  ],
  close: "Done",
};
