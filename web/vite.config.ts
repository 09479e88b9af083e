import { defineConfig, type Plugin } from "vite";
import { crisis } from "./src/text/en.ts";

/** Writes the crisis numbers into the page itself, for a browser that runs no scripts. */
function crisisWithoutScript(): Plugin {
  const list = (title: string, rows: readonly (readonly [string, string])[]) =>
    `<h2>${title}</h2><ul>${rows.map(([where, n]) => `<li>${where}: <b>${n}</b></li>`).join("")}</ul>`;
  const page = [
    `<h1>${crisis.title}</h1><p>${crisis.near}</p>`,
    list(crisis.emergency, crisis.numbers),
    list(crisis.talk, crisis.lines),
    `<p>${crisis.verify}</p><p>${crisis.noScript}</p>`,
  ];
  return {
    name: "crisis-without-script",
    transformIndexHtml: (html) =>
      html.replace("%CRISIS%", `<main class="narrow">${page.join("")}</main>`),
  };
}

export default defineConfig(({ command }) => {
  // Else a NODE_ENV of the shell would make other bytes of the same source (docs/privacy.md).
  if (command === "build") process.env.NODE_ENV = "production";
  return {
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
      proxy: {
        "/api": "http://127.0.0.1:8000",
        "/ws": { target: "ws://127.0.0.1:8000", ws: true },
      },
    },
  };
});
