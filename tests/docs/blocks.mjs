// The lines of the documents that say of themselves that they run: fenced blocks marked "sh test", in their order.
import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";

const FENCE = /^```sh test\n([\s\S]*?)^```$/gm;

// [{ at: "README.md:41", text }] of one document.
export function blocksOf(root, name) {
  const text = fs.readFileSync(path.join(root, name), "utf8");
  return [...text.matchAll(FENCE)].map((found) => ({
    at: `${name}:${text.slice(0, found.index).split("\n").length}`,
    text: found[1],
  }));
}

// The documents that have some.
export function documents(root) {
  const docs = fs.readdirSync(path.join(root, "docs")).filter((name) => name.endsWith(".md"));
  const all = ["README.md", "sdk/README.md", ...docs.sort().map((name) => `docs/${name}`)];
  return all.filter((name) => blocksOf(root, name).length);
}

// A command line of kettle that has gaps for its reader, filled, as the arguments behind "kettle". gaps: what stands in the place of a
// word, a text or a list of them. The line has to be there, and each of these words in it.
export function lineOf(root, name, begins, gaps) {
  const lines = fs.readFileSync(path.join(root, name), "utf8").split("\n").map((line) => line.replace(/ +/g, " "));
  const line = lines.find((line) => line.startsWith(` kettle ${begins}`));
  if (!line) throw new Error(`${name} has no line kettle ${begins}`);
  const words = line.replace(/ #.*$/, "").trim().split(" ").slice(1);
  const lacks = Object.keys(gaps).find((word) => !words.includes(word));
  if (lacks) throw new Error(`${name}: ${line.trim()} has no word ${lacks}`);
  return words.flatMap((word) => gaps[word] ?? [word]);
}

// Runs one block as a reader would, in a folder; the first line that fails ends it: {code, out}.
export function runBlock(text, { cwd, env, limitMs = 60000 }) {
  return new Promise((resolve) => {
    const child = spawn("bash", ["-euo", "pipefail", "-c", text], { cwd, env, stdio: ["ignore", "pipe", "pipe"], timeout: limitMs });
    let out = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (part) => (out += part));
    child.on("close", (code, signal) => resolve({ code: code ?? signal, out }));
  });
}
