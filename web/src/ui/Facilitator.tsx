import { useSignal } from "@preact/signals";
import { useEffect, useId } from "preact/hooks";
import type { View } from "../protocol";
import { leads, words as sheetWords } from "../state/circle";
import { listenForHush } from "../state/hush";
import {
  type Control,
  circleControls,
  leadMain,
  moreControls,
  NO_PAUSE,
  openNext,
  turnControls,
} from "../state/lead";
import { lead } from "../text/lead";
import { ControlButton } from "./lead/Button";
import { Closing } from "./lead/Closing";
import { FitHint } from "./lead/Fit";
import { useKeys } from "./lead/Keys";
import { Newcomers } from "./lead/Newcomers";
import { Safe } from "./lead/Safe";
import { hasTeamNews } from "./lead/Team";

/** The one button that matters now for somebody who helps, or null. */
export const facilitatorMain = (view: View) => leadMain(view, sheetWords.value);

export function FacilitatorMain({ view, class: extra = "" }: { view: View; class?: string }) {
  const main = facilitatorMain(view);
  return main && <ControlButton control={main} class={`main ${extra}`} />;
}

/** The panel of whoever helps the circle: what the server permits them, and nothing else. */
export function Facilitator({ view }: { view: View }) {
  useKeys();
  useEffect(listenForHush, []);
  const title = leads.value ? lead.title : lead.helping;
  const main = facilitatorMain(view);
  const same = (key: string) => key === main?.key;
  const turn = turnControls(view).filter((each) => !view.safe && (view.turn || isBack(each)));
  const next = openNext(view, sheetWords.value);
  const circle = circleControls(view, hasTeamNews.value).filter(({ key }) => !same(key));
  const answer = circle.find(({ key }) => key === NO_PAUSE);
  return (
    <section class="fac" aria-label={title}>
      <h2 tabIndex={-1}>{title}</h2>
      <FacilitatorMain view={view} class="only-wide" />
      {answer && (
        <div class="hint">
          <p>{lead.pauseAsked}</p>
          <ControlButton control={answer} />
        </div>
      )}
      {leads.value && <Newcomers />}
      <Closing />
      <Safe view={view} />
      {turn.length > 0 && (
        <div class="pairs">
          {turn.map((control) => (
            <ControlButton key={control.key} control={control} />
          ))}
        </div>
      )}
      {next && !view.turn && !same(next.key) && <ControlButton control={next} />}
      {!view.turn && <FitHint view={view} />}
      <div class="pairs">
        {circle
          .filter((control) => control !== answer)
          .map((control) => (
            <ControlButton key={control.key} control={control} />
          ))}
      </div>
      <More view={view} next={view.turn ? next : null} mainKey={main?.key} />
    </section>
  );
}

interface MoreProps {
  view: View;
  /** The way to the next part, while it would disturb higher up. */
  next: Control | null;
  mainKey: string | undefined;
}

/** What is needed now and then, one tap away. */
function More({ view, next, mainKey }: MoreProps) {
  const isOpen = useSignal(false);
  const id = useId();
  return (
    <>
      <button
        type="button"
        class="quiet"
        aria-expanded={isOpen}
        aria-controls={id}
        onClick={() => {
          isOpen.value = !isOpen.value;
        }}
      >
        {lead.more}
      </button>
      <div id={id} hidden={!isOpen.value}>
        <div class="pairs">
          {[...(next ? [next] : []), ...moreControls(view)]
            .filter(({ key }) => key !== mainKey)
            .map((control) => (
              <ControlButton key={control.key} control={control} />
            ))}
        </div>
        {view.may.includes("show_card") && <small>{lead.faces}</small>}
      </div>
    </>
  );
}

const isBack = ({ key }: { key: string }) => key === "B";
