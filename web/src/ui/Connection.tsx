import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { OwnPath } from "../net/media";
import type { SeatLine, View } from "../protocol";
import { profiles, view } from "../state/circle";
import { lineOf } from "../state/lines";
import { nameOf, seatsShown } from "../state/reading";
import { media } from "../state/visit";
import { text } from "../text/en";
import { Dialog } from "./Dialog";
import { Bars } from "./LineMark";

const words = text.lines;
const AGAIN_MS = 2_000;

/** How good one's own connection is, in figures; to those who care for people, everybody's. */
export function Connection({ onClose }: { onClose(): void }) {
  const now = view.value;
  if (!now) return null;
  const isTold = seatsShown(now).some(({ id }) => id !== now.you && lineOf(id)?.details);
  return (
    <Dialog title={words.title} isWide={isTold} onClose={onClose}>
      <Own view={now} />
      {isTold && <Everybody view={now} />}
      <small>{words.help}</small>
    </Dialog>
  );
}

function Own({ view }: { view: View }) {
  const path = useOwnPath();
  const line = lineOf(view.you);
  const details = line?.details;
  const rows: [string, string][] = [
    [words.state, line ? words.mark[line.mark] : words.none],
    [words.roundTrip, words.roundTripIs(details?.rtt_ms)],
    [words.loss, words.lossIs(details?.loss_percent)],
    [words.way, path ? words.wayIs(path.isRelayed, path.protocol) : words.wayUnknown],
    [words.sent, words.sizeIs(path?.sent ?? null)],
    [words.received, words.sizeIs(path?.received ?? null)],
  ];
  if (details?.layer) rows.push([words.speaker, words.layer[details.layer]]);
  return (
    <section>
      <h3>{words.yours}</h3>
      <dl class="numbers figures">
        {rows.map(([what, is]) => (
          <div key={what}>
            <dt>{what}</dt>
            <dd>{is}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Asked of the browser again and again while the window is open. */
function useOwnPath(): OwnPath | null {
  const path = useSignal<OwnPath | null>(null);
  useEffect(() => {
    const ask = async () => {
      path.value = await media.path();
    };
    void ask();
    const timer = setInterval(() => void ask(), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  return path.value;
}

function Everybody({ view }: { view: View }) {
  const { columns } = words;
  return (
    <section>
      <h3 id="everybodys-lines">{words.everybody}</h3>
      <table class="lines" aria-labelledby="everybodys-lines">
        <thead>
          <tr>
            {[columns.name, columns.state, columns.roundTrip, columns.loss].map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {seatsShown(view).map(({ id }) => {
            const line = lineOf(id);
            return (
              <tr key={id}>
                <th scope="row">{nameOf(id, view, profiles.value)}</th>
                <td>{line ? <Now line={line} /> : words.none}</td>
                <td>{line?.details?.rtt_ms ?? words.unknown}</td>
                <td>{line?.details?.loss_percent ?? words.unknown}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </section>
  );
}

function Now({ line: { mark, details } }: { line: SeatLine }) {
  return (
    <>
      <Bars mark={mark} /> {words.inTable[mark]}
      {details && <small>{words.over(details.path)}</small>}
      {details?.layer && <small>{words.layerIs(details.layer)}</small>}
    </>
  );
}
