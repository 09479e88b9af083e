import { useState } from "preact/hooks";
import { makeKey, mayPractise } from "../state/visit";
import { text } from "../text/en";
import { before } from "../text/secrecy";
import { Dialog } from "./Dialog";
import { Plain } from "./Plain";

/** The link has no key. Who leads may make a new one, in two steps. */
export function KeyMissing() {
  const [isAsking, setAsking] = useState(false);
  return (
    <Plain {...before.keyMissing}>
      {mayPractise.value && (
        <button type="button" onClick={() => setAsking(true)}>
          {before.newKey.button}
        </button>
      )}
      {isAsking && <NewKey onClose={() => setAsking(false)} />}
    </Plain>
  );
}

/** Stays until it has worked; then the door opens. */
function NewKey({ onClose }: { onClose(): void }) {
  const words = before.newKey;
  const [state, setState] = useState<"asking" | "waiting" | "failed">("asking");
  const make = async () => {
    if (state === "waiting") return;
    setState("waiting");
    if (!(await makeKey())) setState("failed");
  };
  return (
    <Dialog title={words.title} closing={text.cancel} onClose={onClose}>
      {words.body.map((line) => (
        <p key={line}>{line}</p>
      ))}
      <button
        type="button"
        class="main"
        aria-disabled={state === "waiting"}
        onClick={() => void make()}
      >
        {words.yes}
      </button>
      <p role="status">{state === "failed" && words.failed}</p>
    </Dialog>
  );
}
