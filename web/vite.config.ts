import { defineConfig, type Plugin } from "vite";
import { crisis } from "./src/text/en.ts";

/** Writes the crisis numbers into the page itself, for a browser that runs no scripts. */
function crisisWithoutScript(): Plugin {
  const items = [...crisis.numbers, ...crisis.lines].map(
    ([where, numbers]) => `<li><b>${where}</b>: ${numbers}</li>`,
  );
  return {
    name: "crisis-without-script",
    transformIndexHtml: (html) =>
      html.replace(
        "%CRISIS%",
        `<h1>${crisis.title}</h1><p>${crisis.near}</p><ul>${items.join("")}</ul><p>${crisis.verify}</p>`,
      ),
  };
}

export default defineConfig({
  plugins: [crisisWithoutScript()],
  build: {
    outDir: "../src/peermeet/web",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    // One script, no preloading: the polyfill would be a second piece of inline code to allow.
    modulePreload: false,
    target: "es2022",
  },
  server: {
    proxy: { "/api": "http://127.0.0.1:8000", "/ws": { target: "ws://127.0.0.1:8000", ws: true } },
  },
});
