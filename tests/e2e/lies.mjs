import assert from "node:assert";
import crypto from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { Interface, id } from "ethers";
import { LIES } from "../devnet/lib/proxy.mjs";
import * as client from "./lib/client.mjs";
import { sleep, until } from "./lib/node.mjs";

// Every lie of the proxy is told to nodes, one by one. Whatever is told: nothing wrong is signed, the head is one that the chain
// has and never goes back. A lie that could matter is refused, with a reason that names the endpoint; when it stops, the
// node serves again.

const LANES = { beacon: 5, execution: 2 }; // nodes at the same time that hear lies
const HEAL_MS = 25000;
const ENDURE_MS = 3000; // for lies that the node does not complain about
const FORGERY_MS = 60000; // a forged copy of an update that the node has already brings it nothing: the next one does
const ARGS = { delay: 1500, huge: 40, proof_other_block: 20, proof_storage_older: 20 };

// Lies that leave a right answer possible: the values are right, or what is false is only a hint, or is not used.
const HARMLESS = new Set([
  ...["delay", "wrong_type", "length_short", "drip"],
  ...["proof_extra_node", "storage_reordered", "access_list_empty", "access_list_wrong", "access_list_huge"],
  ...["quantity_padded", "hex_upper", "rpc_version_wrong", "rpc_both"],
  ...["lc_replay_finality", "lc_replay_optimistic", "lc_signature_slot", "lc_updates_empty", "lc_updates_reversed"],
  ...["lc_updates_gap", "lc_updates_repeated", "lc_updates_many", "lc_updates_unfinalized", "lc_bits_all"],
]);
// Forgeries that are valid objects: they may be taken, but must not move what is signed.
const HARMLESS_FORGERIES = new Set(["none", "few_signers", "one_signer"]);

// ---------------------------------------------------------------- execution

const randomAddress = () => "0x" + crypto.randomBytes(20).toString("hex");

// The next call to lie about.
class Questions {
  #chain;

  constructor(chain) {
    this.#chain = chain;
    const { abi } = chain.contracts;
    this.face = Object.fromEntries(Object.entries(abi).map(([name, list]) => [name, new Interface(list)]));
  }

  // Several accounts and slots, some of them never asked for before, so that the block does not matter.
  unknown() {
    const { probe, token } = this.#chain.contracts.addresses;
    const [one, other] = [randomAddress(), randomAddress()];
    return Math.random() < 0.5
      ? { to: probe, data: this.face.Probe.encodeFunctionData("viaToken", [one]) }
      : { to: token, data: this.face.Token.encodeFunctionData("transferFrom", [one, other, 0n]) };
  }

  // Three slots of one account that were never asked for, two of them with different values other than zero.
  async balances() {
    const { token, accounts } = this.#chain.contracts.addresses;
    const sender = randomAddress();
    const data = this.face.Token.encodeFunctionData("transferFrom", [accounts[0], await this.#recipient(), 0n]);
    return { from: sender, to: token, data };
  }

  // Somebody who was sent tokens.
  async #recipient() {
    const { token } = this.#chain.contracts.addresses;
    const topics = [id("Transfer(address,address,uint256)")];
    const filter = { fromBlock: "0x1", toBlock: "latest", address: token, topics };
    const logs = await this.#chain.ask("eth_getLogs", filter);
    const to = logs.map((log) => "0x" + log.topics[2].slice(26)).filter((address) => BigInt(address) > 1n << 100n);
    return to[Math.floor(Math.random() * to.length)];
  }

  // Contracts whose code the node has not seen yet, and functions of which it has not learned anything.
  #unseen = null;
  unseen() {
    const { token, impl, proxy, probe, delegated } = this.#chain.contracts.addresses;
    const at = (to, contract, name, ...args) => ({ to, data: this.face[contract].encodeFunctionData(name, args) });
    this.#unseen ??= [
      at(token, "Token", "motto"),
      at(impl, "Impl", "counter"),
      at(proxy, "Impl", "sum", 3n),
      { to: "0x0000F90827F1C53a10cb7A02335B175320002935", data: "0x" + "1".padStart(64, "0") },
      { to: "0x00000961Ef480Eb55e80D19ad83579A64c007002" },
      { to: "0x0000BBdDc7CE488642fb579F8B00f3a590007251" },
      at(delegated, "Impl", "sum", 3n),
      at(probe, "Probe", "slots"),
      at(probe, "Probe", "absent", 5n),
      at(probe, "Probe", "ext", token),
    ];
    assert(this.#unseen.length, "more lies about code than contracts: add some here");
    return this.#unseen.shift();
  }
}

// What the node says to a call while it is lied to: signed and true at a height that it can have been answered at, or
// refused with the endpoint's name.
async function judge(t, node, proxy, call, pubkey) {
  const chain = await t.world.chain();
  const from = await client.block(node, pubkey);
  const answer = await node.call(call);
  if (answer.status === 200) {
    const said = client.response(answer, pubkey);
    const to = await client.block(node, pubkey);
    const truths = [];
    for (let height = from; height <= to; height++) truths.push(await chain.call(call, height));
    const heights = `blocks ${from} to ${to}`;
    assert(
      truths.some((truth) => isDeepStrictEqual(said, truth)),
      `signed ${JSON.stringify(said)} at ${heights}`,
    );
    return { refused: false };
  }
  const { detail } = client.problem(answer);
  assert(detail.includes("execution_rpc[0]: "), `the reason does not name the endpoint: ${detail}`);
  assert(!detail.includes(new URL(proxy.url).host), `the reason names the endpoint's host: ${detail}`);
  assert(detail.length > 30, `no reason: ${detail}`);
  return { refused: true, detail };
}

const about = (name) => [].concat(LIES[name].on);
const needsUnseen = (name) => about(name).some((m) => m === "eth_getCode" || m === "eth_createAccessList");
const usedByCalls = (name) => needsUnseen(name) || about(name).some((m) => m === "eth_getProof" || m === "*");

async function executionLie(t, node, proxy, questions, pubkey, name) {
  const asked = usedByCalls(name);
  const storage = /^storage_/.test(name);
  const call = needsUnseen(name) ? questions.unseen() : storage ? await questions.balances() : questions.unknown();
  proxy.lie(name, { arg: ARGS[name] });
  let result;
  try {
    result = await judge(t, node, proxy, call, pubkey);
    // The node may have had all slots but those that are zero already: what it then was told was true. Ask about others.
    for (let tries = 0; storage && !result.refused && !HARMLESS.has(name) && tries < 8; tries++)
      result = await judge(t, node, proxy, await questions.balances(), pubkey);
    if (asked) assert(proxy.told[name], "the lie was not told: the node did not ask");
    if (asked && !HARMLESS.has(name)) assert(result.refused, "the lie was told and a signed answer given");
  } finally {
    proxy.honest();
  }
  await until("the node serves again", HEAL_MS, async () => {
    const again = await judge(t, node, proxy, call, pubkey);
    assert(!again.refused, again.detail);
    return true;
  });
  if (!asked) return "not asked for";
  return result.refused ? result.detail : "harmless, right answer";
}

async function executionLies(t, chain) {
  const names = Object.keys(LIES).filter((name) => LIES[name].layer !== "beacon");
  names.sort((a, b) => needsUnseen(b) - needsUnseen(a));
  const lane = async () => {
    const proxy = await t.world.proxy(chain, { accessLists: true });
    const node = await t.world.node("lies-execution").begin(chain.setup({ execution: proxy.url }));
    const pubkey = await client.attest(node);
    const questions = new Questions(chain);
    for (let name = names.shift(); name; name = names.shift())
      await t.test(`execution: ${name}`, () => executionLie(t, node, proxy, questions, pubkey, name));
    await t.test("execution: the node lived through all of it", () => endsWell(node));
  };
  await Promise.all(Array.from({ length: LANES.execution }, lane));
}

// ---------------------------------------------------------------- beacon

// The node's head is a block of the chain, and signed if at all with its number; returns the slot.
async function checkHead(t, node, floor) {
  const chain = await t.world.chain();
  const { head } = await node.status();
  if (!head) return floor;
  assert(head.slot >= floor, `the head went back from slot ${floor} to ${head.slot}`);
  const { message } = await chain.beacon(`/eth/v2/beacon/blocks/${head.slot}`);
  const truth = message.body.execution_payload;
  assert.deepStrictEqual(
    [head.block_number, head.block_hash],
    [Number(truth.block_number), truth.block_hash],
    `slot ${head.slot}`,
  );
  const answer = await node.get("/block");
  if (answer.status === 200) {
    const pubkey = await client.attest(node);
    const number = await client.block(node, pubkey);
    assert(await chain.block(number), `the chain has no block ${number}`);
  } else client.problem(answer);
  return head.slot;
}

const usedByHeads = (name) => LIES[name].layer === "transport" || /light_client/.test(String(LIES[name].on));
const complaints = ({ requests, failures, lies }) => failures + lies;

// The beacon's row of the status; refused: what it says once it complains about more than before.
async function beaconRow(node, proxy) {
  const { upstreams } = await node.status();
  const row = upstreams?.consensus[0];
  if (row) assert.strictEqual(row.endpoint, "consensus_rpc[0]");
  return row;
}

// While the lie is told: until the node complains, or has heard it a few times and had the time to.
async function endure(t, node, proxy, name, before, floor, patience = 0) {
  const began = Date.now();
  for (;;) {
    node.assertAlive();
    floor = await checkHead(t, node, floor);
    const row = await beaconRow(node, proxy);
    if (row && complaints(row) > before) {
      assert(row.reason.length > 3, "no reason");
      return { floor, reason: row.reason };
    }
    const heardOften = !usedByHeads(name) || (proxy.told[name] ?? 0) > 2;
    if (Date.now() - began > Math.max(patience, heardOften ? ENDURE_MS : 3 * ENDURE_MS)) return { floor, reason: null };
    await sleep(150);
  }
}

async function heals(t, node, floor) {
  await node.ready(HEAL_MS);
  await until("the head moves on", HEAL_MS, async () => (await checkHead(t, node, floor)) > floor, 250);
}

// Told from the start on to a node that has nothing yet, then again to the same node when it follows the chain.
async function beaconLie(t, proxy, chain, checkpoint, name, options) {
  const harmless = HARMLESS.has(name) || HARMLESS_FORGERIES.has(options.arg);
  const node = t.world.node("lies-beacon");
  try {
    proxy.lie(name, options);
    await node.start();
    await node.setup(chain.setup({ consensus: proxy.url, checkpoint }));
    const start = await endure(t, node, proxy, name, 0, 0);
    let told = proxy.told[name] ?? 0;
    proxy.honest();
    await heals(t, node, start.floor);

    const row = await beaconRow(node, proxy);
    const slot = await checkHead(t, node, start.floor);
    proxy.lie(name, options);
    const patience = name === "lc_forged" && !harmless && !start.reason ? FORGERY_MS : 0;
    const later = await endure(t, node, proxy, name, complaints(row), slot, patience);
    told += proxy.told[name] ?? 0;
    proxy.honest();
    await heals(t, node, later.floor);

    if (!usedByHeads(name)) return told ? "told, not used" : "not asked for";
    assert(told, "the lie was not told: the node did not ask");
    const reason = start.reason ?? later.reason;
    if (!harmless) assert(reason, "the lie was told and the status shows nothing");
    const { code } = await node.stop();
    assert.strictEqual(code, 0, `exit status ${code}`);
    return reason ?? "harmless, right head";
  } finally {
    proxy.honest();
    node.kill();
  }
}

// A forgery can be made only while the chain serves a finality update of the head's own period.
const forgeable = async (chain) => (await fetch(`${chain.beaconUrl}/devnet/forge?kind=none`)).ok;

// The next job that can be done now: forgeries as soon as they can be made.
async function nextJob(chain, plain, forgeries) {
  if (forgeries.length && (await forgeable(chain))) return forgeries.shift();
  if (plain.length) return plain.shift();
  await until("forgeries can be made", 90000, () => !forgeries.length || forgeable(chain), 500);
  return forgeries.shift();
}

async function beaconLies(t, chain) {
  const checkpoint = await chain.oldCheckpoint();
  const otherBeacon = (await t.world.otherChain()).beaconUrl;
  const names = Object.keys(LIES).filter((name) => LIES[name].layer !== "rpc" && name !== "lc_forged");
  const kinds = Object.keys(await (await fetch(`${chain.beaconUrl}/devnet/forge/kinds`)).json());
  const plain = names.map((name) => ({ title: name, name, options: { arg: ARGS[name] } }));
  const forgeries = kinds.map((arg) => ({ title: `lc_forged ${arg}`, name: "lc_forged", options: { arg } }));
  const lane = async () => {
    const proxy = await t.world.proxy(chain, { otherBeacon });
    for (let job = await nextJob(chain, plain, forgeries); job; job = await nextJob(chain, plain, forgeries)) {
      const { title, name, options } = job;
      await t.test(`beacon: ${title}`, () => beaconLie(t, proxy, chain, checkpoint, name, options));
    }
  };
  await Promise.all(Array.from({ length: LANES.beacon }, lane));
}

async function endsWell(node) {
  node.assertAlive();
  const { code } = await node.stop();
  assert.strictEqual(code, 0, `exit status ${code}`);
}

async function run(t) {
  const chain = await t.world.chain();
  await Promise.all([executionLies(t, chain), beaconLies(t, chain)]);
}

export default { title: "everything that an upstream can tell", run };
