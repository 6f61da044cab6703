import assert from "node:assert";
import { execFile, spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import * as client from "./lib/client.mjs";

const PORT = "127.0.0.1:3032";

// The README's command lines for the three routes, for this node and the token's totalSupply().
function lines(root, node, token) {
  const readme = fs.readFileSync(path.join(root, "README.md"), "utf8");
  return readme
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line.startsWith("curl ") && line.includes(PORT))
    .map((line) => line.replace(PORT, `127.0.0.1:${node.apiPort}`))
    .map((line) => line.replace(/"to":"[^"]*"/, `"to":"${token}"`).replace(/"data":"[^"]*"/, '"data":"0x18160ddd"'));
}

async function run(t) {
  if (spawnSync("curl", ["--version"]).error) return t.skip("the README's curl lines", "curl is not installed");
  const chain = await t.world.chain();
  const node = await t.world.node("curl").begin(chain.setup());
  const pubkey = await client.attest(node);
  const commands = lines(t.world.root, node, chain.contracts.addresses.token);
  const route = (name) => commands.find((line) => line.includes(`/${name}`));
  const body = async (name) => {
    assert(route(name), `the README has no curl line for /${name}`);
    const { stdout } = await promisify(execFile)("bash", ["-c", `${route(name)} --silent`]);
    return stdout;
  };
  await t.test("curl /block", async () => {
    const { blocknum } = client.parseTwice(await body("block"));
    return `block ${blocknum}`;
  });
  await t.test("curl /call", async () => {
    const response = client.response({ status: 200, text: await body("call") }, pubkey);
    assert.match(response.Success, /^0x[0-9a-f]{64}$/);
  });
  await t.test("curl /attest", async () => assert.strictEqual(client.parseTwice(await body("attest")).pubkey, pubkey));
  await node.stop();
}

export default { title: "the README's three curl lines", run };
