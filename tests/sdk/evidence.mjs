// kettle-evidence.mjs: files of every type of statement about made-up chains, and what is made of them by removing, altering and adding, against
// what `kettle verify --evidence` said of each (evidence-codes.json), and says now where it is built; one about mainnet; the shipped file itself.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { encodeRlp } from "ethers";
import { EVIDENCE_CODES, verifyEvidence } from "../../sdk/js/kettle-evidence.mjs";
import { KettleError, statementDigest as idOf } from "../../sdk/js/kettle-verify.mjs";
import { alterations, FOREIGN_FIELDS } from "./evidence-alterations.mjs";
import { cases, isKept } from "./evidence-cases.mjs";
import { areThere, mainnetFile, names } from "./evidence-mainnet.mjs";
import { answerOf, canonical, clusterOf, hashOfSetup, KEY, ZERO } from "./evidence-world.mjs";
import { blocksOf, runBlock } from "../docs/blocks.mjs";
import { root, test, vectors } from "./harness.mjs";
import { judgedByProgram, program } from "./program.mjs";

const MAINNET = `${root}tests/data/evidence/mainnet-block.json`;
const CHECKPOINT = "0x9bcb90ec3a294591b77dd2a58e973578715cdc0e6eeeb286bc06dd120057f18b";
const SIZE_LIMIT = 224 * 1024;
const LEAST = 200; // alterations
const LONGEST_MS = 20000; // of one verification, on a machine that does other things
const NEEDS_EVM = "execution needs-evm";

const refusal = (code) => (error) => error instanceof KettleError && error.code === code;

const seen = new Set();

/** What is said of a file: "holds", or step and code. */
function verdict(text, options) {
  const began = Date.now();
  try {
    const { executed } = verifyEvidence(text, options);
    return executed ? "holds" : "unchecked";
  } catch (error) {
    if (!(error instanceof KettleError)) throw error;
    assert.equal(EVIDENCE_CODES[error.code]?.step, error.step, `${error.code}, ${error.step}`);
    seen.add(error.code);
    return `${error.step} ${error.code}`;
  } finally {
    assert.ok(Date.now() - began < LONGEST_MS);
  }
}

/**
 * What this verifier has to say where the program says `said`. Of a call it does not know what is read: what lacks is not seen, and a node is
 * known as spare only when nothing in the file leads to it. It holds nowhere.
 */
function wanted(said, type) {
  if (type !== "CallStatement") return [said];
  const spare = ["state unused-node", "state unused-code", NEEDS_EVM];
  if (said === "holds") return [NEEDS_EVM];
  if (said === "statement signed-lie" || said === "statement false-statement") return [said, NEEDS_EVM];
  return /^state (missing|unused)|^execution|^headers unused-header/.test(said) ? [said, ...spare] : [said];
}

/** Each file, and each that is made of it: as the program said, and says. */
async function everyFile(codes) {
  const live = fs.existsSync(program);
  let count = 0;
  if (!live) console.log(`evidence: ${program} is not built: compared with what it said when evidence-codes.json was made`);
  for (const [name, { file, checkpoint, network }] of Object.entries(cases())) {
    const { type, message } = file.answer.statement ?? file.answer;
    const judged = live ? judgedByProgram(network, checkpoint) : undefined;
    const options = { checkpoint, network };
    const same = (what, text) => {
      const said = codes[name]?.[what] ?? (process.env.EVERY_ALTERATION !== undefined && judged ? judged(text) : undefined);
      assert.ok(said, `evidence-codes.json has no ${name}, ${what}: node tests/sdk/make-evidence.mjs codes`);
      if (judged) assert.equal(judged(text), said, `${what}: the program says something else than when evidence-codes.json was made`);
      const here = verdict(text, options);
      assert.ok(wanted(said, type).includes(here), `${what}: ${here}, not ${said}`);
      assert.notEqual(here, "unchecked");
      if (type === "CallStatement") assert.notEqual(verdict(text, { ...options, execution: "unchecked" }), "holds");
    };
    await test(`evidence: ${name}`, () => {
      const text = JSON.stringify(file);
      same("", text);
      assert.equal(codes[name][""], "holds");
      const found = verifyEvidence(text, { ...options, execution: "unchecked", key: KEY.compressedPublicKey });
      assert.deepEqual([found.type, found.message, found.digest, found.executed], [type, message, file.id, type !== "CallStatement"]);
      assert.deepEqual(found.result, file.answer.result);
      assert.equal(verdict(JSON.stringify(file, null, 2), options), type === "CallStatement" ? NEEDS_EVM : "holds");
    });
    for (const [what, alter] of alterations(file)) {
      if (!isKept(name, what)) continue;
      count++;
      await test(`evidence: ${name}: ${what}`, () => same(what, JSON.stringify(alter())));
    }
    judged?.end();
  }
  console.log(`evidence: ${count} alterations, each refused or passed as the program does${live ? ", which was asked again" : ""}`);
  await test("evidence: not fewer alterations than there should be", () => assert.ok(count >= LEAST, String(count)));
}

/** Every code was given by something above, but the one that only an EVM can give. */
async function everyCode() {
  await test("evidence: every code was seen", () =>
    assert.deepEqual(Object.keys(EVIDENCE_CODES).filter((code) => !seen.has(code)), ["missing-code"]));
}

async function ofMainnet() {
  const text = fs.readFileSync(MAINNET, "utf8");
  const options = { checkpoint: CHECKPOINT };
  await test("evidence: a block of mainnet, by mainnet's committee of 512", () => {
    const { message, executed, signer } = verifyEvidence(text, options);
    assert.deepEqual([message.at.number, message.at.finality, message.at.signers, executed], ["24784163", 2, 511, true]);
    assert.equal(verdict(text, { ...options, network: "mainnet", signer }), "holds");
  });
  await test("evidence: another checkpoint, network, signer, setup or time is refused", () => {
    assert.equal(verdict(text, { checkpoint: ZERO }), "consensus bad-bootstrap");
    for (const network of ["sepolia", "hoodi"]) assert.equal(verdict(text, { ...options, network }), "file wrong-network");
    const own = verifyEvidence(text, options).signer;
    const other = `0x${"99".repeat(20)}`;
    assert.equal(verdict(text, { ...options, signer: other }), "signature wrong-signer");
    assert.equal(verdict(text, { ...options, signers: [other, own.toUpperCase().replace("X", "x")] }), "holds");
    assert.equal(verdict(text, { ...options, key: vectors.publicKey }), "signature wrong-signer");
    assert.equal(verdict(text, { ...options, keys: [vectors.publicKey, KEY.compressedPublicKey] }), "holds");
    assert.equal(verdict(text, { ...options, setup: ZERO }), "file wrong-setup");
    assert.equal(verdict(text, { ...options, setup: JSON.parse(text).answer.message.setup }), "holds");
    assert.equal(verdict(text, { ...options, now: 1775040251 }), "head bad-head"); // it was signed in the slot after this
    assert.equal(verdict(text, { ...options, now: 1775040263 }), "holds");
  });
  await test("evidence: a chain id that setup and statement agree on, and the network does not have, is refused", () => {
    const file = JSON.parse(text);
    const of = (chainId) => {
      file.setup.chain_id = chainId;
      const answer = answerOf("BlockStatement", { ...file.answer.message, setup: hashOfSetup(file.setup) }, undefined, chainId);
      return JSON.stringify({ ...file, answer, id: idOf(answer) });
    };
    const judged = fs.existsSync(program) ? judgedByProgram("mainnet", CHECKPOINT) : undefined;
    for (const [chainId, said] of [[1, "holds"], [7, "file wrong-network"]]) {
      assert.equal(verdict(of(chainId), options), said);
      if (judged) assert.equal(judged(of(chainId)), said);
    }
    judged?.end();
  });
  await test("evidence: a checkpoint that is too old for the head is refused", () => {
    const file = JSON.parse(text);
    const aged = (seconds) => {
      file.setup.checkpoint.age_max_s = seconds;
      const message = { ...file.answer.message, setup: hashOfSetup(file.setup) };
      const answer = answerOf("BlockStatement", message, undefined, 1);
      return JSON.stringify({ ...file, answer, id: idOf(answer) });
    };
    assert.equal(verdict(aged(1967), options), "consensus old-checkpoint"); // 164 slots lie between them
    assert.equal(verdict(aged(1968), options), "holds");
  });
}

/** Rows of mainnet's own updates, through its forks. */
async function recorded() {
  if (!areThere) console.log("evidence: skipped: mainnet's recorded updates are not there");
  if (!areThere) return;
  for (const name of names)
    await test(`evidence: mainnet: ${name}`, () => {
      const { file, checkpoint } = mainnetFile(name);
      const text = JSON.stringify(file);
      assert.equal(verdict(text, { checkpoint }), "holds");
      if (fs.existsSync(program)) {
        const judged = judgedByProgram("mainnet", checkpoint);
        assert.equal(judged(text), "holds");
        judged.end();
      }
      file.consensus.updates.pop();
      const [without, shorter] = [JSON.stringify(file), names.indexOf(name) > 0];
      assert.equal(verdict(without, { checkpoint }), shorter ? "consensus missing-update" : "holds");
    });
}

/** The networks' tables are those of the program: their hashes at each time at which something changed. */
async function networks() {
  const known = JSON.parse(fs.readFileSync(`${root}sdk/networks.json`, "utf8"));
  const file = JSON.parse(fs.readFileSync(MAINNET, "utf8"));
  const of = (name, { chain_id: chainId, genesis_validators_root }, digest, from) => {
    const setup = JSON.parse(canonical(clusterOf(chainId, { digest, forks_until: from, genesis_validators_root, name }, CHECKPOINT)));
    const answer = answerOf("BlockStatement", { ...file.answer.message, setup: hashOfSetup(setup) }, undefined, chainId);
    return JSON.stringify({ ...file, id: idOf(answer), setup, answer, consensus: { ...file.consensus, bootstrap: null } });
  };
  for (const [name, network] of Object.entries(known))
    await test(`evidence: ${name} is the program's ${name} at each of its times`, () => {
      assert.ok(network.digests.length > 3);
      for (const [i, { from, digest }] of network.digests.entries()) {
        assert.equal(verdict(of(name, network, digest, from), { checkpoint: CHECKPOINT, network: name }), "consensus no-bootstrap");
        assert.equal(verdict(of(name, network, ZERO, from), { checkpoint: CHECKPOINT, network: name }), "file wrong-network");
        if (i + 1 === network.digests.length) continue; // the oldest: nothing was other before
        assert.equal(verdict(of(name, network, digest, from - 1), { checkpoint: CHECKPOINT, network: name }), "file wrong-network");
      }
    });
}

async function options() {
  const text = fs.readFileSync(MAINNET, "utf8");
  const bad = [
    undefined, null, {}, { checkpoint: "0x00" }, { checkpoint: CHECKPOINT, network: "elsewhere" }, { checkpoint: CHECKPOINT, network: {} },
    { checkpoint: CHECKPOINT, network: 7 }, { checkpoint: CHECKPOINT, signers: [] }, { checkpoint: CHECKPOINT, keys: [] }, { checkpoint: CHECKPOINT, key: "0x00" },
    { checkpoint: CHECKPOINT, execution: "skip" }, { checkpoint: CHECKPOINT, more: 1 }, { checkpoint: CHECKPOINT, now: -1 },
    { checkpoint: CHECKPOINT, setup: "0x00" }, { checkpoint: CHECKPOINT, keys: CHECKPOINT },
    { checkpoint: CHECKPOINT, keys: null }, { checkpoint: CHECKPOINT, signers: null }, { checkpoint: CHECKPOINT, network: { toJSON: () => undefined } },
  ];
  await test("evidence: what the caller says is read strictly", () => {
    for (const name of ["network", "signer", "signers", "key", "keys", "setup", "execution", "now"]) bad.push({ checkpoint: CHECKPOINT, [name]: undefined });
    for (const one of bad) assert.throws(() => verifyEvidence(text, one), refusal("bad-option"), JSON.stringify(one));
    for (const one of [undefined, null, 7, {}, new Uint8Array(3)]) assert.throws(() => verifyEvidence(one, { checkpoint: CHECKPOINT }), refusal("bad-option"));
  });
  await test("evidence: a number of millions of digits is refused before it is converted", () => {
    const began = process.cpuUsage().user;
    const file = text.replace('"request":null', `"request":${"9".repeat(8e6)}`);
    assert.notEqual(file, text);
    assert.equal(verdict(file, { checkpoint: CHECKPOINT }), "file malformed");
    assert.ok(process.cpuUsage().user - began < 2e6);
  });
  await test("evidence: a block of more transactions than any has is refused", () => {
    const file = JSON.parse(text);
    const list = (hex) => `fa${(hex.length / 2).toString(16).padStart(6, "0")}${hex}`; // of 64 KiB and more
    file.blocks.push(`0x${list(`${encodeRlp(FOREIGN_FIELDS).slice(2)}${list("c0".repeat(200001))}c0`)}`);
    assert.equal(verdict(JSON.stringify(file), { checkpoint: CHECKPOINT }), "headers bad-block");
  });
  const { file, checkpoint, network } = cases()["fulu: block"];
  await test("evidence: a network object that contradicts itself is refused", () => {
    const { config, genesis } = network;
    const wrong = [
      { ...network, name: "mainnet" }, { ...network, preset: "mainnet" }, { config }, { ...network, genesis: {} },
      ...["SLOTS_PER_EPOCH", "SLOT_DURATION_MS", "ALTAIR_FORK_VERSION", "ALTAIR_FORK_EPOCH", "DENEB_FORK_EPOCH", "BLOB_SCHEDULE", "MAX_BLOBS_PER_BLOCK"].map((name) => (
        { ...network, config: { ...config, [name]: "1234567" } })),
      { config: { ...config, SECONDS_PER_SLOT: "0" }, genesis }, { ...network, execution: { forks: { atlantis: 3 } } },
      { ...network, execution: { forks: { prague: 5, osaka: 3 } } }, { ...network, execution: { blobSchedule: { cancun: { target: 7, max: 6, baseFeeUpdateFraction: 1 } } } },
    ];
    for (const one of wrong) assert.throws(() => verifyEvidence(JSON.stringify(file), { checkpoint, network: one }), refusal("bad-option"), JSON.stringify(one));
    for (const one of [network, JSON.stringify(network), { network }, { ...network, execution: { chain_id: 1337 } }])
      assert.equal(verdict(JSON.stringify(file), { checkpoint, network: one }), "holds");
    const elsewhere = { ...network, execution: { chain_id: 1338 } };
    assert.equal(verdict(JSON.stringify(file), { checkpoint, network: elsewhere }), "file wrong-network");
  });
}

/** Whatever stands there: a refusal with a code, at once. */
async function anything() {
  const { file, checkpoint, network } = cases()["gloas: slot"];
  const text = JSON.stringify(file);
  const given = { checkpoint, network };
  await test("evidence: every truncation, and every text near one, is a refusal", () => {
    for (let i = 0; i < 300; i++) {
      const at = (i * 104729) % text.length;
      assert.match(verdict(text.slice(0, at), given), /^file malformed$/);
      const near = text.slice(0, at) + '0"a{,:}\\ A9.e-1f\u0000\ud800'[i % 18] + text.slice(at + (i % 3 === 0 ? 0 : 1));
      if (i % 6 === 0) assert.match(verdict(near, given), /^\w+ [a-z-]+$|^holds$/);
    }
  });
  await test("evidence: what is too long, too deep or too much is refused at once", () => {
    const many = JSON.stringify({ ...file, headers: Array(100001).fill("0x00") });
    const deep = `{"kettle":${"[".repeat(100000)}`;
    for (const one of [" ".repeat((32 << 20) + 1), many, deep, `[${"1,".repeat(400000)}1]`]) assert.equal(verdict(one, given), "file too-long");
    for (const one of ["", "7", "null", "[]", "\ufeff{}", `{"a":1,"a":1}`, '{"__proto__":{}}', "\ud800"]) assert.equal(verdict(one, given), "file malformed");
  });
}

async function shipped() {
  await test("evidence: the lines of docs/evidence.md run", async () => {
    const cwd = fs.mkdtempSync(path.join(os.tmpdir(), "kettle-evidence-"));
    for (const name of ["sdk", "tests"]) fs.symlinkSync(root + name, path.join(cwd, name));
    const env = { ...process.env, PATH: `${path.dirname(process.execPath)}:${process.env.PATH}` };
    const [{ text }] = blocksOf(root, "docs/evidence.md");
    const { code, out } = await runBlock(text, { cwd, env });
    fs.rmSync(cwd, { recursive: true });
    assert.deepEqual([code, out.trim()], [0, "24784163 0xa9f2a53b59b64a891f12cdc1d1112ce29b659cbf9dc4b6def940e288e00ee4ef true"]);
  });
  await test("evidence: the shipped file imports nothing but kettle-verify.mjs, and is not too large", () => {
    const text = fs.readFileSync(`${root}sdk/js/kettle-evidence.mjs`, "utf8");
    assert.deepEqual(text.match(/^import .*$/gm), ['import { addressOfKey, internals, KettleError } from "./kettle-verify.mjs";']);
    assert.doesNotMatch(text, /\brequire\(|\bimport\(|\bfetch\(|\beval\(|new Function/);
    assert.ok(text.length < SIZE_LIMIT, String(text.length));
  });
}

export async function evidence() {
  const codes = JSON.parse(fs.readFileSync(`${root}tests/sdk/evidence-codes.json`, "utf8"));
  await everyFile(codes);
  await ofMainnet();
  await recorded();
  await networks();
  await options();
  await anything();
  await everyCode();
  await shipped();
}
