import { useEffect } from "preact/hooks";
import { alarm, call, said } from "../a11y/announce";
import { comeBack, page, quickExit } from "../state/visit";
import { text } from "../text/en";
import { before } from "../text/secrecy";
import { Bye, Debrief } from "./Bye";
import { CirclePage } from "./Circle";
import { Join } from "./Join";
import { KeyMissing } from "./KeyMissing";
import { Plain } from "./Plain";

export function App() {
  useEffect(() => listenForShift(quickExit), []);
  return (
    <>
      <Page />
      <p class="unseen" role="status">
        {said}
      </p>
      <p class="unseen" role="alert">
        {alarm}
        {call}
      </p>
    </>
  );
}

function Page() {
  switch (page.value) {
    case "landing":
      return <Plain title={text.landing.title} body={text.landing.body} />;
    case "checking":
      return <Plain title={text.checking} body={[]} />;
    case "bad_link":
      return <Plain title={text.badLink.title} body={[text.badLink.body]} />;
    case "unreachable":
      return (
        <Plain
          title={text.unreachable.title}
          body={[text.unreachable.body]}
          again={{ words: text.unreachable.again, act: comeBack }}
        />
      );
    case "no_encryption":
      return <Plain {...before.noEncryption} />;
    case "no_worker":
      return (
        <Plain
          {...before.noWorker}
          again={{ words: before.noWorker.again, act: () => location.reload() }}
        />
      );
    case "key_missing":
      return <KeyMissing />;
    case "downgraded":
      return <Plain {...before.downgraded} />;
    case "join":
      return <Join />;
    case "circle":
      return <CirclePage />;
    case "bye":
      return <Bye />;
    case "debrief":
      return <Debrief />;
  }
}

const THREE_PRESSES_MS = 1_500;

/** Three presses of Shift alone. Not Escape, which browsers already use. */
function listenForShift(act: () => void): () => void {
  let presses: number[] = [];
  const hear = (event: KeyboardEvent) => {
    if (event.repeat) return;
    if (event.key !== "Shift") {
      presses = [];
      return;
    }
    presses = [...presses, event.timeStamp].slice(-3);
    const first = presses[0] ?? 0;
    if (presses.length === 3 && event.timeStamp - first < THREE_PRESSES_MS) act();
  };
  document.addEventListener("keydown", hear);
  return () => document.removeEventListener("keydown", hear);
}
