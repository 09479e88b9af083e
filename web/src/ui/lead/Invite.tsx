import { useSignal } from "@preact/signals";
import { useRef, useState } from "preact/hooks";
import { tell } from "../../a11y/announce";
import {
  complete,
  hasSecret,
  type Invitation,
  invite,
  renew,
  returning,
} from "../../state/secrecy";
import { text } from "../../text/en";
import { keys as words } from "../../text/secrecy";
import { Dialog } from "../Dialog";
import { Return } from "./Newcomers";

type Step = "menu" | "lead" | "complete" | "renew";

interface Props {
  onClose(): void;
}

/** Links for others, made when they are asked for, and what concerns the group's key. */
export function InviteWindow({ onClose }: Props) {
  const [step, setStep] = useState<Step>("menu");
  const back = () => setStep("menu");
  switch (step) {
    case "lead":
      return <ToLead key="lead" onClose={back} />;
    case "complete":
      return <Complete key="complete" onClose={back} />;
    case "renew":
      return <Renew key="renew" onClose={back} />;
  }
  return (
    <Dialog key="menu" title={words.title} onClose={onClose}>
      <p>
        {words.body} {hasSecret.value && words.bodyKey}
      </p>
      <Maker whose="participant" button={words.make} />
      {returning.value.map((who) => (
        <Return key={who.hand} who={who} />
      ))}
      <div class="stack">
        <button type="button" onClick={() => setStep("lead")}>
          {words.forLead}
        </button>
        {hasSecret.value && (
          <>
            <button type="button" onClick={() => setStep("complete")}>
              {words.complete}
            </button>
            <button type="button" onClick={() => setStep("renew")}>
              {words.renew}
            </button>
          </>
        )}
      </div>
    </Dialog>
  );
}

/** The second step: such a link gives power over others. */
function ToLead({ onClose }: Props) {
  return (
    <Dialog title={words.forLeadTitle} closing={text.back} onClose={onClose}>
      <p>{words.forLeadBody}</p>
      <Maker whose="facilitator" button={words.forLeadYes} />
    </Dialog>
  );
}

/** Asks for a link on a tap, and shows it in the place of the button. */
function Maker({ whose, button }: { whose: "facilitator" | "participant"; button: string }) {
  const made = useSignal<Invitation | null>(null);
  const isWaiting = useSignal(false);
  const hasFailed = useSignal(false);
  const make = async () => {
    if (isWaiting.value) return;
    isWaiting.value = true;
    made.value = await invite(whose);
    isWaiting.value = false;
    hasFailed.value = made.value === null;
  };
  if (made.value) return <Link label={words.label[whose]} {...made.value} />;
  return (
    <>
      <button
        type="button"
        class="main"
        aria-disabled={isWaiting.value}
        onClick={() => void make()}
      >
        {button}
      </button>
      <p role="status">{hasFailed.value && words.none}</p>
    </>
  );
}

/** A link to copy, with the focus on the button that does it. */
function Link({ label, url, code }: { label: string; url: string; code?: string }) {
  const field = useRef<HTMLInputElement>(null);
  const [said, setSaid] = useState("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(url);
      setSaid(words.copied);
    } catch {
      // Forbidden, or a page without https: then by hand.
      field.current?.focus();
      field.current?.select();
      setSaid(words.byHand);
    }
  };
  return (
    <div class="card">
      <label>
        <b>{label}</b>
        <input ref={field} readOnly value={url} onFocus={(event) => event.currentTarget.select()} />
      </label>
      <div class="row">
        <button
          type="button"
          class="main"
          // It stands in the place of the button that asked for it.
          ref={(button) => {
            if (document.activeElement === document.body) button?.focus();
          }}
          onClick={() => void copy()}
        >
          {words.copy}
        </button>
        <span role="status">{said}</span>
      </div>
      {code && <small>{words.code(code)}</small>}
    </div>
  );
}

function Complete({ onClose }: Props) {
  const link = useSignal("");
  const whole = useSignal<string | null>(null);
  const isWrong = useSignal(false);
  return (
    <Dialog title={words.completeTitle} closing={text.back} onClose={onClose}>
      <p>{words.completeBody}</p>
      {whole.value ? (
        <Link label={words.label.completed} url={whole.value} />
      ) : (
        <form
          class="stack"
          onSubmit={(event) => {
            event.preventDefault();
            whole.value = complete(link.value.trim());
            isWrong.value = whole.value === null;
          }}
        >
          <label>
            <b>{words.completeLabel}</b>
            <input
              autocomplete="off"
              autocapitalize="off"
              spellcheck={false}
              aria-invalid={isWrong.value}
              aria-describedby="not-ours"
              value={link}
              onInput={(event) => {
                link.value = event.currentTarget.value;
                isWrong.value = false;
              }}
            />
          </label>
          <p id="not-ours" role="status">
            {isWrong.value && words.notOurs}
          </p>
          <button type="submit" class="main">
            {words.completeYes}
          </button>
        </form>
      )}
    </Dialog>
  );
}

function Renew({ onClose }: Props) {
  const [isWaiting, setWaiting] = useState(false);
  const make = async () => {
    if (isWaiting) return;
    setWaiting(true);
    tell((await renew()) ? words.renewed : words.notRenewed);
    onClose();
  };
  return (
    <Dialog title={words.renewTitle} closing={text.cancel} onClose={onClose}>
      {words.renewBody.map((line) => (
        <p key={line}>{line}</p>
      ))}
      <button type="button" class="main" aria-disabled={isWaiting} onClick={() => void make()}>
        {words.renewYes}
      </button>
    </Dialog>
  );
}
