import { useSignal } from "@preact/signals";
import { useRef } from "preact/hooks";
import { tell } from "../a11y/announce";
import type { View } from "../protocol";
import { nameEver, type Written, written } from "../state/circle";
import { ask } from "../state/visit";
import { say, shownLarge, type Way, waysToWrite } from "../state/writing";
import { text } from "../text/en";

/** Longer is refused by the server (protocol.py). */
const MAX_SAID = 1_000;
const words = text.writing;

/** What is written in the circle, while it lasts. The team's own channel is elsewhere. */
export function Writing({ view }: { view: View }) {
  const said = written.value.filter(({ to }) => to !== "team");
  const ways = waysToWrite(view);
  if (said.length === 0 && ways.length === 0) return null;
  return (
    <details class="writing" open={view.phase.chat !== "off" || ways[0] === "caption"}>
      <summary>{words.title}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard. */}
      <ul class="written" tabIndex={0} aria-label={words.title}>
        {said.map((line) => (
          <li key={`${line.at} ${line.seat}`}>
            <b>{line.seat === view.you ? text.you : (nameEver(line.seat) ?? text.someone)}</b>{" "}
            {markOf(line) && <small>({markOf(line)}) </small>}
            {line.text}
          </li>
        ))}
        {said.length === 0 && <li>{words.nothing}</li>}
      </ul>
      {ways.length > 0 ? <Form ways={ways} view={view} /> : <small>{words.off}</small>}
      <small>{words.kept}</small>
    </details>
  );
}

function markOf({ to, kind = "chat" }: Written): string {
  if (to === "facilitators") return words.privately;
  return kind === "chat" ? "" : words.mark[kind];
}

function Form({ ways, view }: { ways: Way[]; view: View }) {
  const draft = useSignal("");
  const wanted = useSignal<Way | null>(null);
  const chosen = ways.find((way) => way === wanted.value) ?? ways[0] ?? "chat";
  const send = async () => {
    const line = draft.value.trim();
    if (line === "") return;
    // At once: who types captions is in the next line before the server has answered.
    draft.value = "";
    const outcome = await (chosen === "facilitators"
      ? say("facilitators", line)
      : say("all", line, chosen));
    // The first typed line begins a turn as a first word does.
    if (outcome.kind === "done" && chosen === "share" && view.turn?.ready === false)
      void ask({ kind: "begin_turn", turn: view.turns_given });
    if (outcome.kind !== "done") draft.value = [line, draft.value].filter(Boolean).join(" ");
    if (outcome.kind === "refused") tell(text.code(outcome.code));
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {ways.length > 1 && (
        <label>
          {words.to}
          <select
            value={chosen}
            onChange={(event) => {
              wanted.value = event.currentTarget.value as Way;
            }}
          >
            {ways.map((way) => (
              <option key={way} value={way}>
                {words.way[way]}
              </option>
            ))}
          </select>
        </label>
      )}
      {(ways.length === 1 || chosen === "share" || chosen === "caption") && (
        <small>{words.hint[chosen]}</small>
      )}
      <div class="row">
        <input
          aria-label={words.label}
          autocomplete="off"
          maxLength={MAX_SAID}
          value={draft}
          onInput={(event) => {
            draft.value = event.currentTarget.value;
          }}
        />
        <button type="submit">{words.send}</button>
      </div>
    </form>
  );
}

/** What is written in the place of a voice, or under it, in this turn. */
export function useCaptions(view: View): Written[] {
  const turn = view.turn?.number ?? null;
  const since = useRef({ turn, at: view.now });
  if (since.current.turn !== turn)
    since.current = { turn, at: written.value.at(-1)?.at ?? view.now };
  return shownLarge(view, written.value, since.current.at);
}

/** Large, beside who has the piece; told to a screen reader elsewhere, where it has to be. */
export function Captions({ lines }: { lines: Written[] }) {
  if (lines.length === 0) return null;
  return (
    <section class="captions" aria-label={words.large}>
      {lines.map(({ seat, at, text: line }) => (
        <p key={`${at} ${seat}`}>{line}</p>
      ))}
    </section>
  );
}
