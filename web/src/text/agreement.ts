// The group's agreement, version 1 (AGREEMENT_VERSION in the server's protocol). New words that
// change what people promise need a new version.

export const agreement = [
  "What is said here stays here. I may speak of my own experience, never of somebody else’s.",
  "I come from a private place, or I use headphones.",
  "I speak from “I”.",
  "We share the time, and one voice speaks at a time.",
  "Passing is welcome. So is silence.",
  "I offer experience and not advice, unless somebody asks for it.",
  "I leave out graphic details of harm and of methods.",
  "No recording, no screenshots, no assistants that listen.",
  "I am kind across differences.",
  "I am not driving. If I am not sober, I say so.",
  "I may leave at any time. A word helps the others not to worry.",
  "Facilitators are peers, not therapists. If something worries me, I tell them or the host of the group.",
  "Nobody can promise what others do with what they hear. If somebody’s life is in danger, a facilitator may look for help, and tries to say so first.",
];
