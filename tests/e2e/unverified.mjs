// A node whose own evidence does not verify yet, here by another machine's collateral: it serves no peer, and seals its key all the
// same, since that signs. Needs no chain.
import assert from "node:assert";
import fs from "node:fs";
import path from "node:path";
import { guestAgent } from "./lib/agent.mjs";
import { until } from "./lib/node.mjs";

const NOBODY = "http://127.0.0.1:1";

// The collateral of a machine, by an agent that is of no other use.
async function collateralOf(t, oracle, seed) {
  const file = path.join(t.world.tmp, `${seed}.json`);
  const agent = await guestAgent({ oracle, seed, socket: path.join(t.world.tmp, `${seed}.sock`), collateral: file, rootKey: "one" });
  t.atEnd(() => agent.close());
  return { file, agent };
}

async function run(t) {
  const oracle = path.join(t.world.build, "tests/e2e/sim_oracle");
  const own = await collateralOf(t, oracle, "unverified-own"), other = await collateralOf(t, oracle, "unverified-other");
  const socket = path.join(t.world.tmp, "unverified-own.sock");
  const node = t.world.node("unverified", { options: ["--development", "--tee", "dstack", "--tee-socket", socket] });
  const policy = { version: 1, mode: "same-as-self", simulator_root: own.agent.root };
  const setup = {
    peers: [], port: t.world.port(), execution_rpc: NOBODY, consensus_rpc: NOBODY, checkpoint: `0x${"5a".repeat(32)}`,
    policy, recovery: "seal", collateral_file: other.file, force: true,
  };
  await t.test("it says so, serves no peer, and its key is sealed", async () => {
    await node.start();
    assert.strictEqual((await node.setup(setup)).status, 200);
    await until("it says why", 30000, async () => /own evidence is not verified yet/.test((await node.status()).overlay?.trouble));
    await until("it is sealed", 20000, () => fs.existsSync(path.join(node.dir, "state", "recovery")));
    const { tee, overlay } = await node.status();
    assert.deepStrictEqual([tee.verified, overlay.recovery.trouble], [false, null]);
  });
  await node.stop();
}

export default { title: "a node whose own evidence is not verified", run };
