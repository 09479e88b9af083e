// Writes src/protocol.ts from the server's own JSON Schema; with --check only compares.
// The schema comes from the project's virtual environment, or from $PYTHON's.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compile } from "json-schema-to-typescript";

const root = fileURLToPath(new URL("../..", import.meta.url));
const target = fileURLToPath(new URL("../src/protocol.ts", import.meta.url));
const venv = `${root}.venv/bin/python`;
const python = process.env.PYTHON ?? (existsSync(venv) ? venv : "python3");

const schema = execFileSync(
  python,
  [
    "-c",
    "import json; from peermeet.protocol import json_schema; print(json.dumps(json_schema()))",
  ],
  { env: { ...process.env, PYTHONPATH: `${root}src` }, encoding: "utf8" },
);
const written = await compile(JSON.parse(schema), "Frame", {
  bannerComment: "// GENERATED from the server's protocol.py by `npm run types`. Do not edit.",
  additionalProperties: false,
  // A bounded list would become a union of tuples.
  ignoreMinAndMaxItems: true,
});

if (!process.argv.includes("--check")) {
  writeFileSync(target, written);
} else if (readFileSync(target, "utf8") !== written) {
  process.stderr.write("src/protocol.ts is out of date: run `npm run types`\n");
  process.exitCode = 1;
}
