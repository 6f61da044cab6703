import assert from "node:assert";
import { Interface } from "ethers";
import { roundTrips } from "../devnet/lib/proxy.mjs";
import * as client from "./lib/client.mjs";
import { sleep, until } from "./lib/node.mjs";

// Calls that read several accounts and slots, each with another selector or contract, so that nothing is learned yet.
function freshCalls({ addresses: a, abi }) {
  const face = Object.fromEntries(Object.entries(abi).map(([name, list]) => [name, new Interface(list)]));
  const call = (contract, to, name, ...args) => ({
    name,
    call: { to, data: face[contract].encodeFunctionData(name, args) },
  });
  return [
    call("Probe", a.probe, "viaToken", a.accounts[0]),
    call("Token", a.token, "motto"),
    call("Impl", a.proxy, "sum", 4n),
    call("Impl", a.delegated, "sum", 4n),
    call("Token", a.token, "allowance", a.accounts[0], a.accounts[1]),
    call("Probe", a.probe, "slots"),
    call("Token", a.token, "balanceOf", a.accounts[2]),
    call("Impl", a.impl, "counter"),
  ];
}

// Runs a call; the requests that the execution proxy saw for it, and whether the head stood still meanwhile.
async function measured(node, proxy, call, pubkey) {
  const before = await client.block(node, pubkey);
  const mark = proxy.log.length;
  const answer = await node.call(call);
  const requests = proxy.log.slice(mark);
  client.response(answer, pubkey);
  return { answer, requests, trips: roundTrips(requests), steady: before === (await client.block(node, pubkey)) };
}

const nextBlock = async (node, pubkey) => {
  const before = await client.block(node, pubkey);
  await until("a new block", 20000, async () => (await client.block(node, pubkey)) > before);
};

const methods = (requests) => requests.map((entry) => entry.label.replaceAll("eth_", "")).join(" | ");

async function showCalls(t, node, proxy, chain, pubkey, firstTrips) {
  for (const { name, call } of freshCalls(chain.contracts)) {
    await t.test(`${name}: ${firstTrips.what} the first time, 0 again, 1 at the next block`, async () => {
      await nextBlock(node, pubkey);
      const first = await measured(node, proxy, call, pubkey);
      assert(firstTrips.allow(first.trips), `first call: ${first.trips} round trips: ${methods(first.requests)}`);
      if (first.steady) {
        const again = await measured(node, proxy, call, pubkey);
        if (again.steady) {
          assert.strictEqual(again.requests.length, 0, `same block again: ${methods(again.requests)}`);
          assert.strictEqual(again.answer.text, first.answer.text, "same signed bytes");
        }
      }
      await nextBlock(node, pubkey);
      const next = await measured(node, proxy, call, pubkey);
      assert.strictEqual(next.trips, 1, `next block: ${methods(next.requests)}`);
      assert(!methods(next.requests).includes("getCode"), `code is asked for again: ${methods(next.requests)}`);
      return `${first.trips} (${methods(first.requests)}), then 0, then ${next.trips}`;
    });
  }
}

// Requests that follow each other without a pause belong together; a new head may cost one such round trip.
function bursts(entries, pauseMs) {
  const list = [];
  for (const entry of entries) {
    const last = list.at(-1)?.at(-1);
    if (last && entry.from - last.to < pauseMs) list.at(-1).push(entry);
    else list.push([entry]);
  }
  return list;
}

async function showHeads(t, node, execution, consensus, pubkey) {
  await t.test("a new head: 1 beacon round trip, nothing else", async () => {
    await nextBlock(node, pubkey);
    const marks = [execution.log.length, consensus.log.length];
    const first = await client.block(node, pubkey);
    await sleep(16000);
    const heads = (await client.block(node, pubkey)) - first;
    const asked = consensus.log.slice(marks[1]).filter((entry) => entry.to);
    assert.strictEqual(
      execution.log.length,
      marks[0],
      `asked the execution RPC: ${methods(execution.log.slice(marks[0]))}`,
    );
    const most = Math.max(...bursts(asked, 20).map(roundTrips));
    assert.strictEqual(most, 1, `${most} beacon requests in a row`);
    assert(heads >= 5, `only ${heads} new heads`);
    return `${heads} heads, ${asked.length} beacon requests, never two in a row`;
  });
}

async function run(t) {
  const chain = await t.world.chain();
  const consensus = await t.world.proxy(chain);
  const execution = await t.world.proxy(chain, { accessLists: true });
  const node = t.world.node("roundtrips");
  await t.test("from setup to ready over all periods: at most 3 beacon round trips", async () => {
    const checkpoint = await chain.oldCheckpoint();
    await node.start();
    await node.setup(chain.setup({ execution: execution.url, consensus: consensus.url, checkpoint }));
    await node.ready();
    const trips = roundTrips(consensus.log.filter((entry) => entry.to));
    assert(trips <= 3, consensus.log.map((entry) => entry.label).join(" | "));
    return `${trips}`;
  });
  const pubkey = await client.attest(node);
  const two = { what: "2 round trips", allow: (n) => n === 2 };
  await showCalls(t, node, execution, chain, pubkey, two);
  await showHeads(t, node, execution, consensus, pubkey);
  await node.stop();

  t.say("an execution RPC without eth_createAccessList");
  const plain = await t.world.proxy(chain);
  const second = await t.world.node("roundtrips-plain").begin(chain.setup({ execution: plain.url }));
  const depth = { what: "the depth of dependencies", allow: (n) => n >= 1 && n <= 7 };
  await showCalls(t, second, plain, chain, await client.attest(second), depth);
  await second.stop();
}

export default { title: "sequential requests to the upstreams, counted in front of them", run };
