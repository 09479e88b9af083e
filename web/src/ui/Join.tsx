import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import type { Profile } from "../protocol";
import { closeCamera } from "../state/own";
import { isPractising } from "../state/practice";
import { door } from "../state/secrecy";
import { kept } from "../state/session";
import { agree, mayPractise } from "../state/visit";
import { PSEUDONYMS, text } from "../text/en";
import { DeviceCheck } from "./DeviceCheck";
import { DoorWords } from "./DoorWords";
import { Face } from "./Face";
import { PracticeDoor } from "./Practice";
import { TopBar } from "./TopBar";

type Color = Profile["color"];
const COLORS: Color[] = ["sage", "rose", "sky", "sand", "lilac", "teal", "clay", "honey"];
const pick = <T,>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)] as T;

/** From the link to the seat in three steps; the devices are asked for on a tap only. */
export function Join() {
  const step = useSignal(1);
  const name = useSignal(kept("profile")?.name ?? pick(PSEUDONYMS));
  const color = useSignal<Color>(kept("profile")?.color ?? pick(COLORS));
  const listenOnly = useSignal(false);
  const heading = useRef<HTMLHeadingElement>(null);
  const words = text.join;

  const go = (to: number) => {
    step.value = to;
  };
  // A new step is a new page: start reading it from its title. Not on the very first paint.
  const isFirst = useRef(true);
  useEffect(() => {
    if (!isFirst.current) heading.current?.focus();
    isFirst.current = false;
    scrollTo(0, 0);
  }, [step.value]);

  return (
    <>
      <TopBar title={text.title} />
      <main class="narrow">
        <small>{words.step(step.value)}</small>
        {step.value === 1 && (
          <>
            <h1 ref={heading} tabIndex={-1}>
              {words.welcomeTitle}
            </h1>
            {door.value?.isOn === false && <DoorWords />}
            <ul class="card plain">
              {words.happens.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
            <p>
              <b>{words.isNot}</b>
            </p>
            {door.value?.isOn && <DoorWords />}
            <button type="button" class="main" onClick={() => go(2)}>
              {words.next}
            </button>
            <small>{words.exit}</small>
            {mayPractise.value && !isPractising() && <PracticeDoor />}
          </>
        )}
        {step.value === 2 && (
          <form
            class="stack"
            onSubmit={(event) => {
              event.preventDefault();
              if (name.value.trim() !== "") go(3);
            }}
          >
            <h1 ref={heading} tabIndex={-1}>
              {words.howTitle}
            </h1>
            <div class="card">
              <div class="row">
                <Face color={color.value} class="small" />
                <label for="name">
                  <b>{words.name}</b>
                  <small id="name-hint">{words.nameHint}</small>
                </label>
              </div>
              <input
                id="name"
                aria-describedby="name-hint"
                autocomplete="off"
                required
                pattern=".*\S.*"
                title={words.nameNeeded}
                maxLength={40}
                value={name}
                onInput={(event) => {
                  name.value = event.currentTarget.value;
                }}
              />
              <button
                type="button"
                onClick={() => {
                  name.value = pick(PSEUDONYMS.filter((other) => other !== name.value));
                }}
              >
                {words.suggest}
              </button>
              <fieldset class="colors">
                <legend>
                  <b>{words.color}</b> <small>{words.colors[color.value]}</small>
                </legend>
                {COLORS.map((each) => (
                  <label key={each} class={`swatch c-${each}`} title={words.colors[each]}>
                    <input
                      type="radio"
                      name="color"
                      checked={each === color.value}
                      onChange={() => {
                        color.value = each;
                      }}
                    />
                    <span class="unseen">{words.colors[each]}</span>
                  </label>
                ))}
              </fieldset>
            </div>
            <DeviceCheck listenOnly={listenOnly} />
            <button type="submit" class="main">
              {words.read}
            </button>
            <button type="button" class="quiet" onClick={() => go(1)}>
              {text.back}
            </button>
            <small>{text.notPrivate}</small>
          </form>
        )}
        {step.value === 3 && (
          <>
            <h1 ref={heading} tabIndex={-1}>
              {words.agreeTitle}
            </h1>
            <ul class="card plain">
              {text.agreement.map((line) => (
                <li key={line}>{line}</li>
              ))}
            </ul>
            {door.value?.isOn === false && <DoorWords isLast />}
            <button
              type="button"
              class="main"
              onClick={() =>
                agree({ name: name.value.trim(), color: color.value }, listenOnly.value)
              }
            >
              {words.agree}
            </button>
            <button
              type="button"
              class="quiet"
              onClick={() => {
                closeCamera();
                go(2);
              }}
            >
              {text.back}
            </button>
          </>
        )}
      </main>
    </>
  );
}
