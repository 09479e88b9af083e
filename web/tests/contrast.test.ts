import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

const css = readFileSync(new URL("../src/ui/tokens.css", import.meta.url), "utf8");
const [day = "", night = ""] = css.split("@media");

function token(theme: string, name: string): string {
  const found = new RegExp(`--${name}: (#[0-9a-f]{6});`).exec(theme)?.[1];
  if (!found) throw new Error(`no colour --${name}`);
  return found;
}

/** Relative luminance, WCAG 2.2. */
function luminance(color: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one: string, other: string): number {
  const [low = 0, high = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const WORDS: [ink: string, ground: string][] = [
  ...["ground", "ground-low", "paper", "piece-soft", "calm-soft"].flatMap(
    (ground): [string, string][] => [
      ["ink", ground],
      ["ink-soft", ground],
    ],
  ),
  ["piece-ink", "piece"],
  ["calm", "ground"],
  ["calm", "ground-low"],
];
const SHAPES: [shape: string, ground: string][] = [
  ["edge", "paper"],
  ["edge", "ground"],
  ["focus", "ground-low"],
  ["focus", "paper"],
  ["piece", "ground"],
  ["piece", "ground-low"],
  ["calm", "paper"],
];

describe.each([
  ["day", day],
  ["night", night],
])("by %s", (_, theme) => {
  test.each(WORDS)("%s can be read on %s", (ink, ground) => {
    expect(contrast(token(theme, ink), token(theme, ground))).toBeGreaterThanOrEqual(4.5);
  });
  test.each(SHAPES)("%s can be seen on %s", (shape, ground) => {
    expect(contrast(token(theme, shape), token(theme, ground))).toBeGreaterThanOrEqual(3);
  });
});
