import { useEffect, useRef } from "preact/hooks";
import { helps, line, me, profiles, shown, soundBlocked, view, words } from "../state/circle";
import { phaseLeft } from "../state/clock";
import { isWeak } from "../state/lines";
import { nowWords } from "../state/plan";
import { protection } from "../state/secrecy";
import { media } from "../state/visit";
import { text } from "../text/en";
import { Away, whyAway } from "./Away";
import { Badge, StoppedBanner, Unheard } from "./Badge";
import { Facilitator } from "./Facilitator";
import { Foot } from "./Foot";
import { LeadWindows } from "./lead/Windows";
import { Now } from "./Now";
import { Order } from "./Order";
import { Piece } from "./Piece";
import { PracticeList } from "./Practice";
import { isLarge, Screen } from "./Screen";
import { Seats } from "./Seats";
import { Signs } from "./Signs";
import { TopBar } from "./TopBar";
import { Ways } from "./Ways";
import { Writing } from "./Writing";

/** The circle itself. What may be done is in the view; here it is only laid out. */
export function CirclePage() {
  const now = view.value;
  const why = now ? whyAway(now) : null;
  useReadFromTop(why);
  if (!now || !me.value || !shown.value) {
    return (
      <>
        <TopBar title={text.title} />
        <main class="narrow">
          <h1>{line.value === "lost" ? text.unreachable.title : text.line.joining}</h1>
        </main>
      </>
    );
  }
  if (why) return <Away view={now} why={why} />;
  const names = profiles.value;
  const isUnheard = protection.value.kind === "unheard";
  return (
    <div class={isLarge(now) ? "page screened" : "page"}>
      <TopBar title={text.title} sub={nowWords(now, words.value, phaseLeft.value)} heading>
        <Badge />
      </TopBar>
      <StoppedBanner />
      {line.value === "lost" && <p class="banner">{text.line.lost}</p>}
      {line.value !== "lost" && soundBlocked.value && (
        <p class="banner">
          <button type="button" class="main" onClick={() => media.unblock()}>
            {text.act.hearAgain}
          </button>
        </p>
      )}
      {line.value !== "lost" && !soundBlocked.value && isWeak.value && (
        <p class="banner">{text.lines.weak}</p>
      )}
      <main class="stage">
        <Screen view={now} names={names} />
        <Seats view={now} names={names} />
        {isUnheard ? <Unheard /> : <Piece view={now} names={names} />}
      </main>
      <aside>
        {!helps.value && <Signs view={now} names={names} />}
        {helps.value && <Facilitator view={now} />}
        {helps.value && <Signs view={now} names={names} />}
        {helps.value && <PracticeList />}
        <Now view={now} />
        <Order view={now} names={names} />
        <Writing view={now} />
      </aside>
      <Foot view={now} />
      <Ways view={now} />
      {helps.value && <LeadWindows view={now} />}
    </div>
  );
}

/** Going away and coming back are new pages: they are read from their title. */
function useReadFromTop(page: string | null): void {
  const last = useRef(page);
  useEffect(() => {
    if (last.current !== page) document.querySelector<HTMLElement>("h1")?.focus();
    last.current = page;
  }, [page]);
}
