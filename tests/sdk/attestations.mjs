// The JavaScript verifier of attestations: on the recorded quotes of tdx/cases.json, whose verdicts the C verifier passes (`build/vectors … tdx`),
// and beside `kettle verify` on one genuine quote, altered in every part.
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { CODES } from "../../sdk/js/kettle-verify.mjs";
import { root, test } from "./harness.mjs";
import { program } from "./program.mjs";

const VECTORS = process.env.KETTLE_VECTORS ?? path.resolve(root, "../shared/vectors");
const SHIPPED = `${root}sdk/js/kettle-verify.mjs`;
const INNER =
  "Place appraise base64 canonical checkPolicy checkQuote crlDer gradeTcb parseQuote parseStrictly readCollateral readPolicy INTEL_ROOT";

/** The shipped file with what it does not export. */
async function internals(folder) {
  const file = path.join(folder, "internals.mjs");
  fs.writeFileSync(file, `${fs.readFileSync(SHIPPED, "utf8")}\nexport { ${INNER.split(" ").join(", ")} };\n`);
  return await import(file);
}

/** "holds", or the code of the refusal. */
function verdictOf(run) {
  try {
    run();
    return "holds";
  } catch (error) {
    if (error.name === "KettleError") return error.code;
    throw error;
  }
}

// ---- recorded quotes

const hex = (bytes) => Buffer.from(bytes).toString("hex");

/** The inner object of a PCS answer, byte for byte, and its signature. */
function split(text, member) {
  const start = text.indexOf(`{"${member}":`) + member.length + 4;
  const end = text.lastIndexOf(',"signature":"');
  return { inner: text.slice(start, end), signature: JSON.parse(text).signature };
}

/** A collateral set as a flattened container, one byte of one file changed where the case says so. */
function container(set, change) {
  const file = (name) => {
    const at = path.join(VECTORS, "tdx/collateral", set, name);
    if (!fs.existsSync(at)) return undefined;
    const bytes = fs.readFileSync(at);
    if (change?.file === name) bytes[change.offset] ^= change.value;
    return bytes;
  };
  const text = (name) => file(name)?.toString("latin1");
  const info = split(text("tcb_info.json"), "tcbInfo");
  const identity = split(text("qe_identity.json"), "enclaveIdentity");
  return {
    tcb_info: info.inner,
    tcb_info_signature: info.signature,
    tcb_info_issuer_chain: text("tcb_signing_chain.pem"),
    qe_identity: identity.inner,
    qe_identity_signature: identity.signature,
    qe_identity_issuer_chain: text("qe_identity_signing_chain.pem"),
    root_ca_crl: hex(file("root_ca_crl.der")),
    pck_crl: hex(file("pck_crl.der")),
    pck_crl_issuer_chain: text("pck_crl_issuer_chain.pem"),
  };
}

function quoteOf({ quote, xor = [], truncate_to: cut }) {
  const bytes = new Uint8Array(fs.readFileSync(path.join(VECTORS, `tdx/quotes/${quote}.bin`)));
  for (const [at, value] of xor) bytes[at] ^= value;
  return cut === undefined ? bytes : bytes.subarray(0, cut);
}

const shapeOf = (name) => JSON.parse(fs.readFileSync(path.join(VECTORS, `tdx/quotes/${name}.json`), "utf8"));

function check(js, one, bytes) {
  const set = js.Place.open(JSON.stringify(container(one.collateral, one.collateral_xor)), "E_COLLATERAL");
  return js.checkQuote(bytes, js.readCollateral(set), js.INTEL_ROOT, one.at);
}

function positive(js, one) {
  const bytes = quoteOf(one);
  const { version, trailing } = shapeOf(one.quote);
  const verdict = verdictOf(() => check(js, one, bytes));
  if (version === 3) return assert.equal(verdict, "E_VERSION"); // of an SGX enclave: no node shows such a one
  const whole = verdict === "E_TRAILING" ? bytes.subarray(0, bytes.length - trailing) : bytes;
  if (one.result) return assert.equal(verdictOf(() => check(js, one, whole)), "E_TCB_UNSUPPORTED");
  const { grade, quote } = check(js, one, whole);
  const said = [grade.platform, grade.module, grade.qe, grade.status, grade.advisories, (quote.td.tdAttributes[0] & 1) === 1];
  const { platform_status, tdx_module_status, qe_status, tcb_status, advisory_ids, debug_td } = one;
  return assert.deepEqual(said, [platform_status, tdx_module_status ?? undefined, qe_status, tcb_status, advisory_ids, debug_td ?? false]);
}

async function recorded(js) {
  const cases = JSON.parse(fs.readFileSync(path.join(VECTORS, "tdx/cases.json"), "utf8"));
  for (const one of cases.positive) await test(`js: quote ${one.case}`, () => positive(js, one));
  const codes = new Set();
  for (const one of cases.negative)
    await test(`js: refused: quote ${one.case}`, () => {
      const verdict = verdictOf(() => check(js, one, quoteOf(one)));
      assert.ok(verdict.startsWith("E_"), verdict);
      codes.add(verdict);
    });
  console.log(`js: ${cases.positive.length} recorded quotes, ${cases.negative.length} spoilt ones refused by ${codes.size} codes`);
}

// ---- beside the program

const SEED = "gcp-seed-v4-00806f05"; // the one genuine quote whose key is known
const SEED_KEY = "02f3bf0aaa9dd53d07ef32facc6b068421b4a7dc25e4ba3d399c5e1109c39dc45e";
const AT = { body: 48, mrtd: 136, rtmr0: 328, rtmr1: 376, rtmr2: 424, rtmr3: 472, reportData: 520 };

/** What the program finds first: "holds", or the code of the step that failed. */
export function verdictOfProgram(args) {
  const run = spawnSync(program, ["verify", "--json", ...args], { encoding: "utf8" });
  if (run.status === 2) return "bad-option";
  const { holds, steps } = JSON.parse(run.stdout);
  assert.equal(run.status, holds ? 0 : 1, run.stdout);
  return holds ? "holds" : steps.find(({ ok }) => !ok).code;
}

/** In a spoilt certificate GnuTLS and ours may stumble over different things: both refuse. */
const OF_CERTIFICATES = ["E_CERT", "E_CERTKEY", "E_CHAINNAME", "E_CHAINORDER", "E_CHAINSIG", "E_CHAINUSAGE", "E_ROOT", "E_SGXEXT"];
const alike = (one, other) => one === other || [one, other].every((code) => OF_CERTIFICATES.includes(code));

/** Texts that differ from one in a character, spread over it; always the same ones. */
function* near(text, seed, count) {
  for (let i = 0; i < count; i++) {
    const at = Math.floor((text.length * (i + 0.5)) / count + seed) % text.length;
    const put = '0"a{,:}\\ A9.e-1f'[(seed + i) % 16];
    yield text.slice(0, at) + put + text.slice(at + (i % 3 === 0 ? 0 : 1));
  }
}

/** An object's text with each of its members, at any depth, in turn: left out, null, a word, twice as long or too large, with one more beside it. */
function* withOthers(text) {
  const whole = JSON.parse(text);
  const paths = (value, path) =>
    value && typeof value === "object" ? Object.keys(value).flatMap((name) => [[...path, name], ...paths(value[name], [...path, name])]) : [];
  const more = (value) => (Array.isArray(value) ? [...value, ...value] : typeof value === "string" ? value + value : 2 ** 53);
  const changes = [
    (o, name) => (Array.isArray(o) ? o.splice(name, 1) : delete o[name]),
    (o, name) => (o[name] = null),
    (o, name) => (o[name] = "program"),
    (o, name) => (o[name] = more(o[name])),
    (o) => (Array.isArray(o) ? o.push("more") : (o.more = 1)),
  ];
  for (const path of paths(whole, []))
    for (const change of changes) {
      const copy = structuredClone(whole);
      change(path.slice(0, -1).reduce((o, name) => o[name], copy), path.at(-1));
      yield JSON.stringify(copy);
    }
}

function policyOf(quote, more) {
  const register = (at) => hex(quote.subarray(AT.body + at, AT.body + at + 48));
  const image = { name: "seed", mrtd: register(AT.mrtd), rtmr0: register(AT.rtmr0), rtmr1: register(AT.rtmr1), rtmr2: register(AT.rtmr2) };
  const accept = ["UpToDate", "SWHardeningNeeded", "ConfigurationNeeded", "OutOfDate", "OutOfDateConfigurationNeeded"];
  const images = [{ ...image, rtmr3: { mode: "exact", value: register(AT.rtmr3) } }];
  return { version: 1, mode: "list", images, tcb: { accept }, ...more };
}

/** One quote with its collateral and policy, judged by both: the program by the prototype's form of an attestation. */
class Pair {
  constructor(js, folder, one) {
    Object.assign(this, { js, folder, at: one.at, quote: quoteOf(one), count: 0 });
    this.collateral = JSON.stringify(container(one.collateral));
    this.policy = JSON.stringify(policyOf(this.quote));
  }

  #file(name, content) {
    const file = path.join(this.folder, name);
    fs.writeFileSync(file, content);
    return file;
  }

  #ofProgram({ quote, collateral, policy, at }) {
    const body = this.#file("attestation", JSON.stringify(JSON.stringify({ quote: hex(quote), pubkey: SEED_KEY })));
    const args = ["--network", "any", "--at", String(at), "--collateral", this.#file("collateral", collateral)];
    return verdictOfProgram(["--policy", this.#file("policy", policy), ...args, body]);
  }

  #ofScript({ quote, collateral, policy, at }) {
    return verdictOf(() => {
      const rules = this.js.readPolicy(policy);
      const { td } = this.js.parseQuote(quote);
      const bound = this.quote.subarray(AT.body + AT.reportData, AT.body + AT.reportData + 64);
      if (hex(td.reportData) !== hex(bound)) throw Object.assign(new Error(), { name: "KettleError", code: "E_REPORTDATA" });
      const set = this.js.Place.open(collateral, "E_COLLATERAL", { bytesMax: 4 << 20 });
      this.js.appraise({ type: rules.simulatorRoot ? 0xf0 : 1, quote }, set, rules, at, () => {});
    });
  }

  /** Both say the same of the pair with these parts in place of its own. */
  same(parts, what) {
    const all = { quote: this.quote, collateral: this.collateral, policy: this.policy, at: this.at, ...parts };
    const [there, here] = [this.#ofProgram(all), this.#ofScript(all)];
    this.count++;
    assert.ok(alike(here, there), `${what}: JavaScript ${here}, the program ${there}`);
    return here;
  }

  /** The same of a policy; but the script refuses whole what names an image and lists no registers (docs/policy.md). */
  sameOfPolicy(policy, what) {
    if (!policy.includes('"dstack_image"')) return this.same({ policy }, what);
    const here = this.#ofScript({ quote: this.quote, collateral: this.collateral, policy, at: this.at });
    assert.equal(here, "E_POLICY", what);
    return here;
  }
}

async function besideTheProgram(js, folder) {
  const cases = JSON.parse(fs.readFileSync(path.join(VECTORS, "tdx/cases.json"), "utf8"));
  const pair = new Pair(js, folder, cases.positive.find(({ quote, result }) => quote === SEED && !result));
  const found = new Set();
  await test("js, program: a genuine quote with its collateral is admitted by both", () => assert.equal(pair.same({}, "as it is"), "holds"));
  await test("js, program: the same of every part of the quote, and of each length", () => {
    for (let at = 0; at < pair.quote.length; at += 1 + (at % 113)) {
      const quote = pair.quote.slice();
      quote[at] ^= 1 << (at % 8);
      found.add(pair.same({ quote }, `byte ${at}`));
      if (at % 5 === 4) found.add(pair.same({ quote: pair.quote.subarray(0, at) }, `${at} bytes`));
    }
  });
  await test("js, program: the same of every member of the collateral, altered, cut, dropped or of another type", () => {
    const whole = JSON.parse(pair.collateral);
    for (const [seed, name] of Object.keys(whole).entries()) {
      const others = [undefined, null, 1, "", "00", {}, whole[name].toUpperCase(), `${whole[name]}\n`, ...near(whole[name], seed, 4)];
      for (const value of others) found.add(pair.same({ collateral: JSON.stringify({ ...whole, [name]: value }) }, `${name}: ${value}`));
    }
    for (const collateral of near(pair.collateral, 3, 40)) found.add(pair.same({ collateral }, collateral.slice(0, 80)));
  });
  await test("js, program: the same at each edge of time", () => {
    const day = 86400;
    for (const at of [1, pair.at - 400 * day, pair.at - day, pair.at + day, pair.at + 40 * day, pair.at + 4000 * day, 2500000000])
      found.add(pair.same({ at }, `at ${at}`));
  });
  await test("js, program: the same of every policy", () => {
    const own = policyOf(pair.quote);
    const flip = (text) => (text[0] === "0" ? "1" : "0") + text.slice(1);
    const image = own.images[0];
    const changed = [
      ...["mrtd", "rtmr0", "rtmr1", "rtmr2"].flatMap((r) =>
        [flip(image[r]), [flip(image[r]), image[r]]].map((value) => ({ images: [{ ...image, [r]: value }] })),
      ),
      { images: [] },
      { images: [{ ...image, rtmr3: undefined }] },
      { images: [{ ...image, rtmr3: { mode: "events", require: { "compose-hash": ["00"] } } }] },
      { images: [{ ...image, mrtd: flip(image.mrtd) }, image] },
      { tcb: { accept: ["UpToDate"] } },
      { tcb: {} },
      { tcb: { accept: [] } },
      { tcb: { accept: ["Revoked"] } },
      { tcb: { ...own.tcb, min_eval: 1000 } },
      { tcb: { ...own.tcb, max_age_s: 1 } },
      { tcb: { ...own.tcb, max_age_s: 0 } },
      { tcb: { ...own.tcb, deny_advisories: ["INTEL-SA-00960", "INTEL-SA-01036"] } },
      { tcb: { ...own.tcb, deny_advisories: ["INTEL-SA-960"] } },
      { tcb: { ...own.tcb, deny_advisories: ["INTEL-SA-00960", "intel-sa-00960"] } },
      { min_platforms: 2, rotate_after_s: 3600 },
      { min_platforms: 0 },
      { rotate_after_s: 60 },
      { tcb: { accept: ["UpToDate"], min_tcb_date: "2020-01-01T00:00:00Z" } },
      { tcb: { accept: ["UpToDate"], min_tcb_date: "2030-01-01T00:00:00Z" } },
      { td: { attributes_zero_mask: "ffffffffffffffff" } },
      { td: { xfam: "0000000000000000" } },
      { td: { mrowner: "00".repeat(48), mrownerconfig: ["00".repeat(48)], mrconfigid: "00".repeat(48) } },
      { td: { mrconfigid: "11".repeat(48) } },
      { td: { sept_ve_disable: false, mrservicetd_zero: false } },
      { platforms: ["00".repeat(32)] },
      { mode: "same-as-self" },
      { mode: "same-as-self", images: undefined },
      { chain_id: 1 },
      { chain_id: 0 },
      { version: 2 },
      { unknown: true },
      { simulator_root: "00" },
    ];
    for (const more of changed) found.add(pair.same({ policy: JSON.stringify({ ...own, ...more }) }, JSON.stringify(more).slice(0, 120)));
    const corpus = `${root}tests/fuzz/corpus/policy/`;
    for (const [seed, file] of fs.readdirSync(corpus).sort().entries()) {
      const text = fs.readFileSync(corpus + file, "utf8");
      for (const policy of [text, ...near(text, seed, 5)]) found.add(pair.sameOfPolicy(policy, policy.slice(0, 160)));
    }
    for (const policy of near(pair.policy, 1, 30)) found.add(pair.same({ policy }, policy));
  });
  console.log(`js, program: ${pair.count} times the same, by ${found.size} codes`);
}

/** The fuzzer's corpora of attestations and setup statements, and what is near them, as whole attestations. */
async function corpora(js, folder) {
  const { verifyAttestation } = await import("../../sdk/js/kettle-verify.mjs");
  const read = (file) => fs.readFileSync(`${root}tests/fuzz/corpus/${file}`, "utf8");
  const corpus = (name) => fs.readdirSync(`${root}tests/fuzz/corpus/${name}`).sort().map((file) => [file, read(`${name}/${file}`)]);
  const policy = `${root}tests/fuzz/corpus/policy/full.json`;
  const nonce = `0x${"05".repeat(32)}`;
  const [file, bytes] = [path.join(folder, "attestation.json"), fs.readFileSync(policy, "utf8")];
  let count = 0;
  const same = (text) => {
    fs.writeFileSync(file, text);
    const there = verdictOfProgram(["--policy", policy, "--nonce", nonce, "--network", "any", "--at", "1800000000", file]);
    const here = verdictOf(() => verifyAttestation(text, { policy: bytes, nonce, network: "any", now: 1800000000 }));
    count++;
    assert.equal(here, there, text);
    return here;
  };
  for (const [seed, [name, text]] of corpus("attestation").entries())
    if (name !== "prototype") // which is none for JavaScript
      await test(`js, program: the same of the attestation ${name} and what is near it`, () => [text, ...near(text, seed, 40)].forEach(same));
  const full = Object.fromEntries(corpus("attestation")).full;
  await test("js, program: a nonce of zeros, which an attestation without a nonce is over, is wrong usage of both", () => {
    const { full: text } = Object.fromEntries(corpus("attestation"));
    for (const [last, want] of [["00", "bad-option"], ["01", "E_NONCE"]]) {
      const zeros = `0x${"00".repeat(31)}${last}`;
      fs.writeFileSync(file, text);
      const said = [
        verdictOfProgram(["--policy", policy, "--nonce", zeros, "--network", "any", "--at", "1800000000", file]),
        verdictOf(() => verifyAttestation(text, { policy: bytes, nonce: zeros, network: "any", now: 1800000000 })),
      ];
      assert.deepEqual(said, [want, want]);
    }
  });
  await test("js: an option that is undefined is refused", () => {
    for (const name of "policy nonce network chainId checkpoint setup development collateral key now onStep".split(" ")) {
      const options = { policy: bytes, nonce, network: "any", now: 1800000000, [name]: undefined };
      assert.throws(() => verifyAttestation(full, options), (e) => e.code === "bad-option" && e.field === name, name);
    }
  });
  await test("js, program: the same of an attestation with space around it, and of what is no space in JSON", () => {
    const { full: text } = Object.fromEntries(corpus("attestation"));
    for (const space of [" ", "\t", "\n", "\r", "\v", "\f", "\u00a0", "\ufeff"]) for (const one of [space + text, text + space]) same(one);
  });
  const order = `0x${"11".repeat(32)}`;
  const cluster = { generation: { version: 1, index: 0, order }, order_version: 1, platforms: 3 };
  const parsed = JSON.parse(corpus("attestation").find(([name]) => name === "full")[1]);
  await test("js, program: the same of what the node says of its cluster, though nothing vouches for it", () => {
    const said = JSON.stringify({ cluster });
    assert.notEqual(same(JSON.stringify({ ...parsed, unbound: { cluster } })), "E_ATTESTATION");
    for (const one of withOthers(said)) same(JSON.stringify({ ...parsed, unbound: JSON.parse(one) }));
  });
  for (const [seed, [name, text]] of corpus("setup_statement").entries()) {
    const member = `${name.split(".")[0]}_statement`;
    const around = (statement) => `{"${member}":${statement},${JSON.stringify({ ...JSON.parse(full), [member]: undefined }).slice(1)}`;
    await test(`js, program: the statement ${name} is read by both`, () => assert.notEqual(same(around(text)), "E_ATTESTATION"));
    await test(`js, program: the same of the statement ${name} and what is near it`, () => {
      for (const one of [...near(text, seed, 40), ...withOthers(text)]) same(around(one));
    });
  }
  console.log(`js, program: ${count} attestations, each judged alike`);
}

/** A platform with one level and a module with three; the TD began under one of them and runs under another. */
async function twoTcbs(js) {
  const zeros = (n) => new Uint8Array(n);
  const svns = (...first) => Uint8Array.from({ length: 16 }, (_, i) => first[i] ?? 0);
  const level = (status, more) => ({ status, date: 1000, advisories: [], ...more });
  const levels = [level("UpToDate", { sgx: zeros(16), tdx: zeros(16), pceSvn: 0 })];
  const parts = [level("UpToDate", { isvSvn: 8 }), level("OutOfDate", { isvSvn: 5 }), level("Revoked", { isvSvn: 2 })];
  const module = { mrSigner: zeros(48), attributes: zeros(8), mask: zeros(8), levels: parts };
  const info = { base: module, modules: new Map([[1, module]]), levels };
  const td = { mrSignerSeam: zeros(48), seamAttributes: zeros(8), tdAttributes: Uint8Array.of(0, 0, 0, 0x10, 0, 0, 0, 0) };
  for (const name of ["mrTd", "rtmr0", "rtmr1", "rtmr2", "rtmr3"]) td[name] = zeros(48);
  const image = Object.fromEntries(["mrtd", "rtmr0", "rtmr1", "rtmr2"].map((name) => [name, "00".repeat(48)]));
  const accept = ["UpToDate", "OutOfDate", "TDRelaunchAdvised"];
  const policy = js.readPolicy(JSON.stringify({ version: 1, mode: "list", images: [{ name: "one", ...image }], tcb: { accept } }));
  const verdict = (launch, current) =>
    verdictOf(() => {
      const quote = { bodyType: 3, td: { ...td, tcbSvn: svns(launch, 1), tcbSvn2: svns(current, 1) } };
      const grade = js.gradeTcb(info, level("UpToDate", {}), { components: zeros(16), pceSvn: 0 }, quote);
      js.checkPolicy(policy, { quote, grade, evaluation: 17, issued: 1000 }, undefined, 1000);
    });
  await test("js: a TCB that runs now and is revoked is not accepted, whatever it was at launch", () => {
    for (const launch of [8, 5, 2])
      for (const current of [8, 5, 2])
        assert.equal(verdict(launch, current), launch === 2 || current === 2 ? "E_TCB_STATUS" : "holds", `${launch}, then ${current}`);
  });
}

async function codes() {
  await test("js: the codes of attestations are the program's, with its sentences", () => {
    const rows = [...fs.readFileSync(`${root}tee/fault.def`, "utf8").matchAll(/FAULT\(\d+, (E_\w+), \w+, "([^"]*)"\)/g)];
    const faults = Object.fromEntries(rows.map(([, name, text]) => [name, text]));
    const verify = ["setup", "attestation"].map((part) => fs.readFileSync(`${root}node/cli/verify_${part}.c`, "utf8")).join("");
    for (const [code, text] of Object.entries(CODES))
      if (code.startsWith("E_")) assert.ok(faults[code] === text || verify.includes(`"${code}"`), code);
    const used = new Set(fs.readFileSync(SHIPPED, "utf8").match(/(?<=["`$}])E_[A-Z0-9_]+(?=["`])/g));
    for (const code of used) assert.ok(CODES[code], code);
  });
}

export async function attestations() {
  await codes();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "kettle-sdk-"));
  const vectors = fs.existsSync(path.join(VECTORS, "tdx/cases.json"));
  const built = fs.existsSync(program);
  try {
    const js = await internals(folder);
    await twoTcbs(js);
    if (vectors) await recorded(js);
    else console.log(`skipped: recorded quotes: no ${VECTORS}`);
    if (vectors && built) await besideTheProgram(js, folder);
    if (built) await corpora(js, folder);
    else console.log(`skipped: ${program} is not built`);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}
