import assert from "node:assert";
import { execFile, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { addressOfKey, verifyAttestation } from "../../sdk/js/kettle-verify.mjs";
import * as client from "./lib/client.mjs";
import { until } from "./lib/node.mjs";

export const BODY_AT = 48; // of the TD report in a version 4 quote
const FIELDS = { mrtd: 136, rtmr0: 328, rtmr1: 376, rtmr2: 424, rtmr3: 472 };
const MEASUREMENT_LEN = 48;

// The local chain is nobody's, and its nodes run in development: both are accepted by name only.
const LOCAL = ["--development", "--network", "devnet"];

// kettle verify --json: {code, holds, pubkey, setup, steps}.
export function verify(program, args, accepted = LOCAL) {
  return new Promise((resolve, reject) => {
    execFile(program, ["verify", "--json", ...accepted, ...args], (error, stdout, stderr) => {
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

const REPORT_DATA_AT = BODY_AT + 520;
const reportData = (quote) => quote.slice(2).slice(2 * REPORT_DATA_AT, 2 * REPORT_DATA_AT + 128);

// RFC 8785, for what statements are made of.
function canonical(value) {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  return `{${Object.keys(value).sort().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

// The node behind an address of its own, but for the answers of one route.
async function relay(node, route, answer) {
  const server = http.createServer(async (request, response) => {
    const { status, text } = request.url === route ? answer : await node.get(request.url);
    response.writeHead(status, { "content-type": "application/json" }).end(text);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${server.address().port}`, stop: () => server.closeAllConnections() ?? server.close() };
}

// What a quote of /v1/attest must be over, computed by another program.
function bindingOf({ evidence_type: type, nonce, pubkey, node_pubkey: nodeKey, cluster_statement: cluster, node_statement: node }) {
  const hash = (statement) => crypto.createHash("sha256").update(canonical(statement)).digest();
  const bytes = (text) => Buffer.from(text.slice(2), "hex");
  return crypto
    .createHash("sha512")
    .update("tee-attest-api/2")
    .update(Buffer.from([type, 0, 0, 0]))
    .update(nonce ? bytes(nonce) : Buffer.alloc(32))
    .update(bytes(pubkey))
    .update(bytes(nodeKey))
    .update(hash(cluster))
    .update(hash(node))
    .update(Buffer.alloc(32))
    .digest("hex");
}

// Another value of the same kind: what a forger would put there.
function another(value) {
  if (typeof value === "number") return value + 1;
  if (typeof value === "boolean") return !value;
  if (Array.isArray(value)) return [...value, "another"];
  // The last digit, or of a long text one in its middle: behind the last certificate of a quote stand a line end and a NUL.
  const middle = value.length > 100 ? Math.floor(value.length / 2) : value.length;
  const at = value.slice(0, middle).search(/[0-9a-f](?=[^0-9a-f]*$)/);
  return at < 0 ? value + "x" : value.slice(0, at) + (value[at] === "0" ? "1" : "0") + value.slice(at + 1);
}

// Every member altered in turn, however deep it stands: {where, value}.
function* alterations(object, root = object, where = []) {
  for (const [key, value] of Object.entries(object)) {
    const here = [...where, key];
    if (value !== null && typeof value === "object" && !Array.isArray(value)) {
      yield* alterations(value, root, here);
      continue;
    }
    const copy = structuredClone(root);
    here.slice(0, -1).reduce((at, name) => at[name], copy)[key] = another(value);
    yield { where: here, value: copy };
  }
}

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
  await t.test("kettle quote --policy prints the policy that admits it", async () => {
    const printed = spawnSync(program, ["quote", "--policy", kept], { encoding: "utf8" });
    assert.deepStrictEqual([printed.status, printed.stderr.includes("SIMULATED")], [0, true], printed.stderr);
    assert.deepStrictEqual(JSON.parse(printed.stdout), policy);
  });
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
    return result;
  };

  await t.test("/v1/attest says what it is", () => {
    const { kettle, unbound, evidence_type: type, cluster_statement: cluster } = attestation;
    assert.deepStrictEqual(
      [kettle, unbound.provider, attestation.pubkey, attestation.nonce, type],
      ["attestation/2", "simulator", "0x" + pubkey, "0x" + nonce, 0xf0],
    );
    assert.deepStrictEqual(unbound.cluster, {
      generation: { version: 0, index: 0, order: "0x" + "00".repeat(32) },
      order_version: 0,
      platforms: 1,
    });
    assert.strictEqual(cluster.recovery, "none");
    assert.deepStrictEqual(
      [cluster.network.name, cluster.checkpoint.root, cluster.checkpoint.found, cluster.development, cluster.simulated],
      ["devnet", chain.checkpoint, "setup", true, true],
    );
  });
  await t.test("the live node verifies under the right policy", async () => {
    const { steps } = await holds(["--policy", good, "--pubkey", pubkey, node.url]);
    for (const name of ["policy", "nonce", "binding", "key", "quote", "admission", "network", "chain", "checkpoint", "setup", "head", "block"])
      assert(steps.some(({ step }) => step === name), `no step ${name}`);
  });
  await t.test("the head's time stands beside this machine's clock; an older head than demanded is refused, and one from the future", async () => {
    const head = ({ steps }) => steps.find(({ step }) => step === "head").detail;
    const now = () => Math.floor(Date.now() / 1000);
    const said = head(await holds(["--policy", good, node.url]));
    assert.match(said, /^block \d+ of 20\S+Z \(slot \d+, \d+ signers\), \d+ s before this clock's 20\S+Z, signed with the attested key; at most 120 s/);
    await holds(["--policy", good, "--max-age", "any", node.url]);
    await holds(["--policy", good, "--max-age", "60", node.url]);
    for (const [more, code] of [[["--max-age", "60", "--at", String(now() + 100)], "too-old"], [["--at", String(now() - 300)], "from-the-future"],
      [["--max-age", "any", "--at", String(now() + 200)], "expired"], [["--max-age", "1000", "--at", String(now() + 200)], "expired"]])
      assert.match(head(await fails(["--policy", good, ...more, node.url], "head: E_HEAD")), new RegExp(`: ${code}: `));
    return said;
  });
  await t.test("a head that another key signed, of another route, of another setup, or none at all", async () => {
    const get = async (route) => (await node.get(route)).text;
    const answer = JSON.parse(await get("/v1/block/latest"));
    const flipped = { ...answer, message: { ...answer.message, at: { ...answer.message.at, timestamp: String(Number(answer.message.at.timestamp) + 1) } } };
    const others = { "wrong-signer": JSON.stringify(flipped), "another statement": await get("/v1/checkpoint"), malformed: "{}x" };
    for (const [code, text] of Object.entries(others)) {
      const between = await relay(node, "/v1/block/latest", { status: 200, text });
      const { steps } = await fails(["--policy", good, between.url], "head: E_HEAD");
      between.stop();
      assert.match(steps.find(({ step }) => step === "head").detail, new RegExp(code));
    }
    const silent = await relay(node, "/v1/block/latest", { status: 503, text: "{}" });
    const result = await verify(program, ["--policy", good, silent.url]);
    silent.stop();
    assert.deepStrictEqual([failures(result), result.code, result.holds], [["head: null"], 3, false]);
  });
  await t.test("of a kept attestation no head is shown, and demanding one is told as that", async () => {
    const { steps } = await holds(["--policy", good, "--nonce", nonce, kept]);
    assert.match(steps.find(({ step }) => step === "head").detail, /^not shown: /);
    const result = await verify(program, ["--policy", good, "--nonce", nonce, "--max-age", "120", kept]);
    assert.deepStrictEqual([failures(result), result.code, result.holds], [["head: null"], 3, false]);
  });
  await t.test("demands on a statement are no demands on a node", async () => {
    for (const more of [["--min-block", "1"], ["--signer", `0x${"12".repeat(20)}`], ["--allow-revert"], ["--at-block", "1"]])
      await assert.rejects(verify(program, ["--policy", good, ...more, node.url]), /needs --statement/);
  });
  await t.test("offline: kept attestation, block and call verify", async () => {
    const answers = ["--block", file("block", blockAnswer), "--call", file("call", callAnswer)];
    await holds(["--policy", good, "--nonce", nonce, ...answers, kept]);
  });
  await t.test("GET /attest verifies as not fresh, with collateral from a file", async () => {
    const collateral = file("collateral.json", attestation.collateral);
    const kept = ["--policy", good, "--collateral", collateral, file("prototype", (await node.get("/attest")).text)];
    await fails(kept, "network: E_NETWORK"); // it binds no chain
    await holds(["--network", "any", ...kept]);
  });
  const offline = ["--policy", good, "--nonce", nonce];
  const demands = { policy, nonce: `0x${nonce}`, network: "devnet", development: true };
  // What the JavaScript verifier says: "holds", or the code of its refusal.
  const inScript = (value, more = {}) => {
    try {
      verifyAttestation(value, { ...demands, ...more });
      return "holds";
    } catch (error) {
      return error.code ?? String(error.stack);
    }
  };
  await t.test("the JavaScript verifier finds the same key, setup, image and TCB, and refuses what it is not asked to accept", () => {
    const said = verifyAttestation(answer.text, demands);
    assert.deepStrictEqual([said.key, said.image, said.simulated, said.debug], [`0x${pubkey}`, "simulated", true, false]);
    assert.strictEqual(said.signer, addressOfKey(pubkey));
    assert.strictEqual(said.cluster.checkpoint.root, chain.checkpoint);
    const { setup } = said;
    assert.strictEqual(inScript(answer.text, { setup, key: pubkey, chainId: said.cluster.chainId, checkpoint: chain.checkpoint }), "holds");
    const other = `0x${"12".repeat(32)}`;
    const refusals = {
      E_DEVELOPMENT: { development: false }, E_NETWORK: { network: "mainnet" }, E_CHAIN_ID: { chainId: 1 }, E_CHECKPOINT: { checkpoint: other },
      E_SETUP: { setup: other }, E_NONCE: { nonce: other }, E_SIMULATED: { policy: { ...policy, simulator_root: undefined } },
      E_KEY: { key: "02" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798" },
      E_MEASUREMENT: { policy: { ...policy, images: [] } }, E_POLICY_SETUP: { policy: { ...policy, setup_hash: other } }, E_CHAINTIME: { now: 1 },
    };
    for (const [code, more] of Object.entries(refusals)) assert.strictEqual(inScript(answer.text, more), code);
    return `${setup}, TCB ${said.tcb.status}`;
  });
  await t.test("stapled documents of 4 MiB and no more are read by both", async () => {
    const room = (4 << 20) - JSON.stringify({ ...attestation.collateral, more: "" }).length;
    for (const [bytes, want] of [[room, "holds"], [room + 1, "E_LIMIT"]]) {
      const value = { ...attestation, collateral: { ...attestation.collateral, more: "x".repeat(bytes) } };
      const { holds, steps } = await verify(program, [...offline, file("long.json", value)]);
      assert.deepStrictEqual([holds ? "holds" : steps.find(({ ok }) => !ok).code, inScript(value)], [want, want]);
    }
  });
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
  await t.test("each member altered: it does not hold any more, or it is marked unbound", async () => {
    const counts = { bound: 0, unbound: 0 };
    for (const { where, value } of alterations(attestation)) {
      const { code, holds, steps } = await verify(program, [...offline, file("altered.json", value)]);
      assert.strictEqual(inScript(value), holds ? "holds" : steps.find(({ ok }) => !ok).code, where.join("."));
      const unbound = where[0] === "unbound";
      counts[unbound ? "unbound" : "bound"]++;
      assert.deepStrictEqual([code, holds], unbound ? [0, true] : [1, false], where.join("."));
    }
    assert(counts.bound > 30 && counts.unbound > 0);
    return `${counts.bound} members are bound, ${counts.unbound} are not`;
  });
  await t.test("nothing that is altered in it reaches a terminal as more than text", async () => {
    const tests = path.join(t.world.root, "tests");
    const args = [path.join(tests, "unit/test_terminal.py"), program, path.join(tests, "data"), path.join(tests, "fuzz/corpus"), kept, nonce, good];
    return await new Promise((resolve, reject) => {
      execFile("python3", args, (error, out, err) => (error ? reject(new Error(out + err)) : resolve(out.trim())));
    });
  });
  await t.test("the statements are those of /v1/status, and their hash is the setup", async () => {
    const status = await node.status();
    assert.deepStrictEqual(status.cluster_statement, attestation.cluster_statement);
    assert.deepStrictEqual(status.node_statement, attestation.node_statement);
    const hash = crypto.createHash("sha256").update(canonical(attestation.cluster_statement)).digest("hex");
    assert.strictEqual(status.setup, "0x" + hash);
    const result = await holds([...offline, "--setup-hash", hash, kept]);
    assert.deepStrictEqual([result.setup, result.pubkey], ["0x" + hash, "0x" + pubkey]);
  });
  await t.test("what the setup must be can be demanded, by option and by policy", async () => {
    const { setup } = await node.status();
    const { chain_id: id, network, checkpoint } = attestation.cluster_statement;
    const demands = { chain_id: id, genesis_validators_root: network.genesis_validators_root, setup_hash: setup };
    const demanding = file("demanding.json", { ...policy, ...demands });
    await holds(["--policy", demanding, "--nonce", nonce, "--chain-id", String(id), "--checkpoint", checkpoint.root, kept]);
    await fails([...offline, "--setup-hash", flipHex(setup), kept], "setup: E_SETUP");
    await fails([...offline, "--checkpoint", flipHex(checkpoint.root), kept], "checkpoint: E_CHECKPOINT");
    await fails([...offline, "--chain-id", String(id + 1), kept], "chain: E_CHAIN_ID");
    for (const [key, code] of [["chain_id", "E_POLICY_CHAIN"], ["genesis_validators_root", "E_POLICY_GENESIS"], ["setup_hash", "E_POLICY_SETUP"]]) {
      const other = { ...policy, [key]: key === "chain_id" ? id + 1 : flipHex(demands[key]) };
      await fails(["--policy", file("other.json", other), "--nonce", nonce, kept], `policy: ${code}`);
    }
  });
  await t.test("answers without a nonce carry one and the same quote over a nonce of zeros", async () => {
    const [one, two] = [JSON.parse((await node.get("/v1/attest")).text), JSON.parse((await node.get("/v1/attest")).text)];
    assert.strictEqual(one.quote, two.quote);
    assert.strictEqual(one.nonce, undefined);
    assert.strictEqual(reportData(one.quote), bindingOf(one));
    assert.strictEqual(reportData(attestation.quote), bindingOf(attestation));
  });
  await t.test("the prototype's signatures are told for what they are", async () => {
    const { steps } = await holds([...offline, "--block", file("block", blockAnswer), "--call", file("call", callAnswer), kept]);
    for (const name of ["block", "call"])
      assert.match(steps.find(({ step }) => step === name).detail, /signed, but bound to no request, block, chain or time$/);
  });
  await t.test("what cannot be had is told from what does not hold", async () => {
    for (const source of ["http://127.0.0.1:1", path.join(dir, "nowhere")])
      assert.strictEqual((await verify(program, ["--policy", good, source])).code, 3);
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
      const result = await fails(["--policy", file(`not-${name}.json`, other), "--nonce", nonce, kept], "admission: E_MEASUREMENT");
      const said = result.steps.find(({ step }) => step === "admission").detail;
      assert(said.startsWith(`${name.toUpperCase()} is ${policy.images[0][name]} and differs from`) && said.includes("simulated"), said);
    }
  });
  await t.test("an empty list of images", () =>
    fails(["--policy", file("empty.json", { ...policy, images: [] }), "--nonce", nonce, kept], "admission: E_MEASUREMENT"),
  );
  await t.test("a simulator's quote under a production policy", () => {
    const { simulator_root: _, ...production } = policy;
    return fails(["--policy", file("production.json", production), "--nonce", nonce, kept], "admission: E_SIMULATED", "simulated: E_SIMULATED");
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
