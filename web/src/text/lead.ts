// What those who help a circle read: the panel, the run sheet, the door, safety. Words only.

import type { Card, Door, Mode, Order, Timeout } from "../protocol";

/** A length as people say it: "45 seconds", "1 minute", "2 minutes 30". */
export function lengthWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} seconds`;
  const whole = Math.floor(seconds / 60);
  const rest = seconds % 60;
  const minutes = whole === 1 ? "1 minute" : `${whole} minutes`;
  return rest === 0 ? minutes : `${minutes} ${rest}`;
}

const minutes = (ms: number) => Math.ceil(ms / 60_000);

export const lead = {
  title: "Facilitator",
  helping: "Helping the circle",
  faces: "Choose a face for what concerns one person.",
  more: "More…",

  main: {
    choose: "Choose a run sheet",
    open: (title: string) => `Open: ${title}`,
    thank: "Thank and pass",
    next: "Next person",
    giveTo: "Give the turn…",
    goOn: "Go on",
    pauseNow: "Pause now",
    return: "Go back to what we did",
    end: "End for everybody…",
  },
  act: {
    back: "Back",
    signal: "Gentle signal",
    plus: "+1 min",
    plus3: "+3 min",
    hold: "Hold clock",
    release: "Run clock",
    pause: "Pause",
    resume: "Go on",
    noPause: "Go on without a pause",
    safe: "Safe the room",
    callBack: "Call the pairs back",
    insert: "Put in a grounding",
    start: "Start a round",
    talk: "Open talk",
    silence: "Silence together",
    sheet: "Run sheet…",
    cards: "Cards…",
    door: "Door…",
    knocks: (n: number) => (n === 1 ? "Door: one waits…" : `Door: ${n} wait…`),
    team: "Team…",
    teamNews: "Team: new…",
    note: "Hard topic…",
    keys: "Keys…",
    hand: "Raise my hand",
    handDown: "Lower my hand",
    end: "End for everybody…",
  },

  giveTitle: "Who gets the turn?",
  giveBody: "Nobody is made to speak. They can always pass.",
  giveNobody: "Nobody can take a turn just now.",

  pauseAsked: "Somebody asks for a pause. Nobody else knows.",
  silenceTitle: "Silence may be part of this turn",
  silenceBody: (name: string) =>
    `${name} has the piece and says nothing just now. A pause can feel like an interruption. Would you rather wait a little?`,
  silencePause: "Pause all the same",
  silenceWait: "Wait",

  sheet: {
    title: "Run sheet",
    none: "No run sheet is chosen yet. You can begin without one, too.",
    another: "Choose another run sheet…",
    now: "now",
    done: "done",
    next: "next",
    optional: "if you like",
    open: "Open",
    change: "Change…",
    drop: "Leave out",
    of: (mode: string, length: string, turn: string) =>
      [mode, length, turn].filter(Boolean).join(" · "),
    length: (ms: number) => `${minutes(ms)} min`,
    turn: (ms: number) => `turns of ${lengthWords(ms)}`,
    changeTitle: (title: string) => `Change “${title}”`,
    minutes: "Minutes for this part",
    noLength: "It has no set length.",
    turnLength: "Length of a turn",
    longerTurn: "Longer turns",
    shorterTurn: "Shorter turns",
    longer: "More minutes",
    shorter: "Fewer minutes",
    timeout: "When a turn’s time is used",
    order: "Who comes next",
    save: "Change it",
    back: "Back",
    told: "Everybody is told that the plan changed.",
  },
  timeout: {
    soft: "Soft: a person decides, nobody is cut off",
    firm: "Firm: after a short grace the piece moves on",
    none: "No limit and no signal",
  } satisfies Record<Timeout, string>,
  order: {
    list: "One after the other",
    "seeded-random": "By chance",
    hand: "By raised hands",
    "quiet-first": "Quiet ones first",
    "previous-names-next": "Who spoke names the next",
  } satisfies Record<Order, string>,
  mode: {
    talk: "open talk",
    round: "round",
    queue: "raised hands",
    read: "reading",
    pairs: "pairs",
    silence: "silence",
  } satisfies Record<Mode, string>,

  fit: {
    needs: (people: number, turn: number, needed: number, has: number) =>
      `${people} people at ${lengthWords(turn)} need ${minutes(needed)} minutes; this part has ${minutes(has)}.`,
    shorter: (turn: number) => `Shorter turns of ${lengthWords(turn)} would fit.`,
    take: (turn: number) => `Take turns of ${lengthWords(turn)}`,
    two: "Even the shortest turn is too long for so many. Think about two circles, or a longer part.",
    all: "Everything fits for the people who are here.",
    of: (title: string) => `“${title}” does not fit yet.`,
  },

  library: {
    title: "Choose a run sheet",
    body: "A run sheet is the plan of a meeting. You can change everything while it runs.",
    shipped: "Ready to use",
    own: "Your group’s own",
    minutes: (n: number) => (n > 0 ? `about ${n} minutes` : ""),
    look: "Look inside",
    write: "Write or bring a run sheet…",
    bring: "Bring one from a file",
    bringHint: "A text file that ends in .toml",
    tooLong: "That file is too long for a run sheet.",
    waiting: "One moment…",
    choose: "Choose this one",
    insert: "Put it in now, then go back",
    copy: "Copy and change",
    carry: "Save as a file",
    forget: "Forget it…",
    forgetTitle: (title: string) => `Forget “${title}”?`,
    forgetBody: "Your group no longer has it, unless somebody saved it as a file.",
    forgetYes: "Forget it",
    forgotten: "The run sheet is forgotten.",
    edit: "Your run sheet, as text",
    editLabel: "Text of the run sheet",
    editHint: "Change what you like. What is not understood is shown with its line.",
    faults: (n: number) => (n === 1 ? "One thing to mend:" : `${n} things to mend:`),
    fault: (line: number, words: string) => `Line ${line}: ${words}`,
    use: "Choose this text",
    source: (words: string) => `Its form comes from: ${words}.`,
    skeleton:
      'title = "Our meeting"\n\n[[phase]]\ntitle = "Welcome"\nmode = "talk"\nphase_min = 5\n\n[[phase]]\ntitle = "Sharing"\nmode = "round"\nphase_min = 30\nturn_s = 180\n',
  },

  door: {
    title: "The door",
    state: {
      open: "Open: newcomers come straight in.",
      ask: "Ask: newcomers wait until you let them in.",
      closed: "Closed: nobody new comes in.",
    } satisfies Record<Door, string>,
    closing: (ms: number) => `It closes in about ${Math.max(1, minutes(ms))} minutes.`,
    back: "Who has a seat can always come back.",
    open: "Open it",
    ask: "Ask at the door",
    close: "Close it now",
    closeIn: (n: number) => `Close in ${n} min`,
    waiting: "Waiting",
    nobody: "Nobody waits.",
    admit: (name: string) => `Let ${name} in`,
    removed: "Removed for today",
    letBack: (name: string) => `Let ${name} back`,
    code: (code: string) =>
      `Came by the link ${code}. If they must not come back at all, tell an admin of your group this code: an admin can block that link.`,
  },

  safe: {
    title: "The room is safe",
    body: "Only those who facilitate are heard and seen. Clocks, writing and the door rest. Everybody reads that there is no need to leave.",
    who: "Let back whom you know:",
    readmit: (name: string) => `Let ${name} back`,
    all: "Let everybody back and go on",
    still: (n: number) =>
      n === 1
        ? "One person is still kept out of sight."
        : `${n} people are still kept out of sight.`,
    goOn: "Going on leaves those unseen whom you have not let back.",
  },

  card: {
    "cross-talk": "One voice at a time",
    advice: "Experience, not advice",
    "graphic-detail": "No details of harm",
    confidentiality: "It stays here",
    "side-chat": "One talk, together",
    "substances-or-driving": "No driving, nothing taken",
  } satisfies Record<Card, string>,
  cards: {
    title: "Cards",
    all: "Everybody sees it. It names nobody.",
    one: (name: string) => `Only ${name} sees it.`,
    shown: (card: string) => `Shown to all now: ${card}`,
    withdraw: "Take the card back",
    note: "A hard topic comes",
    noteBody: "Everybody reads what it is about. Who wants to may step out, and is called back.",
    about: "What is it about?",
    minutes: "For about so many minutes",
    say: "Tell everybody",
    noteOver: "The hard topic is over",
  },

  team: {
    title: "Among those who help",
    body: "Only facilitators and helpers read this. It is gone when the circle ends.",
    nothing: "Nothing written yet.",
    label: "Write to the team",
    send: "Send",
    notes: "Only for you",
    notesLabel: "My private notes",
    notesHint: "They stay in this tab and go with it. Nobody else can read them.",
    you: "You",
  },

  start: {
    title: "Begin something without a run sheet",
    minutes: "Minutes for each person",
    timeout: "When the time is used",
    first: "Who begins",
    asPlanned: "As the order falls",
    fits: (people: number, needed: number) =>
      `For the ${people} of you this takes about ${needed} minutes.`,
    begin: "Begin the round",
    or: "Or something else",
    minutesOf: (n: number) => `${n} min`,
  },

  closing: {
    title: "A quarter of an hour is left",
    body: "A check-out round needs its time. Only those who facilitate read this.",
    ok: "I have seen it",
  },

  end: {
    title: "End the circle for everybody?",
    body: "Everybody leaves at once, and what was kept about the circle is deleted. This cannot be undone.",
    yes: "Yes, end it",
    no: "No, go on",
  },

  keys: {
    title: "Keys",
    body: "Each does what the button says. They rest while you write, and can be switched off in the settings.",
    always: "This one works even while a window like this is open:",
    exit: "Quick exit: Shift three times",
    here: "This list",
  },
};
