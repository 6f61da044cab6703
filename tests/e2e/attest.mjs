import assert from "node:assert";
import { execFile } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import * as client from "./lib/client.mjs";
import { until } from "./lib/node.mjs";

export const BODY_AT = 48; // of the TD report in a version 4 quote
const FIELDS = { mrtd: 136, rtmr0: 328, rtmr1: 376, rtmr2: 424, rtmr3: 472 };
const MEASUREMENT_LEN = 48;

// kettle verify --json: {code, holds, steps}.
export function verify(program, args) {
  return new Promise((resolve, reject) => {
    execFile(program, ["verify", "--json", ...args], (error, stdout, stderr) => {
      try {
        resolve({ code: error ? error.code : 0, ...JSON.parse(stdout) });
      } catch {
        reject(new Error(`verify printed no JSON: ${stdout}${stderr}`));
      }
    });
  });
}

// A development policy that admits exactly the TD of this quote, under the simulator's root.
export function policyOf(quote) {
  const field = (at) => quote.subarray(BODY_AT + at, BODY_AT + at + MEASUREMENT_LEN).toString("hex");
  const image = Object.fromEntries(Object.entries(FIELDS).map(([name, at]) => [name, field(at)]));
  const pems = quote.toString("latin1").match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g);
  const root = new crypto.X509Certificate(pems[2]).raw.toString("hex");
  return {
    version: 1,
    mode: "list",
    simulator_root: root,
    images: [
      {
        name: "simulated",
        mrtd: image.mrtd,
        rtmr0: [image.rtmr0],
        rtmr1: image.rtmr1,
        rtmr2: image.rtmr2,
        rtmr3: { mode: "exact", value: image.rtmr3 },
      },
    ],
  };
}

const flipHex = (text) => text.slice(0, -1) + (text.endsWith("0") ? "1" : "0");

async function run(t) {
  const chain = await t.world.chain();
  const node = await t.world.node("attest").begin(chain.setup());
  const pubkey = await client.attest(node);
  const program = path.join(t.world.build, "kettle");
  const dir = path.join(node.dir, "verify");
  fs.mkdirSync(dir, { recursive: true });
  const file = (name, content) => {
    const full = path.join(dir, name);
    fs.writeFileSync(full, typeof content === "string" ? content : JSON.stringify(content));
    return full;
  };

  await until("the node's own quote is verified", 30000, async () => (await node.status()).tee.verified);
  const nonce = crypto.randomBytes(32).toString("hex");
  const answer = await node.get(`/v1/attest?nonce=0x${nonce}&collateral=1`);
  assert.strictEqual(answer.status, 200, answer.text);
  const attestation = JSON.parse(answer.text);
  const policy = policyOf(Buffer.from(attestation.quote.slice(2), "hex"));
  const good = file("policy.json", policy);
  const kept = file("attestation.json", answer.text);
  const blockAnswer = (await node.get("/block")).text;
  const callAnswer = (await node.call({ to: chain.contracts.addresses.token, data: "0x18160ddd" })).text;

  // The steps that fail, as "step: code".
  const failures = ({ steps }) => steps.filter((step) => !step.ok).map(({ step, code }) => `${step}: ${code}`);
  const holds = async (args) => {
    const result = await verify(program, args);
    assert.deepStrictEqual(failures(result), []);
    assert.deepStrictEqual([result.code, result.holds], [0, true]);
    return result;
  };
  const fails = async (args, ...expected) => {
    const result = await verify(program, args);
    assert.deepStrictEqual([result.code, result.holds], [1, false]);
    assert.deepStrictEqual(failures(result), expected);
  };

  await t.test("/v1/attest says what it is", () => {
    assert.deepStrictEqual(
      [attestation.tee, attestation.provider, attestation.pubkey, attestation.nonce, attestation.evidence_type],
      ["simulated", "simulator", "0x" + pubkey, "0x" + nonce, 0xf0],
    );
    assert.strictEqual(attestation.chain_id, Number(chain.summary.chainId ?? attestation.chain_id));
  });
  await t.test("the live node verifies under the right policy", async () => {
    const { steps } = await holds(["--policy", good, "--pubkey", pubkey, node.url]);
    for (const name of ["policy", "nonce", "binding", "key", "quote", "admission", "block"])
      assert(steps.some(({ step }) => step === name), `no step ${name}`);
  });
  await t.test("offline: kept attestation, block and call verify", async () => {
    const answers = ["--block", file("block", blockAnswer), "--call", file("call", callAnswer)];
    await holds(["--policy", good, "--nonce", nonce, ...answers, kept]);
  });
  await t.test("GET /attest verifies as not fresh, with collateral from a file", async () => {
    const collateral = file("collateral.json", attestation.collateral);
    await holds(["--policy", good, "--collateral", collateral, file("prototype", (await node.get("/attest")).text)]);
  });
  const offline = ["--policy", good, "--nonce", nonce];
  await t.test("wrong nonce", () =>
    fails(["--policy", good, "--nonce", flipHex(nonce), kept], "nonce: E_NONCE", "binding: E_REPORTDATA"),
  );
  await t.test("no nonce", () => fails(["--policy", good, kept], "nonce: E_NONCE", "binding: E_REPORTDATA"));
  await t.test("other key than the expected one", () =>
    fails([...offline, "--pubkey", "02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798", kept], "key: E_KEY"),
  );
  await t.test("another key put into the attestation", () => {
    const other = { ...attestation, pubkey: attestation.node_pubkey };
    return fails([...offline, file("other-key.json", other)], "binding: E_REPORTDATA");
  });
  await t.test("another chain put into the attestation", () => {
    const other = { ...attestation, chain_id: attestation.chain_id + 1 };
    return fails([...offline, file("other-chain.json", other)], "binding: E_REPORTDATA");
  });
  await t.test("an edited block answer", async () => {
    const { blocknum, signature } = client.parseTwice(blockAnswer);
    const edited = JSON.stringify(JSON.stringify({ signature, blocknum: String(Number(blocknum) + 1) }));
    await fails([...offline, "--block", file("edited-block", edited), kept], "block: E_SIGNATURE");
  });
  await t.test("an edited call answer", async () => {
    const { response, signature } = client.parseTwice(callAnswer);
    const edited = JSON.stringify(JSON.stringify({ signature, response: { Success: flipHex(response.Success) } }));
    await fails([...offline, "--call", file("edited-call", edited), kept], "call: E_SIGNATURE");
  });
  await t.test("a block answer passed off as a call, and the reverse", async () => {
    const { blocknum, signature } = client.parseTwice(blockAnswer);
    const call = JSON.stringify(JSON.stringify({ signature, response: Number(blocknum) }));
    await fails([...offline, "--call", file("block-as-call", call), kept], "call: E_ANSWER");
    const signed = client.parseTwice(callAnswer);
    const block = JSON.stringify(JSON.stringify({ signature: signed.signature, blocknum: JSON.stringify(signed.response) }));
    await fails([...offline, "--block", file("call-as-block", block), kept], "block: E_ANSWER");
  });
  await t.test("expired collateral", async () => {
    const { verifiable_until: until_s } = (await node.status()).tee;
    const result = await verify(program, [...offline, "--at", String(until_s + 1), kept]);
    assert.strictEqual(result.code, 1);
    assert.match(failures(result).join(), /^quote: E_(TCB|QEID|CRL|CHAIN)_?TIME$/);
  });
  await t.test("a measurement that is not in the policy", async () => {
    for (const name of ["mrtd", "rtmr1", "rtmr2"]) {
      const other = structuredClone(policy);
      other.images[0][name] = flipHex(other.images[0][name]);
      await fails(["--policy", file(`not-${name}.json`, other), "--nonce", nonce, kept], "admission: E_MEASUREMENT");
    }
  });
  await t.test("an empty list of images", () =>
    fails(["--policy", file("empty.json", { ...policy, images: [] }), "--nonce", nonce, kept], "admission: E_MEASUREMENT"),
  );
  await t.test("a simulator's quote under a production policy", () => {
    const { simulator_root: _, ...production } = policy;
    return fails(["--policy", file("production.json", production), "--nonce", nonce, kept], "admission: E_SIMULATED");
  });
  await t.test("a simulator's quote that claims to be real", () =>
    fails([...offline, file("claims.json", { ...attestation, evidence_type: 1 })], "binding: E_REPORTDATA"),
  );
  await t.test("an edited quote", async () => {
    const bytes = Buffer.from(attestation.quote.slice(2), "hex");
    bytes[BODY_AT + FIELDS.mrtd] ^= 1;
    const edited = { ...attestation, quote: "0x" + bytes.toString("hex") };
    await fails([...offline, file("edited-quote.json", edited)], "quote: E_QUOTE_SIG");
  });
  await t.test("edited collateral", async () => {
    const edited = structuredClone(attestation);
    edited.collateral.tcb_info = edited.collateral.tcb_info.replace('"tcbEvaluationDataNumber":', '"tcbEvaluationDataNumber":1');
    await fails([...offline, file("edited-collateral.json", edited)], "quote: E_TCB_SIG");
  });
  await t.test("bad parameters are 400 and named", async () => {
    for (const query of ["nonce=0x12", "nonce=zz", `nonce=${nonce}&nonce=${nonce}`, "nonsense=1"]) {
      const refused = await node.get(`/v1/attest?${query}`);
      assert.strictEqual(refused.status, 400, query);
      assert.match(client.problem(refused).detail, /nonce/);
    }
  });
  await t.test("many fresh quotes at once: each is answered, or turned away with 429", async () => {
    const answers = await Promise.all(
      Array.from({ length: 24 }, () => node.get(`/v1/attest?nonce=${crypto.randomBytes(32).toString("hex")}`)),
    );
    const good = answers.filter(({ status }) => status === 200).length;
    assert(good > 0);
    for (const each of answers) assert([200, 429].includes(each.status), `${each.status}`);
    return `${good} of ${answers.length} answered`;
  });
  await node.stop();
}

export default { title: "kettle verify: a live node, and what must not hold", run };
