import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { SeatView, View } from "../protocol";
import { videos } from "../state/circle";
import { lineOf } from "../state/lines";
import { camera } from "../state/own";
import {
  holderOf,
  isApart,
  isPictureOff,
  type Names,
  nameOf,
  seatsShown,
  seatWords,
} from "../state/reading";
import { pictures, settings } from "../state/session";
import { followTile } from "../state/watching";
import { text } from "../text/en";
import { Face, Picture } from "./Face";
import { LineMark } from "./LineMark";
import { choices, SeatMenu } from "./SeatMenu";

interface Props {
  view: View;
  names: Names;
}

/** Everybody in a circle, clockwise in the order of arrival; each keeps the place. */
export function Seats({ view, names }: Props) {
  const open = useSignal<string | null>(null);
  const seats = seatsShown(view);
  const menu = seats.find((seat) => seat.id === open.value);
  const places = onEllipse(seats.length);
  const speaking = new Map(view.order.map((entry, index) => [entry.seat, index]));
  return (
    <>
      <ul
        class="seats"
        aria-label={isApart(view) ? text.seat.ofPair : text.seat.ofCircle}
        style={{ "--n": Math.max(4, seats.length) }}
      >
        {seats.map((seat, index) => {
          const [x, y] = places[index] ?? [0, 0];
          const holds = holderOf(view) === seat.id;
          const isHere = seat.present && !seat.apart && !seat.veiled;
          return (
            <Place
              key={seat.id}
              seat={seat.id}
              isMine={seat.id === view.you}
              class={`seat${holds ? " holds" : ""}${isHere ? "" : " away"}${seat.id === view.you ? " mine" : ""}`}
              style={{ "--x": x, "--y": y, "--place": speaking.get(seat.id) ?? index }}
            >
              {choices(seat, view).length > 0 ? (
                <button
                  type="button"
                  class="tile"
                  aria-haspopup="dialog"
                  title={text.seat.menu(nameOf(seat.id, view, names))}
                  onClick={() => {
                    open.value = seat.id;
                  }}
                >
                  <Tile seat={seat} view={view} names={names} />
                </button>
              ) : (
                <div class="tile">
                  <Tile seat={seat} view={view} names={names} />
                </div>
              )}
            </Place>
          );
        })}
      </ul>
      {menu && (
        <SeatMenu
          seat={menu}
          view={view}
          names={names}
          onClose={() => {
            open.value = null;
          }}
        />
      )}
    </>
  );
}

interface PlaceProps {
  seat: string;
  isMine: boolean;
  class: string;
  style: Record<string, number>;
  children: ComponentChildren;
}

/** Pictures of the others are asked for as long as their place is on the screen. */
function Place({ seat, isMine, children, ...look }: PlaceProps) {
  const item = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (item.current && !isMine) return followTile(item.current);
  }, [seat, isMine]);
  return (
    <li ref={item} data-seat={seat} {...look}>
      {children}
    </li>
  );
}

function Tile({ seat, view, names }: Props & { seat: SeatView }) {
  const isMine = seat.id === view.you;
  const name = nameOf(seat.id, view, names);
  const mine = settings.selfView.value ? camera.value : null;
  const track = isMine ? mine : videos.value.get(seat.id);
  const isOff = isPictureOff(seat, view, pictures.value);
  const line = lineOf(seat.id);
  return (
    <>
      <Face color={names[seat.id]?.color}>
        {seat.present && seat.camera === "on" && track && !isOff && (
          <Picture key={seat.id} track={track} mirrored={isMine} label={text.seat.picture(name)} />
        )}
      </Face>
      <span class="name">{name}</span>
      <span class="state">
        {line && <LineMark mark={line.mark} />}
        {seatWords(seat, view)}
      </span>
      {isOff && (
        <span class="state">
          {text.lines.pictureOff[0]} <span class="unseen">{text.lines.pictureOff[1]}</span>
        </span>
      )}
    </>
  );
}

/** How wide the stage is for its height, about; the exact size is the style sheet's business. */
const ASPECT = 1.5;

/** Places with equal gaps along an ellipse, from the top, clockwise; each coordinate -1…1. */
function onEllipse(count: number): [number, number][] {
  const steps = 720;
  const at = (step: number): [number, number] => {
    const angle = (step / steps) * 2 * Math.PI;
    return [Math.sin(angle), -Math.cos(angle)];
  };
  const lengths = [0];
  for (let step = 1; step <= steps; step++) {
    const [x0, y0] = at(step - 1);
    const [x1, y1] = at(step);
    lengths.push((lengths[step - 1] ?? 0) + Math.hypot((x1 - x0) * ASPECT, y1 - y0));
  }
  const whole = lengths[steps] ?? 1;
  // Two people sit face to face, left and right of the piece.
  const first = count === 2 ? whole * 0.75 : 0;
  return Array.from({ length: count }, (_, seat) => {
    const along = ((seat / count) * whole + first) % whole;
    return at(lengths.findIndex((length) => length >= along - whole / (2 * steps)));
  });
}
