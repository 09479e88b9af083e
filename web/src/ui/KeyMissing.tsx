import { useState } from "preact/hooks";
import { makeKey, mayPractise } from "../state/visit";
import { text } from "../text/en";
import { before } from "../text/secrecy";
import { Dialog } from "./Dialog";
import { Plain } from "./Plain";

/** The link has no key. Who leads may make a new one, in two steps. */
export function KeyMissing() {
  const [isAsking, setAsking] = useState(false);
  const words = before.newKey;
  return (
    <Plain {...before.keyMissing}>
      {mayPractise.value && (
        <button type="button" onClick={() => setAsking(true)}>
          {words.button}
        </button>
      )}
      {isAsking && (
        <Dialog title={words.title} closing={text.cancel} onClose={() => setAsking(false)}>
          {words.body.map((line) => (
            <p key={line}>{line}</p>
          ))}
          <button type="button" class="main" onClick={() => void makeKey()}>
            {words.yes}
          </button>
        </Dialog>
      )}
    </Plain>
  );
}
