// `kettle verify --statement` against the vectors, and against the JavaScript verifier on the fuzzer's corpus and what is near it.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { KettleError, verifyStatement } from "../../sdk/js/kettle-verify.mjs";
import { root, test, vectors } from "./harness.mjs";

export const program = process.env.KETTLE ?? `${root}build/kettle`;
const EXIT = { holds: 0, refused: 1, usage: 2, unreached: 3, convicted: 4 };
const MUTANTS = 16; // of each file of the corpus

function kettle(args, input) {
  const run = spawnSync(program, ["verify", "--statement", "-", ...args], { input, encoding: "utf8" });
  if (run.error) throw run.error;
  return run;
}

/** The command line that demands what options of the JavaScript verifier demand. */
function argumentsOf(options) {
  const names = { signer: "signer", chainId: "chain-id", setup: "setup-hash", type: "type", maxAge: "max-age", now: "at" };
  Object.assign(names, { block: "at-block", minBlock: "min-block", minFinality: "min-finality" });
  const args = [];
  for (const [option, name] of Object.entries(names))
    if (options[option] !== undefined) args.push(`--${name}`, options[option] === null ? "any" : String(options[option]));
  for (const signer of options.signers ?? []) args.push("--signer", signer);
  if (options.request !== undefined) args.push("--request", options.request === null ? "any" : JSON.stringify(options.request));
  if (options.allowRevert) args.push("--allow-revert");
  return args;
}

/** What it says of a statement: "holds", "bad-option" (on the command line: a usage) or the code of the refusal. */
function verdict(options, text) {
  const run = kettle(["--json", ...argumentsOf(options)], text);
  if (run.status === EXIT.usage) return "bad-option";
  const said = JSON.parse(run.stdout);
  assert.equal(run.status, said.holds ? EXIT.holds : EXIT.refused);
  return said.holds ? "holds" : said.code;
}

/** What it says of evidence files of a network, from a checkpoint: "holds", or step and code. `end` of it ends it. */
export function judgedByProgram(network, checkpoint) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kettle-evidence-"));
  const file = path.join(folder, "network.json");
  fs.writeFileSync(file, JSON.stringify({ network }));
  const named = typeof network === "string" ? network : file;
  const judged = (text) => {
    const args = ["verify", "--json", "--evidence", "-", "--checkpoint", checkpoint, "--network", named];
    const run = spawnSync(program, args, { input: text, encoding: "utf8" });
    if (run.error) throw run.error;
    const { holds, steps } = JSON.parse(run.stdout);
    const failed = steps.find(({ ok }) => !ok);
    assert.equal(run.status, holds ? EXIT.holds : failed.code === "signed-lie" ? EXIT.convicted : EXIT.refused);
    return holds ? "holds" : `${failed.step} ${failed.code}`;
  };
  return Object.assign(judged, { end: () => fs.rmSync(folder, { recursive: true }) });
}

function verdictOfScript(options, text) {
  try {
    verifyStatement(text, options);
    return "holds";
  } catch (error) {
    if (error instanceof KettleError) return error.code;
    throw error;
  }
}

const GIVES_BOTH = "signer and signers"; // one option here: they add up

async function accepted() {
  for (const { name, statement, options } of vectors.accepted)
    await test(`program: accepted: ${name}`, () => {
      const run = kettle(["--json", ...argumentsOf(options)], JSON.stringify(statement, null, 1));
      assert.equal(run.status, EXIT.holds, run.stderr);
      assert.deepEqual(JSON.parse(run.stdout), { holds: true, statement });
      const plain = kettle(argumentsOf(options), JSON.stringify(statement));
      assert.match(plain.stdout, /\nall holds\n$/);
    });
}

async function refused() {
  for (const { name, statement, text, options, code } of vectors.refused)
    if (name !== GIVES_BOTH)
      await test(`program: refused (${code}): ${name}`, () =>
        assert.equal(verdict(options, text ?? JSON.stringify(statement)), code));
}

/** Texts that differ from one in a character, spread over it; always the same ones. */
function* near(text, seed) {
  for (let i = 0; i < MUTANTS; i++) {
    const at = (seed * 7919 + i * 104729) % text.length;
    const put = '0"a{,:}\\ A9.e-1f'[(seed + i) % 16];
    yield text.slice(0, at) + put + text.slice(at + (i % 3 === 0 ? 0 : 1));
  }
}

async function sameCorpus() {
  const folder = `${root}tests/fuzz/corpus/statement/`;
  const options = { ...vectors.accepted[0].options, request: null, maxAge: null, allowRevert: true };
  const files = fs.readdirSync(folder).sort();
  for (const [seed, file] of files.entries())
    await test(`program: the JavaScript verifier says the same of ${file} and what is near it`, () => {
      const text = fs.readFileSync(folder + file, "utf8");
      for (const one of [text, ...near(text, seed)]) {
        const [here, there] = [verdict(options, one), verdictOfScript(options, one)];
        assert.equal(here === "holds", there === "holds", `${here}, ${there}: ${one}`);
      }
      assert.equal(verdict(options, text), verdictOfScript(options, text));
    });
}

async function commandLine() {
  const [{ statement, options, text }] = [vectors.accepted[0]];
  const args = argumentsOf(options);
  const body = text ?? JSON.stringify(statement);
  await test("program: a public key stands for its address", () =>
    assert.equal(verdict({ ...options, signer: vectors.publicKey }, body), "holds"));
  await test("program: a file that cannot be read is exit status 3", () =>
    assert.equal(spawnSync(program, ["verify", "--statement", "/nonexistent", ...args]).status, EXIT.unreached));
  await test("program: a node that is not there is exit status 3", () =>
    assert.equal(spawnSync(program, ["verify", "--statement", "http://127.0.0.1:9/", ...args]).status, EXIT.unreached));
  await test("program: options of an attestation, and words too many, are wrong usage", () => {
    for (const more of [["--policy", "x"], ["--nonce", "00".repeat(32)], ["x"], ["--block", "x"]])
      assert.equal(kettle([...args, ...more], body).status, EXIT.usage);
  });
  await test("program: no escape sequence of a foreign text reaches the terminal", () => {
    for (const foreign of ['{"\u001b[2Jok all holds":1}', '{"a\\u001b[2J\\nall holds":1}'])
      assert.doesNotMatch(kettle(args, foreign).stdout, /\u001b|\nall holds/);
  });
}

export async function programs() {
  await accepted();
  await refused();
  await sameCorpus();
  await commandLine();
}
