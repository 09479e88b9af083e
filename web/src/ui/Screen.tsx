import { useState } from "preact/hooks";
import type { View } from "../protocol";
import { leads } from "../state/circle";
import { holderOf, type Names, nameOf, seatOf } from "../state/reading";
import { arriving, isHidden, mayShow, shownBy, showScreen, stopScreen } from "../state/screen";
import { text } from "../text/en";
import { Act } from "./Act";
import { Dialog } from "./Dialog";
import { Picture } from "./Face";

interface Props {
  view: View;
  names: Names;
}

/** Whether somebody's screen takes the large place on this page. */
export const isLarge = (view: View): boolean => shownBy(view) !== null && !isHidden.value;

/** Somebody's screen, or a word that there is one for whoever has hidden it. */
export function Screen({ view, names }: Props) {
  const whose = shownBy(view);
  if (whose === null) return null;
  const words = text.screen;
  const name = nameOf(whose, view, names);
  const track = arriving.value;
  return (
    <section class={isHidden.value ? "screen hidden" : "screen"} aria-label={words.of(name)}>
      {!isHidden.value && (
        <div class="sheet">
          {track && <Picture key={whose} track={track} label={words.of(name)} />}
        </div>
      )}
      <p>
        <span>{words.shows(name)}</span>
        <button
          type="button"
          aria-pressed={isHidden}
          onClick={() => {
            isHidden.value = !isHidden.value;
          }}
        >
          {words.hide}
        </button>
        {seatOf(view, whose)?.may.includes("stop_share") && (
          <Act command={{ kind: "stop_share", seat: whose }}>{words.end}</Act>
        )}
      </p>
    </section>
  );
}

/** Always in sight while one's own screen is seen by others. */
export function OwnScreen({ view }: { view: View }) {
  if (view.sharing !== view.you) return null;
  return (
    <p class="showing">
      <span>{text.screen.mine}</span>
      <button type="button" onClick={() => void stopScreen()}>
        {text.screen.stop}
      </button>
    </p>
  );
}

/** Says what others will see before the browser asks what to show. */
export function ShowScreen({ view }: { view: View }) {
  const [isOpen, setOpen] = useState(false);
  if (!mayShow()) return null;
  const words = text.screen;
  const isTurn = holderOf(view) === view.you && !leads.value;
  return (
    <>
      <button type="button" onClick={() => setOpen(true)}>
        {words.show}
      </button>
      {isOpen && (
        <Dialog title={words.title} closing={text.cancel} onClose={() => setOpen(false)}>
          <p>{words.what}</p>
          <p>{words.window}</p>
          <p>{isTurn ? words.untilTurn : words.untilStop}</p>
          <button
            type="button"
            class="main"
            onClick={() => {
              setOpen(false);
              void showScreen();
            }}
          >
            {words.choose}
          </button>
        </Dialog>
      )}
    </>
  );
}
