import assert from "node:assert";
import * as client from "./lib/client.mjs";
import { calls } from "./lib/calls.mjs";
import { sleep } from "./lib/node.mjs";

async function run(t) {
  const chain = await t.world.capella();
  const { version } = await chain.beacon("/eth/v1/node/version");
  t.say(`${version}, head at slot ${chain.summary.head.slot}`);
  const node = t.world.node("capella");
  let pubkey;
  const ready = await t.test("sets up, syncs, is ready", async () => {
    await node.begin(chain.setup());
    pubkey = await client.attest(node);
    const { head } = await node.status();
    return `slot ${head.slot}`;
  });
  if (!ready) return;
  // Compared with what the beacon node gives to light clients: for the last slot of each sync-committee period this old
  // one gives nothing, and its own head is 3 ahead then.
  const offeredNumber = async () => {
    const { attested_header } = await chain.beacon("/eth/v1/beacon/light_client/optimistic_update");
    return Number(attested_header.execution.block_number);
  };
  await t.test("/block follows the newest optimistic update for 15 s", async () => {
    const first = await client.block(node, pubkey);
    for (let i = 0; i < 15; i++) {
      const offered = await offeredNumber();
      const number = await client.block(node, pubkey);
      assert(offered - number <= 2, `/block says ${number}, the newest optimistic update attests ${offered}`);
      await sleep(1000);
    }
    const moved = (await client.block(node, pubkey)) - first;
    assert(moved >= 2, `moved by ${moved} only`);
    return `moved by ${moved}`;
  });
  const { token } = chain.contracts.addresses;
  let good = 0;
  const list = calls(chain.contracts, token).filter(
    ({ expect, name }) => expect === "equal" && !name.startsWith("child."),
  );
  for (const { name, call } of list) {
    const title = `/call ${name}`;
    const compare = async () => {
      const { answer, height } = await client.callAtHeight(node, call, pubkey);
      assert.deepStrictEqual(client.response(answer, pubkey), await chain.call(call, height));
    };
    if (await t.test(title, compare, { quiet: true })) good++;
  }
  t.say(`/call: ${good} of ${list.length} calls as the execution client's eth_call under Shanghai rules`);
  await t.test("ends with 0", async () => assert.strictEqual((await node.stop()).code, 0));
}

export default { title: "Lodestar 1.5.1, complete and unmodified: Capella, JSON only", run };
