import type { ComponentChildren } from "preact";
import { text } from "../text/en";
import { TopBar } from "./TopBar";

interface Again {
  words: string;
  act(): void;
}

interface Props {
  title: string;
  body: string[];
  again?: Again;
  children?: ComponentChildren;
}

/** A calm page of a few words. */
export function Plain({ title, body, again, children }: Props) {
  return (
    <>
      <TopBar title={text.title} />
      <main class="narrow">
        <h1>{title}</h1>
        {body.map((paragraph) => (
          <p key={paragraph}>{paragraph}</p>
        ))}
        {again && (
          <button type="button" class="main" onClick={again.act}>
            {again.words}
          </button>
        )}
        {children}
        <small>{text.notPrivate}</small>
      </main>
    </>
  );
}
