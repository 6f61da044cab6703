import assert from "node:assert";
import { spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { policyOf, verify } from "./attest.mjs";
import { until } from "./lib/node.mjs";

const MAINNET_GENESIS = "0x4b363db94e286120d76eb905340fdd4e54bfe9f06bf33ff6cf5ad27f511bfe95";
const INVENTED = "0x" + "1234567890abcdef".repeat(4);

const failures = ({ steps }) => steps.filter((step) => !step.ok).map(({ step, code }) => `${step}: ${code}`);
const detail = ({ steps }, name) => steps.find(({ step }) => step === name).detail;

// What a verifier keeps of a node: a fresh attestation with its nonce, and a policy that admits the simulated TD.
async function attestation(node, dir) {
  await until("the node's own quote is verified", 30000, async () => (await node.status()).tee?.verified);
  const nonce = crypto.randomBytes(32).toString("hex");
  const answer = await node.get(`/v1/attest?nonce=0x${nonce}&collateral=1`);
  assert.strictEqual(answer.status, 200, answer.text);
  const files = { kept: path.join(dir, "kept.json"), policy: path.join(dir, "policy.json") };
  fs.writeFileSync(files.kept, answer.text);
  fs.writeFileSync(files.policy, JSON.stringify(policyOf(Buffer.from(JSON.parse(answer.text).quote.slice(2), "hex"))));
  return { args: ["--policy", files.policy, "--nonce", nonce, files.kept], json: JSON.parse(answer.text), headers: answer.headers };
}

// An operator's own chain, on a node that takes whatever it is sent: genuine quote, genuine key, invented everything else.
async function inventedChain(t, program, chain) {
  const node = await t.world.node("invented").begin(chain.setup());
  const { args, json, headers } = await attestation(node, node.dir);
  const root = json.cluster_statement.network.genesis_validators_root;
  await t.test("an invented chain does not verify: it is not mainnet, and the node is in development", async () => {
    const result = await verify(program, args, []);
    assert.deepStrictEqual([result.code, result.holds], [1, false]);
    assert.deepStrictEqual(failures(result), ["development: E_DEVELOPMENT", "network: E_NETWORK", "chain: E_CHAIN_ID"]);
    assert(detail(result, "network").includes(root) && detail(result, "network").includes("devnet"));
  });
  await t.test("the same, asked of the live node", async () => {
    const result = await verify(program, ["--policy", args[1], node.url], []);
    assert.deepStrictEqual(failures(result), ["development: E_DEVELOPMENT", "network: E_NETWORK", "chain: E_CHAIN_ID"]);
  });
  await t.test("each of the three is accepted by its own word only", async () => {
    const id = String(json.cluster_statement.chain_id);
    assert.deepStrictEqual(failures(await verify(program, args, ["--development"])), ["network: E_NETWORK", "chain: E_CHAIN_ID"]);
    assert.deepStrictEqual(failures(await verify(program, args, ["--development", "--chain-id", id])), ["network: E_NETWORK"]);
    assert.deepStrictEqual(failures(await verify(program, args, ["--network", "devnet"])), ["development: E_DEVELOPMENT"]);
  });
  await t.test("with --development --network devnet it holds, and every line names what it is", async () => {
    const result = await verify(program, args, ["--development", "--network", "devnet"]);
    assert.deepStrictEqual([failures(result), result.holds], [[], true]);
    assert.match(detail(result, "development"), /whoever sent its setup chose the chain/);
    assert(detail(result, "network").startsWith("devnet (not built in here), genesis validators root " + root));
    assert.strictEqual(detail(result, "chain"), `chain id ${json.cluster_statement.chain_id}`);
    assert.strictEqual(detail(result, "checkpoint"), `${chain.checkpoint}, from whoever sent POST /setup`);
    assert(detail(result, "setup").startsWith((await node.status()).setup));
  });
  await t.test("every answer says development, and simulated", async () => {
    for (const route of ["/block", "/attest", "/v1/attest", "/v1/status", "/v1/methods", "/healthz", "/nowhere"]) {
      const answer = await node.get(route);
      assert.deepStrictEqual([answer.headers["kettle-development"], answer.headers["x-kettle-tee"]], ["true", "simulated"], route);
    }
    const call = await node.call({ to: chain.contracts.addresses.token, data: "0x18160ddd" });
    assert.strictEqual(call.headers["kettle-development"], "true");
    assert.strictEqual(headers["kettle-development"], "true");
    assert.strictEqual((await node.status()).development, true);
  });
  await node.stop();
}

// Mainnet by name, genesis root and chain id, and from an image's own configuration: only the checkpoint is invented.
async function inventedCheckpoint(t, program, chain) {
  const config = path.join(t.world.tmp, "measured.json");
  const measured = { network: "mainnet", checkpoint: INVENTED, setup_may_set: ["peers", "port", "execution_rpc", "consensus_rpc"] };
  fs.writeFileSync(config, JSON.stringify(measured));
  const node = await t.world.node("checkpoint", { options: ["--config", config] }).start();
  await t.test("a measured configuration lets /setup set what it lists, and nothing else", async () => {
    const refused = await node.setup(chain.setup());
    assert.strictEqual(refused.status, 400);
    assert.strictEqual(JSON.parse(refused.text).field, "network");
    const setup = { peers: [], port: 4001, execution_rpc: chain.executionUrl, consensus_rpc: chain.beaconUrl, force: true };
    assert.strictEqual((await node.setup(setup)).status, 200);
  });
  const { args, json } = await attestation(node, node.dir);
  await t.test("an invented checkpoint is shown, with the setup that it makes", async () => {
    assert.strictEqual(json.cluster_statement.network.genesis_validators_root, MAINNET_GENESIS);
    const result = await verify(program, args, []);
    assert.deepStrictEqual([failures(result), result.holds], [[], true]);
    assert.strictEqual(detail(result, "checkpoint"), `${INVENTED}, from the measured configuration`);
    assert.strictEqual(result.setup, (await node.status()).setup);
    assert(!("kettle-development" in (await node.get("/v1/status")).headers));
  });
  await t.test("and refused when another one is demanded, or another setup", async () => {
    const real = "9bcb90ec3a294591b77dd2a58e973578715cdc0e6eeeb286bc06dd120057f18b"; // of mainnet's slot 14017856
    assert.deepStrictEqual(failures(await verify(program, args, ["--checkpoint", real])), ["checkpoint: E_CHECKPOINT"]);
    assert.deepStrictEqual(failures(await verify(program, args, ["--setup-hash", real])), ["setup: E_SETUP"]);
  });
  await node.stop();
}

async function run(t) {
  const chain = await t.world.chain();
  const program = path.join(t.world.build, "kettle");
  await t.test("a node starts with a measured configuration or for development, and not otherwise", () => {
    const { status, stderr } = spawnSync(program, ["run", "--tee", "simulator"], { encoding: "utf8", timeout: 20000 });
    assert.strictEqual(status, 2, stderr);
    assert.match(stderr, /--config FILE.*--development/);
  });
  await inventedChain(t, program, chain);
  await inventedCheckpoint(t, program, chain);
}

export default { title: "a chain or a checkpoint that the operator invented", run };
