// A node that is built to lie (tests/e2e/liar.c) is convicted by the evidence that it gives itself; an honest one is not.
import assert from "node:assert";
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { addressOfKey, verifyStatement } from "../../sdk/js/kettle-verify.mjs";
import * as client from "./lib/client.mjs";

// Runs a program with a text as its input: {status, out}.
function run(program, args, input) {
  return new Promise((resolve) => {
    const child = execFile(program, args, (error, out, err) => resolve({ status: error ? error.code : 0, out: out + err }));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

async function judged(t, chain, name, program, expect) {
  const honest = path.join(t.world.build, "kettle");
  const node = t.world.node(name);
  node.program = program;
  await node.begin(chain.setup());
  const signer = addressOfKey(await client.attest(node));
  const { setup, chain_id: chainId } = await node.status();
  const network = path.join(t.world.tmp, `${name}-network.json`);
  fs.writeFileSync(network, JSON.stringify({ network: chain.setup().network }));
  const { token } = chain.contracts.addresses;
  const request = { to: token, data: "0x18160ddd" };
  const questions = {
    "a call": ["/v1/call?evidence=inline", { method: "POST", body: JSON.stringify(request) }, request],
    "an account": [`/v1/account/${token}?evidence=inline`],
    "a slot": [`/v1/storage/${token}/0x2?evidence=inline`],
    "a block": ["/v1/block/latest?evidence=inline"],
  };
  for (const [what, [route, options, asked]] of Object.entries(questions))
    await t.test(`${name}: ${what}: the signature holds, and its evidence ${expect.says}`, async () => {
      const { status, text } = await node.get(route, options);
      assert.strictEqual(status, 200, text);
      const { answer } = JSON.parse(text);
      verifyStatement(JSON.stringify(answer), { signer, chainId, setup, maxAge: 3600, request: asked ?? null });
      const args = ["verify", "--evidence", "-", "--checkpoint", chain.checkpoint, "--network", network, "--signer", signer, "--setup-hash", setup];
      const said = await run(honest, args, text);
      assert.strictEqual(said.status, expect.status, said.out);
      assert.match(said.out, expect.line);
      return said.out.trim().split("\n").filter((line) => /FAIL|all holds/.test(line)).join("; ");
    });
  await node.stop();
}

export default {
  title: "a node that is built to lie, and its own evidence",
  async run(t) {
    const chain = await t.world.chain();
    const liar = path.join(t.world.build, "tests/e2e/kettle-liar");
    if (!fs.existsSync(liar)) return t.skip("a node that lies", "this build has no simulator");
    await judged(t, chain, "honest", path.join(t.world.build, "kettle"), { says: "shows the same", status: 0, line: /\nall holds\n$/ });
    await judged(t, chain, "liar", liar, { says: "convicts it", status: 4, line: /^FAIL statement +signed-lie: /m });
  },
};
