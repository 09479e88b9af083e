// One WebSocket with a memory: it says hello, matches answers to requests by `ref`, keeps the
// line alive and comes back by itself. It knows frames, not circles (docs/protocol.md §1–3).

import type {
  ClientFrame,
  Do,
  Hello,
  IceServers,
  Library,
  RefusedFrame,
  ServerFrame,
  SheetText,
} from "../protocol";

export type Command = Do["command"];

export type Line = "joining" | "on" | "lost" | "over";

/** What became of a request. `lost`: the line broke first; nobody knows. */
export type Outcome =
  | { kind: "done"; seq: number }
  | { kind: "answer"; sdp: string }
  | Pick<Library, "kind" | "sheets">
  | Pick<SheetText, "kind" | "text">
  | Pick<IceServers, "kind" | "servers">
  | Pick<RefusedFrame, "kind" | "code" | "faults">
  | { kind: "lost" };

/** A frame that is answered by its `ref`, still without one. */
export type Request =
  Extract<ClientFrame, { ref: string }> extends infer Each
    ? Each extends { ref: string }
      ? Omit<Each, "ref">
      : never
    : never;

export interface SocketEvents {
  hello(): Hello;
  frame(frame: ServerFrame): void;
  line(line: Line): void;
}

const ANSWERS: ReadonlySet<string> = new Set([
  "done",
  "answer",
  "library",
  "sheet_text",
  "ice_servers",
  "refused",
]);
const OPENING_MS = 10_000;
const SILENCE_MS = 12_000;
const BACKOFF_FIRST_MS = 300;
const BACKOFF_MAX_MS = 7_000;

/** How long to wait before attempt number `attempt` (0 = the first), with full jitter. */
export function backoffMs(attempt: number, random: number = Math.random()): number {
  return random * Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** attempt);
}

export class Socket {
  private ws: WebSocket | null = null;
  private attempt = 0;
  private lastRef = 0;
  private heartbeatMs = 5_000;
  private silenceMs = SILENCE_MS;
  private heardAt = 0;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private beat: ReturnType<typeof setInterval> | undefined;
  private pending = new Map<string, (outcome: Outcome) => void>();
  private over = false;
  private readonly comeBack = () => this.hurry();
  private readonly goAway = () => this.ws && this.lose();

  constructor(
    private readonly url: string,
    private readonly events: SocketEvents,
  ) {
    // Faster than waiting for the silence; a wrong guess costs one attempt.
    globalThis.addEventListener?.("offline", this.goAway);
    globalThis.addEventListener?.("online", this.comeBack);
  }

  open(): void {
    this.events.line(this.attempt === 0 ? "joining" : "lost");
    this.connect();
  }

  /** Asks for a command; resolves when the server has answered or the line is lost. */
  ask(command: Command): Promise<Outcome> {
    return this.request({ kind: "do", command });
  }

  /** The same for every frame that is answered by its `ref`. */
  request(request: Request): Promise<Outcome> {
    const ref = `r${++this.lastRef}`;
    return new Promise((resolve) => {
      this.pending.set(ref, resolve);
      if (!this.send({ ...request, ref })) this.settle(ref, { kind: "lost" });
    });
  }

  /** Sends without waiting for anything; false when there is no line. */
  send(frame: ClientFrame): boolean {
    if (this.ws?.readyState !== WebSocket.OPEN) return false;
    this.ws.send(JSON.stringify(frame));
    return true;
  }

  /** Ends the connection for good. */
  close(): void {
    this.over = true;
    globalThis.removeEventListener?.("offline", this.goAway);
    globalThis.removeEventListener?.("online", this.comeBack);
    clearTimeout(this.retry);
    this.drop();
    this.events.line("over");
  }

  private settle(ref: string, outcome: Outcome): void {
    const resolve = this.pending.get(ref);
    this.pending.delete(ref);
    resolve?.(outcome);
  }

  private connect(): void {
    const ws = new WebSocket(this.url);
    this.ws = ws;
    this.silenceMs = OPENING_MS;
    this.heardAt = performance.now();
    this.keepAlive();
    ws.onopen = () => this.send(this.events.hello());
    ws.onmessage = (message) => {
      if (ws === this.ws && typeof message.data === "string") this.hear(message.data);
    };
    ws.onclose = () => {
      if (ws === this.ws) this.lose();
    };
  }

  private hear(text: string): void {
    this.heardAt = performance.now();
    const frame = JSON.parse(text) as ServerFrame;
    if (ANSWERS.has(frame.kind) && "ref" in frame) {
      const { ref, ...outcome } = frame;
      this.settle(ref ?? "", outcome as Outcome);
    } else if (frame.kind === "welcome") {
      this.attempt = 0;
      this.heartbeatMs = frame.heartbeat_ms ?? this.heartbeatMs;
      this.silenceMs = frame.silence_ms ?? SILENCE_MS;
      this.keepAlive();
      this.events.frame(frame);
      this.events.line("on");
    } else if (frame.kind === "bye") {
      this.events.frame(frame);
      if (!frame.again) this.close();
    } else if (frame.kind === "fault" && frame.ref) {
      this.settle(frame.ref, { kind: "refused", code: frame.code });
    } else this.events.frame(frame);
  }

  private keepAlive(): void {
    clearInterval(this.beat);
    this.beat = setInterval(() => {
      if (performance.now() - this.heardAt > this.silenceMs) this.lose();
      else this.send({ kind: "ping" });
    }, this.heartbeatMs);
  }

  private lose(): void {
    this.drop();
    if (this.over) return;
    this.events.line("lost");
    clearTimeout(this.retry);
    // Without any network only a wrong guess of the browser makes an attempt worth while.
    const isOffline = globalThis.navigator?.onLine === false;
    const waitMs = isOffline ? BACKOFF_MAX_MS : backoffMs(this.attempt++);
    this.retry = setTimeout(() => this.connect(), waitMs);
  }

  /** The network is back: do not sit out the rest of a long wait. */
  private hurry(): void {
    if (this.over || this.ws !== null) return;
    clearTimeout(this.retry);
    this.connect();
  }

  private drop(): void {
    clearInterval(this.beat);
    const ws = this.ws;
    this.ws = null;
    ws?.close();
    for (const ref of [...this.pending.keys()]) this.settle(ref, { kind: "lost" });
  }
}
