import { helps, line, me, profiles, shown, soundBlocked, view } from "../state/circle";
import { phaseWords } from "../state/reading";
import { media } from "../state/visit";
import { text } from "../text/en";
import { Facilitator } from "./Facilitator";
import { Foot, Ways } from "./Foot";
import { LeadWindows } from "./lead/Windows";
import { Order } from "./Order";
import { Piece } from "./Piece";
import { Seats } from "./Seats";
import { TopBar } from "./TopBar";

/** The circle itself. What may be done is in the view; here it is only laid out. */
export function CirclePage() {
  const now = view.value;
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
  return (
    <div class="page">
      <TopBar title={text.title} sub={phaseWords(now)} heading />
      {line.value === "lost" && <p class="banner">{text.line.lost}</p>}
      {line.value !== "lost" && soundBlocked.value && (
        <p class="banner">
          <button type="button" class="main" onClick={() => media.unblock()}>
            {text.act.hearAgain}
          </button>
        </p>
      )}
      <main class="stage">
        <Seats view={now} names={profiles.value} />
        <Piece view={now} names={profiles.value} />
      </main>
      <aside>
        {helps.value && <Facilitator view={now} />}
        <Order view={now} names={profiles.value} />
      </aside>
      <Foot view={now} />
      <Ways />
      {helps.value && <LeadWindows view={now} />}
    </div>
  );
}
