import assert from "node:assert";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { blocksOf, documents, runBlock } from "../docs/blocks.mjs";
import { policyOf } from "./attest.mjs";
import * as client from "./lib/client.mjs";

const PORT = "127.0.0.1:3032";
const CURL = "curl --fail --silent --show-error"; // as a reader's, but that a status of an error fails

// A folder that looks to the documents' lines like the checkout after ./run.
async function checkout(t, node, chain) {
  const dir = path.join(t.world.tmp, "docs");
  fs.mkdirSync(path.join(dir, "build"), { recursive: true });
  fs.symlinkSync(path.resolve(t.world.build, "kettle"), path.join(dir, "build/kettle"));
  for (const name of ["sdk", "examples", "tests"]) fs.symlinkSync(path.join(t.world.root, name), path.join(dir, name));
  fs.writeFileSync(path.join(dir, "build/network.json"), JSON.stringify({ network: chain.network }));
  const nonce = "00".repeat(32);
  const { quote } = JSON.parse((await node.get(`/v1/attest?nonce=0x${nonce}`)).text);
  fs.writeFileSync(path.join(dir, "build/policy.json"), JSON.stringify(policyOf(Buffer.from(quote.slice(2), "hex"))));
  return dir;
}

async function run(t) {
  if (spawnSync("curl", ["--version"]).error) return t.skip("the lines of the documents", "curl is not installed");
  const chain = await t.world.chain();
  const node = await t.world.node("curl").begin(chain.setup());
  const pubkey = await client.attest(node);
  const cwd = await checkout(t, node, chain);
  const { network, chain_id } = await node.status();
  const env = {
    ...process.env,
    PATH: `${cwd}/build:${path.dirname(process.execPath)}:${process.env.PATH}`,
    NODE: node.url,
    NETWORK: network,
    CHAIN: "build/network.json",
    CHAIN_ID: String(chain_id),
    POLICY: "build/policy.json",
    DEVELOPMENT: "--development",
  };
  const shown = (text) => text.replaceAll(PORT, `127.0.0.1:${node.apiPort}`).replace(/^curl /gm, `${CURL} `);
  await t.test("README: the three routes answer, signed", async () => {
    const [{ text }] = blocksOf(t.world.root, "README.md");
    const lines = shown(text).trim().split("\n");
    assert.strictEqual(lines.length, 3);
    const [block, call, attest] = await Promise.all(lines.map((line) => runBlock(line, { cwd, env })));
    assert(Number(client.parseTwice(block.out).blocknum) > 0, block.out);
    assert.deepStrictEqual(client.response({ status: 200, text: call.out }, pubkey), { Success: "0x6b6574746c65" });
    assert.strictEqual(client.parseTwice(attest.out).pubkey, pubkey);
  });
  for (const name of documents(t.world.root))
    for (const { at, text } of blocksOf(t.world.root, name))
      await t.test(`${at} runs`, async () => {
        const { code, out } = await runBlock(shown(text), { cwd, env });
        assert.strictEqual(code, 0, out);
        return out.trim().split("\n").at(-1).slice(0, 100);
      });
  await t.test("a block that fails in its middle is seen", async () => {
    const { code } = await runBlock("false\ntrue\n", { cwd, env });
    assert.strictEqual(code, 1);
  });
  await node.stop();
}

export default { title: "the documents' lines that say that they run", run };
