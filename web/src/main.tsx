import { render } from "preact";
import { counts } from "./state/secrecy";
import { rememberSettings } from "./state/session";
import { arrive, media } from "./state/visit";
import { text } from "./text/en";
import { App } from "./ui/App";
import "./ui/tokens.css";
import "./ui/base.css";
import "./ui/circle.css";
import "./ui/own.css";
import "./ui/screen.css";
import "./ui/secrecy.css";
import "./ui/lead/lead.css";

const BLANK = "/left";

if (location.pathname === BLANK) {
  document.title = text.leftTitle;
} else {
  rememberSettings();
  // A second invitation pasted into the same tab only changes the fragment.
  addEventListener("hashchange", () => location.reload());
  const root = document.getElementById("app");
  if (root) render(<App />, root);
  void arrive();
  // Numbers only, so that a browser test can tell whether sound and picture arrive, and sealed.
  Object.assign(globalThis, { peermeetStats: () => media.stats(), peermeetSealed: counts });
}
