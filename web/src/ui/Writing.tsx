import { useSignal } from "@preact/signals";
import { tell } from "../a11y/announce";
import type { View } from "../protocol";
import { nameEver, written } from "../state/circle";
import { request } from "../state/visit";
import { text } from "../text/en";

/** Longer is refused by the server (protocol.py). */
const MAX_SAID = 1_000;
const words = text.writing;

type To = "all" | "facilitators";

/** What is written in the circle, while it lasts. The team's own channel is elsewhere. */
export function Writing({ view }: { view: View }) {
  const said = written.value.filter(({ to }) => to !== "team");
  const to = view.write.filter((each): each is To => each !== "team");
  if (said.length === 0 && to.length === 0) return null;
  return (
    <details class="writing" open={view.phase.chat !== "off"}>
      <summary>{words.title}</summary>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, also by keyboard. */}
      <ul class="written" tabIndex={0} aria-label={words.title}>
        {said.map(({ seat, to, text: line, at }) => (
          <li key={`${at} ${seat}`}>
            <b>{seat === view.you ? text.you : (nameEver(seat) ?? text.someone)}</b>{" "}
            {to === "facilitators" && <small>({words.privately}) </small>}
            {line}
          </li>
        ))}
        {said.length === 0 && <li>{words.nothing}</li>}
      </ul>
      {to.length > 0 ? <Form to={to} /> : <small>{words.off}</small>}
      <small>{words.kept}</small>
    </details>
  );
}

function Form({ to }: { to: To[] }) {
  const draft = useSignal("");
  const wanted = useSignal<To>("all");
  const chosen = to.includes(wanted.value) ? wanted.value : (to[0] ?? "all");
  const send = async () => {
    const line = draft.value.trim();
    if (line === "") return;
    const outcome = await request({ kind: "say", to: chosen, text: line });
    if (outcome.kind === "done") draft.value = "";
    else if (outcome.kind === "refused") tell(text.code(outcome.code));
  };
  return (
    <form
      class="stack"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {to.length > 1 ? (
        <label>
          {words.to}
          <select
            value={chosen}
            onChange={(event) => {
              wanted.value = event.currentTarget.value as To;
            }}
          >
            <option value="all">{words.toAll}</option>
            <option value="facilitators">{words.toFacilitators}</option>
          </select>
        </label>
      ) : (
        <small>{chosen === "all" ? words.onlyAll : words.onlyFacilitators}</small>
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
