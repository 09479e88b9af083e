import type { View } from "../protocol";
import { leads } from "../state/circle";
import { isNamed, type Names, nameOf, orderTitle, orderWords } from "../state/reading";
import { text } from "../text/en";

/** Who spoke, who speaks, who comes; outside a round the seats alone tell who is here. */
export function Order({ view, names }: { view: View; names: Names }) {
  return (
    <>
      {view.order.length > 0 && (
        <section>
          <h2>{orderTitle(view)}</h2>
          <ol class="order">
            {orderWords(view).map(({ seat, words, now }) => (
              <li key={seat} class={now ? "now" : seat === view.you ? "you" : ""}>
                <i class={`c-${names[seat]?.color ?? "sand"}`} />
                <b>{nameOf(seat, view, names)}</b>
                <span>{words}</span>
              </li>
            ))}
          </ol>
          {isNamed(view) && view.turn && (
            <small>
              {view.turn.seat === view.you
                ? text.order.youName
                : text.order.names(nameOf(view.turn.seat, view, names))}
            </small>
          )}
        </section>
      )}
      {!leads.value && view.phase.mode === "round" && view.turn?.seat !== view.you && (
        <section>
          <h2>{text.listening.title}</h2>
          <small>{text.listening.body}</small>
        </section>
      )}
    </>
  );
}
