import assert from "node:assert";
import { Interface } from "ethers";
import { roundTrips } from "../devnet/lib/proxy.mjs";
import * as client from "./lib/client.mjs";
import { sleep, until } from "./lib/node.mjs";

const WITH_LIST = 2;
const DEPTH_MOST = 6; // viaToken: the probe's code, its token, the token's code, the length of a string, its slots

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
  const requests = proxy.log.slice(mark).filter((entry) => !isForesight(entry));
  client.response(answer, pubkey);
  return { answer, requests, trips: roundTrips(requests), steady: before === (await client.block(node, pubkey)) };
}

const nextBlock = async (node, pubkey) => {
  const before = await client.block(node, pubkey);
  await until("a new block", 20000, async () => (await client.block(node, pubkey)) > before);
};

// What the node asks for from time to time to hear of forks to come; it waits for nothing of it.
const isForesight = ({ label }) => ["eth_config", "eth_chainId", "/eth/v1/config/spec"].includes(label);

const methods = (requests) => requests.map((entry) => entry.label.replaceAll("eth_", "")).join(" | ");

// The same call twice while the head stands still: the second of them.
async function repeated(node, proxy, call, pubkey) {
  for (let tries = 0; tries < 5; tries++) {
    const first = await measured(node, proxy, call, pubkey);
    const again = await measured(node, proxy, call, pubkey);
    if (first.steady && again.steady) return { first, again };
  }
  throw new Error("the head moves during every call");
}

async function showCalls(t, node, proxy, chain, pubkey, most) {
  const list = freshCalls(chain.contracts);
  for (const { name, call } of list) {
    await t.test(`${name}: at most ${most} round trips the first time`, async () => {
      const { trips, requests } = await measured(node, proxy, call, pubkey);
      assert(trips <= most, `${trips}: ${methods(requests)}`);
      return `${trips}: ${methods(requests)}`;
    });
    await t.test(`${name}: 0 for the same block again, and the same signed bytes`, async () => {
      const { first, again } = await repeated(node, proxy, call, pubkey);
      assert.strictEqual(again.requests.length, 0, methods(again.requests));
      assert.strictEqual(again.answer.text, first.answer.text);
    });
  }
  await nextBlock(node, pubkey);
  for (const { name, call } of list) {
    await t.test(`${name}: 1 at a next block, without code`, async () => {
      // The workload may have changed the state so that the call reads more than it did: then the block after.
      let { trips, requests } = await measured(node, proxy, call, pubkey);
      for (let tries = 0; trips > 1 && tries < 3; tries++) {
        await nextBlock(node, pubkey);
        ({ trips, requests } = await measured(node, proxy, call, pubkey));
      }
      assert(trips <= 1, `${trips}: ${methods(requests)}`);
      assert(!methods(requests).includes("getCode"), methods(requests));
      return methods(requests);
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
    const asked = consensus.log.slice(marks[1]).filter((entry) => entry.to && !isForesight(entry));
    const other = execution.log.slice(marks[0]).filter((entry) => !isForesight(entry));
    assert.strictEqual(other.length, 0, `asked the execution RPC: ${methods(other)}`);
    const rows = bursts(asked, 20).filter((burst) => roundTrips(burst) > 1);
    assert.strictEqual(rows.length, 0, rows.map((row) => `in a row: ${row.map((e) => e.label).join(", ")}`).join("\n"));
    assert(heads >= 5, `only ${heads} new heads`);
    return `${heads} heads, ${asked.length} beacon requests, never two in a row`;
  });
}

async function withLists(t, chain) {
  const consensus = await t.world.proxy(chain, { delayMs: 30 });
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
  for (let i = 0; i < 2; i++) await nextBlock(node, pubkey); // lists are made on the state before the head: contracts must be older
  await showCalls(t, node, execution, chain, pubkey, WITH_LIST);
  await showHeads(t, node, execution, consensus, pubkey);
  await node.stop();
}

async function withoutLists(t, chain) {
  const proxy = await t.world.proxy(chain);
  const node = await t.world.node("roundtrips-plain").begin(chain.setup({ execution: proxy.url }));
  t.say("an execution RPC without eth_createAccessList: the depth of dependencies");
  await showCalls(t, node, proxy, chain, await client.attest(node), DEPTH_MOST);
  await node.stop();
}

async function run(t) {
  const chain = await t.world.chain();
  await withLists(t, chain);
  await withoutLists(t, chain);
}

export default { title: "sequential requests to the upstreams, counted in front of them", run };
