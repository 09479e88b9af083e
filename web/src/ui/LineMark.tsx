import type { SeatLine } from "../protocol";
import { text } from "../text/en";

const BARS = [
  [0, 8],
  [5, 5],
  [10, 2],
] as const;

/**
 * How good somebody's connection is: for the eye only when it is not good, as filled and empty
 * bars; in words always.
 */
export function LineMark({ mark }: { mark: SeatLine["mark"] }) {
  return (
    <>
      {mark < 3 && <Bars mark={mark} />}
      <span class="unseen">{`${text.lines.mark[mark]}. `}</span>
    </>
  );
}

export function Bars({ mark }: { mark: SeatLine["mark"] }) {
  return (
    <svg class="bars" viewBox="0 0 15 13" aria-hidden="true">
      {BARS.map(([x, y], index) => (
        <rect
          key={x}
          class={index < mark ? "full" : ""}
          x={x + 0.75}
          y={y + 0.75}
          width="3"
          height={11.5 - y}
          rx="1"
        />
      ))}
    </svg>
  );
}
