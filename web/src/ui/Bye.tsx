import { helps } from "../state/circle";
import { isPractising, leavePractice } from "../state/practice";
import { byeCode, byeWords, comeBack, page } from "../state/visit";
import { debrief, practice } from "../text/after";
import { text } from "../text/en";
import { Plain } from "./Plain";
import { TriedList } from "./Practice";
import { TopBar } from "./TopBar";

/** The calm last page; who helped finds the talk for afterwards, and what was practised. */
export function Bye() {
  const { title, body, again } = text.bye(byeCode.value);
  const words = again === true ? text.comeBack : again;
  return (
    <Plain
      title={title}
      body={[body, ...byeWords.value]}
      {...(words ? { again: { words, act: comeBack } } : {})}
    >
      {helps.value && HAS_BEEN.has(byeCode.value) && (
        <>
          {isPractising() && (
            <section class="card">
              <h2>{practice.endTitle}</h2>
              <TriedList />
              <button type="button" onClick={leavePractice}>
                {practice.real}
              </button>
            </section>
          )}
          <button
            type="button"
            onClick={() => {
              page.value = "debrief";
            }}
          >
            {debrief.button}
          </button>
        </>
      )}
    </Plain>
  );
}

const HAS_BEEN: ReadonlySet<string> = new Set(["left", "circle_ended", "restarting", "trouble"]);

/** Questions for those who helped. The ticks are only in front of their eyes. */
export function Debrief() {
  return (
    <>
      <TopBar title={text.title} />
      <main class="narrow">
        <h1>{debrief.title}</h1>
        <p>{debrief.body}</p>
        {debrief.parts.map(({ title, items }) => (
          <section key={title} class="card">
            <h2>{title}</h2>
            {items.map((item) => (
              <label key={item} class="choice">
                <input type="checkbox" />
                <span>{item}</span>
              </label>
            ))}
          </section>
        ))}
        <button
          type="button"
          onClick={() => {
            page.value = "bye";
          }}
        >
          {debrief.close}
        </button>
        <small>{text.notPrivate}</small>
      </main>
    </>
  );
}
