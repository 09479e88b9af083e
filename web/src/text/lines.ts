// What people read about their connection. Units are words: these numbers are for everybody.

const NOT_KNOWN = "not known yet";
const amount = (value: number | null | undefined, one: string, many: string) =>
  value === null || value === undefined ? NOT_KNOWN : `${value} ${value === 1 ? one : many}`;

export const lines = {
  weak: "Your connection is weak. Your place is kept.",
  /** On a tile and in the window, by the mark that the server gives. */
  mark: { 1: "weak connection", 2: "uneven connection", 3: "good connection" } as const,
  /** Under a face, and what a screen reader adds. */
  pictureOff: ["picture off", "to save data"] as const,
  pictures: {
    title: "Pictures of the others",
    all: "Everyone",
    holder: "Only who is speaking",
    none: "None, sound only",
  },
  button: "Connection…",
  title: "Connection",
  yours: "Yours",
  none: "no connection just now",
  state: "Now",
  roundTrip: "There and back",
  roundTripIs: (ms: number | null | undefined) => amount(ms, "millisecond", "milliseconds"),
  loss: "Lost on the way",
  lossIs: (percent: number | null | undefined) => amount(percent, "percent", "percent"),
  way: "Way",
  wayIs: (isRelayed: boolean, protocol: "udp" | "tcp") =>
    `${isRelayed ? "through a relay" : "straight to the server"}, over ${protocol.toUpperCase()}`,
  wayUnknown: NOT_KNOWN,
  sent: "Picture you send",
  received: "Largest picture you get",
  sizeIs: (size: { width: number; height: number } | null) =>
    size ? `${size.width} by ${size.height} points` : "none",
  speaker: "Picture of the speaker",
  layer: { h: "large", l: "small" } as const,
  layerIs: (layer: "h" | "l") => (layer === "h" ? "large picture" : "small picture"),
  help: "If words are missing, choose sound only under Settings, sit closer to your router, or close what else uses your connection.",
  everybody: "Everybody",
  columns: {
    name: "Who",
    state: "Connection",
    roundTrip: "There and back, in milliseconds",
    loss: "Lost, in percent",
  },
  inTable: { 1: "weak", 2: "uneven", 3: "good" } as const,
  over: (protocol: "udp" | "tcp") => `over ${protocol.toUpperCase()}`,
  unknown: "unknown",
};
