import type { View } from "../../protocol";
import { nameEver } from "../../state/circle";
import { text } from "../../text/en";
import { lead } from "../../text/lead";
import { Act } from "../Act";

/** While the room is safe, and afterwards as long as somebody is unseen: let back one by one. */
export function Safe({ view }: { view: View }) {
  const veiled = view.seats.filter((seat) => seat.veiled && !seat.waiting);
  const words = lead.safe;
  if (!view.safe && veiled.length === 0) return null;
  return (
    <section class="hint" aria-label={words.title}>
      {view.safe ? (
        <>
          <h3>{words.title}</h3>
          <p>{words.body}</p>
        </>
      ) : (
        <p>{words.still(veiled.length)}</p>
      )}
      {veiled.length > 0 && view.safe && <p>{words.who}</p>}
      <div class="stack">
        {veiled
          .filter((seat) => seat.may.includes("readmit"))
          .map(({ id }) => (
            <Act key={id} command={{ kind: "readmit", seat: id }}>
              {words.readmit(nameEver(id) ?? text.someone)}
            </Act>
          ))}
        {view.safe && veiled.length > 0 && view.may.includes("lift_safety") && (
          <>
            <Act command={{ kind: "lift_safety", everyone: true }} class="quiet">
              {words.all}
            </Act>
            <small>{words.goOn}</small>
          </>
        )}
      </div>
    </section>
  );
}
