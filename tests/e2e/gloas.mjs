import assert from "node:assert";
import fs from "node:fs";
import path from "node:path";
import { roundTrips } from "../devnet/lib/proxy.mjs";
import { ScriptedChain } from "../devnet/gloas/chain.mjs";
import { CONTRACTS, CONSTANTS } from "../devnet/gloas/execution.mjs";
import { FORGERIES, CLAIMS, asHeze } from "../devnet/gloas/lies.mjs";
import { guestAgent } from "./lib/agent.mjs";
import * as client from "./lib/client.mjs";
import { sleep, until } from "./lib/node.mjs";

const START = 51; // the slot in which the scenario begins
const FORK = 56; // the first slot of Gloas
const WITHHELD = 59; // a block whose payload is never shown
const MISSED = 62; // a slot without a block
const PERIOD_END = 64;
const LAST = 70;
const BEYOND = 9; // an epoch of a fork that nobody knows: it begins at slot 72

const word = (n) => "0x" + BigInt(n).toString(16).padStart(64, "0");
const read = (name, slot) => ({ to: CONTRACTS[name].address, data: word(slot) });
const ask = (name) => ({ to: CONTRACTS[name].address, data: "0x" });
// What the node asks for from time to time to hear of forks to come.
const isHead = ({ label }) => label.startsWith("eth_getBlockByHash");
const isForesight = ({ label }) => ["eth_config", "eth_chainId", "/eth/v1/config/spec"].includes(label);
const methods = (requests) => requests.map((entry) => entry.label.replaceAll("eth_", "")).join(" | ");

// A node on the chain, and what the counting proxies in front of its two upstreams have seen.
class Watch {
  constructor(t, chain, server) {
    Object.assign(this, { t, chain, server });
  }

  async begin() {
    const { world } = this.t;
    const behind = { executionUrl: this.server.url, beaconUrl: this.server.url };
    this.execution = await world.proxy(behind);
    this.consensus = await world.proxy(behind, { delayMs: 20 });
    const urls = { execution: this.execution.url, consensus: this.consensus.url };
    this.node = await world.node("gloas").begin(this.chain.setup(urls));
    this.pubkey = await client.attest(this.node);
    return this;
  }

  // Waits for the head of a slot: the status' words on it, after what they say and what is signed was checked.
  async head(slot) {
    const head = await until(`the head of slot ${slot}`, 30000, async () => {
      const { head } = await this.node.status();
      return head?.slot >= slot && head;
    }, 25);
    assert.strictEqual(head.slot, slot, "a head was passed over");
    const block = this.chain.proven(slot);
    assert.strictEqual(head.fork, slot < FORK ? "fulu" : "gloas");
    assert.deepStrictEqual([head.block_number, head.block_hash], [block.number, block.hash]);
    assert.strictEqual(await client.block(this.node, this.pubkey), block.number);
    return block;
  }

  // A call's answer, the requests that the execution proxy saw for it, and how many of them waited for another.
  async call(call) {
    const mark = this.execution.log.length;
    const answer = await this.node.call(call);
    const requests = this.execution.log.slice(mark).filter((entry) => !isHead(entry) && !isForesight(entry));
    return { said: client.response(answer, this.pubkey), trips: roundTrips(requests), requests };
  }

  async says(call, expected) {
    const { said } = await this.call(call);
    assert.deepStrictEqual(said, expected === "Error" ? "Error" : { Success: word(expected) });
  }

  // What every block has: its number by state, by balance and by instruction, and values that never change.
  async showBlock(block, { slot }) {
    await this.says(ask("rich"), block.number);
    await this.says(read("busy", 0), block.number + 1);
    await this.says(read("busy", 7), CONSTANTS.busy[7]);
    await this.says(ask("slot"), slot ?? "Error");
  }
}

async function throughTheFork(t, watch) {
  await t.test("the last Fulu head: signed, and calls run by Osaka's rules", async () => {
    const block = await watch.head(FORK - 1);
    await watch.showBlock(block, { slot: undefined });
    return `block ${block.number}`;
  });
  await t.test("the first Gloas head: the same block, by the same rules", async () => {
    const block = await watch.head(FORK);
    assert.strictEqual(block, watch.chain.proven(FORK - 1));
    await watch.showBlock(block, { slot: undefined });
  });
  await t.test("the next head: the first block of Amsterdam, which knows its slot", async () => {
    const block = await watch.head(FORK + 1);
    assert.strictEqual(block.fields.slotNumber, FORK);
    await watch.showBlock(block, { slot: FORK });
  });
  await t.test("a slot whose payload is withheld: the same block again, then the next one", async () => {
    const before = await watch.head(WITHHELD);
    const block = await watch.head(WITHHELD + 1);
    assert.strictEqual(block, before);
    await watch.showBlock(block, { slot: WITHHELD - 1 });
  });
  await t.test("a sync-committee period ends: heads go on under the next committee", async () => {
    const block = await watch.head(PERIOD_END + 1);
    await watch.showBlock(block, { slot: PERIOD_END });
  });
}

async function roundTripsOfCalls(t, watch) {
  // What no block writes, what is written beside it, and what every block writes: all of it is in block access lists.
  const calls = [
    ["a slot of an account that rests", read("still", 3), () => CONSTANTS.still[3]],
    ["a slot that rests in storage that is written", read("busy", 7), () => CONSTANTS.busy[7]],
    ["a slot that every block writes", read("busy", 0), (block) => block.number + 1],
  ];
  await t.test("a call: at most 2 round trips the first time, then 0 on the same block and the next", async () => {
    let block = await watch.head(PERIOD_END + 2);
    const first = [];
    for (const [, call] of calls) first.push((await watch.call(call)).trips);
    for (const slot of [PERIOD_END + 2, PERIOD_END + 3, PERIOD_END + 4]) {
      block = await watch.head(slot);
      for (const [what, call, expected] of calls) {
        const { said, trips, requests } = await watch.call(call);
        assert.deepStrictEqual(said, { Success: word(expected(block)) }, what);
        assert.strictEqual(trips, 0, `${what}: ${methods(requests)}`);
      }
    }
    assert(Math.max(...first) <= 2, `${first}`);
    return `${first}, then 0`;
  });
}

async function roundTripsOfHeads(t, watch) {
  await t.test("a new head: 2 round trips, one beacon's and one for its execution header", async () => {
    const from = LAST - 2;
    await watch.head(from);
    const marks = [watch.execution.log.length, watch.consensus.log.length];
    await watch.head(LAST);
    const execution = watch.execution.log.slice(marks[0]).filter((entry) => !isForesight(entry));
    const consensus = watch.consensus.log.slice(marks[1]).filter((entry) => entry.to && !isForesight(entry));
    assert.strictEqual(execution.length, LAST - from, methods(execution));
    for (const entry of execution) assert(isHead(entry), entry.label);
    for (const [i, entry] of consensus.entries())
      assert(i === 0 || entry.from - consensus[i - 1].to > 20 || entry.from < consensus[i - 1].to, methods(consensus));
    return methods([...consensus, ...execution]);
  });
}

async function follow(t, chain, server) {
  const watch = await new Watch(t, chain, server).begin();
  await throughTheFork(t, watch);
  await roundTripsOfCalls(t, watch);
  await roundTripsOfHeads(t, watch);
  await t.test("nobody was blamed", async () => {
    const { upstreams } = await watch.node.status();
    for (const row of [...upstreams.consensus, ...upstreams.execution])
      assert.deepStrictEqual([row.lies, row.newer], [0, 0], JSON.stringify(row));
    assert.strictEqual((await watch.node.stop()).code, 0);
  });
}

const atSlot = (chain, slot) => until(`slot ${slot}`, 60000, () => chain.slot() >= slot, 50);

// A node whose one endpoint of a kind lies from the start on says so, with the reason, and signs once it is honest.
async function forgery(t, chain, honest, name) {
  const { layer, what, reason, counts = "lies" } = FORGERIES[name];
  const { world } = t;
  await atSlot(chain, FORK + 3);
  await t.test(`lie: ${name}`, async () => {
    const liar = await chain.serve(world.port());
    const kind = layer === "rpc" ? "execution" : "consensus";
    const node = await world.node(`gloas-${name.replaceAll(" ", "-")}`).start();
    try {
      liar.lie(layer, what);
      // By force: where the trial asks for what is lied about, it refuses the setup.
      await node.setup(chain.setup({ execution: honest.url, consensus: honest.url, [kind]: liar.url, force: true }));
      const row = await until("a complaint", 20000, async () => {
        const { upstreams } = await node.status();
        return upstreams?.[kind][0][counts] > 0 && upstreams[kind][0];
      });
      assert.match(row.reason, reason);
      assert(liar.told > 0 && row.newer === 0);
      liar.honest();
      await node.ready(20000);
      assert.strictEqual((await node.stop()).code, 0);
      return row.reason;
    } finally {
      node.kill();
      await liar.close();
    }
  });
}

// Of each kind one endpoint answers as one of a newer fork would, and one says that it knows one: nobody has lied.
async function claims(t, chain, honest) {
  const { world } = t;
  await atSlot(chain, FORK + 1);
  await t.test("two endpoints of three claim a newer fork: it is told, and signing goes on", async () => {
    const servers = [];
    for (const claim of ["version", "spec", "header", "config"]) {
      servers.push(await chain.serve(world.port()));
      servers.at(-1).lies = CLAIMS[claim];
    }
    const list = (...some) => [...some.map((i) => servers[i].url), honest.url];
    const urls = { consensus: list(0, 1), execution: list(2, 3) };
    const node = await world.node("gloas-claims").begin(chain.setup(urls));
    const pubkey = await client.attest(node);
    const first = await client.block(node, pubkey);
    const rows = await until("all are counted, and the head moves", 20000, async () => {
      const { consensus, execution } = (await node.status()).upstreams;
      const claimants = [...consensus.slice(0, 2), ...execution.slice(0, 2)];
      const moved = (await client.block(node, pubkey)) > first;
      return moved && claimants.every((row) => row.newer > 0) && [...claimants, consensus[2], execution[2]];
    });
    for (const row of rows) assert.strictEqual(row.lies, 0);
    assert.deepStrictEqual([rows[4].newer, rows[5].newer], [0, 0]);
    const log = fs.readFileSync(node.log, "utf8");
    const reasons = rows.slice(0, 4).map((row) => row.newer_reason);
    for (const reason of reasons) assert(log.includes(reason), `not in the log: ${reason}`);
    assert.strictEqual((await node.stop()).code, 0);
    for (const server of servers) await server.close();
    return reasons.join("; ");
  });
}

const withFork = (chain, epoch) =>
  chain.beacon.network({ HEZE_FORK_EPOCH: String(epoch), HEZE_FORK_VERSION: "0x08000001" });

async function unknownForks(t, chain, honest) {
  const { world } = t;
  const urls = { execution: honest.url, consensus: honest.url };
  const setup = (epoch) => chain.setup({ ...urls, network: withFork(chain, epoch) });
  await t.test("an unknown fork of the configured network that has begun: refused", async () => {
    const node = await world.node("gloas-behind").start();
    const answer = await node.setup(setup(6));
    assert.strictEqual(answer.status, 400, answer.text);
    const { field, error } = JSON.parse(answer.text);
    assert.match(error, /its fork heze began at slot 48, and this build does not know it/);
    assert.strictEqual(field, "network");
    await node.stop();
    return error;
  });
  await t.test("one that comes: told, and signing stops at its first slot", async () => {
    const node = await world.node("gloas-ahead").begin(setup(BEYOND));
    const pubkey = await client.attest(node);
    const { unknown_fork } = await node.status();
    assert.deepStrictEqual([unknown_fork.name, unknown_fork.slot], ["heze", BEYOND * 8]);
    assert.match(fs.readFileSync(node.log, "utf8"), /does not know the network's fork heze/);
    await client.block(node, pubkey);
    await atSlot(chain, BEYOND * 8);
    await sleep(100);
    const { state, reason } = await node.status();
    assert.strictEqual(state, "unsupported-fork");
    const refused = await node.get("/block");
    assert.strictEqual(refused.status, 503);
    assert.strictEqual((await node.stop()).code, 0);
    return reason;
  });
}

// The chain's own words against it: proven headers of fields that no known fork has, and of a fork that the network
// object does not schedule. Nobody has lied, and nothing more is signed.
async function stops(t, name, setup, reason, newer) {
  const { world } = t;
  const node = await world.node(`gloas-${name}`).start();
  const answer = await node.setup(setup);
  assert.strictEqual(answer.status, 200, answer.text);
  const told = await until("the node has stopped", 30000, async () => {
    const status = await node.status();
    return status.state === "unsupported-fork" && status;
  });
  assert.match(told.reason, reason);
  assert.strictEqual((await node.get("/block")).status, 503);
  assert.strictEqual((await node.call(ask("rich"))).status, 503);
  for (const row of [...told.upstreams.consensus, ...told.upstreams.execution]) assert.strictEqual(row.lies, 0);
  assert.strictEqual(told.upstreams.execution[0].newer > 0, newer);
  assert.strictEqual((await node.stop()).code, 0);
  return told.reason;
}

async function otherSchedules(t, chain, honest) {
  const urls = { execution: honest.url, consensus: honest.url };
  await atSlot(chain, FORK + 2);
  await t.test("a network object without Amsterdam, which the chain has: the first header of it stops the node", () => {
    const network = { ...chain.beacon.network(), execution: { forks: { osaka: 0 } } };
    return stops(t, "unscheduled", chain.setup({ ...urls, network }), /has 23 fields.* of its time has 21/, false);
  });
}

async function signedAhead(t, chain, honest) {
  await atSlot(chain, FORK + 2);
  const server = await chain.serve(t.world.port());
  t.atEnd(() => server.close());
  server.lie("light", asHeze);
  await t.test("objects of a fork whose version alone the network has, signed under it: the node stops", () => {
    const network = withFork(chain, "18446744073709551615");
    const setup = chain.setup({ execution: honest.url, consensus: server.url, network, force: true });
    return stops(t, "signed-ahead", setup, /sync committee signed under the version of heze/, false);
  });
}

async function moreFields(t) {
  const chain = await new ScriptedChain({ startSlot: FORK - 2, gloasEpoch: FORK / 8, slots: LAST, beyond: FORK + 1 }).make();
  const server = await chain.serve(t.world.port());
  t.atEnd(() => server.close());
  await t.test("a header of 24 fields whose hash is proven: the node stops", () => {
    const urls = { execution: server.url, consensus: server.url };
    return stops(t, "more-fields", chain.setup(urls), /proven hash is of a fork that this build does not know/, true);
  });
}

// On real hardware a quote takes seconds, in which the follower has a head already, with its access list.
async function slowQuote(t, chain, honest) {
  const { world } = t;
  await atSlot(chain, FORK + 4);
  await t.test("a head and its access list that come while the node waits for its first quote", async () => {
    const [socket, collateral] = ["sock", "json"].map((end) => path.join(world.tmp, `slow.${end}`));
    const oracle = path.join(world.build, "tests/e2e/sim_oracle");
    const agent = await guestAgent({ oracle, seed: "slow", socket, collateral, rootKey: "one", quoteMs: 3000 });
    t.atEnd(() => agent.close());
    const policy = { version: 1, mode: "same-as-self", simulator_root: agent.root };
    const options = ["--development", "--tee", "dstack", "--tee-socket", socket];
    const urls = { execution: honest.url, consensus: honest.url };
    const node = await world.node("gloas-slow", { options }).begin(chain.setup({ ...urls, policy, collateral_file: collateral, force: true }));
    const { head } = await node.status();
    assert(head.slot > FORK + 1, `${head.slot}`);
    assert.strictEqual((await node.stop()).code, 0);
  });
}

async function run(t) {
  const script = { startSlot: START, withheld: [WITHHELD], missed: [MISSED], gloasEpoch: FORK / 8 };
  const chain = await new ScriptedChain(script).make();
  const honest = await chain.serve(t.world.port());
  t.atEnd(() => honest.close());
  const lies = Object.keys(FORGERIES).map((name) => forgery(t, chain, honest, name));
  await Promise.all([follow(t, chain, honest), claims(t, chain, honest), unknownForks(t, chain, honest), otherSchedules(t, chain, honest), slowQuote(t, chain, honest), signedAhead(t, chain, honest), ...lies]);
  await moreFields(t);
}

export default { title: "a scripted chain through Gloas and Amsterdam, and what can be told about it", run };
