import { text } from "../text/en";
import { TopBar } from "./TopBar";

interface Again {
  words: string;
  act(): void;
}

/** A calm page of a few words. */
export function Plain({ title, body, again }: { title: string; body: string[]; again?: Again }) {
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
        <small>{text.notPrivate}</small>
      </main>
    </>
  );
}
