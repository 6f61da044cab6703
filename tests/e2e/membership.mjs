// Members on the chain: four nodes with guest agents of dstack register by themselves, Python is told who is there, one falls
// silent and comes back; a fifth, whose execution RPC lies, never tells a wrong list.
import assert from "node:assert";
import http from "node:http";
import path from "node:path";
import { parseTwice } from "./lib/client.mjs";
import { Contract, Python, startAgent } from "./lib/members.mjs";
import { sleep, until } from "./lib/node.mjs";
import { roundTrips } from "../devnet/lib/proxy.mjs";

const TIMEOUT_S = 60; // of heartbeats
const MAX_AGE_S = 20; // of the list that a node with a lying RPC gives
const ONE_SLOT_MS = 10000; // for what comes with the next block: five slots
const NOTICE_MS = 2000; // from the block that a node can know of to the callback
const INSTANCES = [1, 2, 3, 4].map((n) => String(n).repeat(40));
const endpoints = (...members) => members.map((n) => `https://${INSTANCES[n - 1]}-s.dstack.example`);
const FOUR = endpoints(1, 2, 3, 4);

// Lies about state that the list rests on: [the proxy's name, about what, what it does to the list].
const LIES = [
  ["storage_value_zero", {}, "hides members"],
  ["storage_value_wrong", {}, "adds one"],
  ["claim_absent", {}, "says that there is no contract"],
  ["proof_other_block", { arg: 20 }, "serves an old block's list"],
  ["rpc_error", { only: "eth_getProof" }, "refuses proofs"],
];

// {status, body} of the socket.
function ask(socketPath, target) {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath, path: target, agent: false }, (answer) => {
      let text = "";
      answer.setEncoding("utf8").on("data", (part) => (text += part));
      answer.on("end", () => resolve({ status: answer.statusCode, body: JSON.parse(text) }));
    });
    request.on("error", reject).end();
  });
}

const membership = (node, contract, more = {}) => ({
  contract,
  mode: "tls",
  attested_only: false,
  block: "latest",
  socket: path.join(node.dir, "state", "p2p.sock"),
  ...more,
});

// A node whose guest agent is of the instance.
async function member(t, chain, quote, contract, n) {
  const port = t.world.port();
  const agent = await startAgent(port, INSTANCES[n - 1], quote);
  t.atEnd(() => agent.close());
  const env = { DSTACK_SIMULATOR_ENDPOINT: `http://127.0.0.1:${port}` };
  const node = t.world.node(`member-${n}`, { env, options: ["--development", "--tee", "dstack"] });
  const block = n === 2 ? "finalized" : "latest";
  node.membership = membership(node, contract, { block });
  return node.begin(chain.setup({ cluster: "new", membership: node.membership }));
}

// When a light client could first know of each block: by its number, in ms.
function watchHeads(chain, t) {
  const seen = new Map();
  let ended = false;
  t.atEnd(() => (ended = true));
  (async () => {
    while (!ended) {
      const update = await chain.beacon("/eth/v1/beacon/light_client/optimistic_update").catch(() => null);
      const number = Number(update?.attested_header?.execution?.block_number);
      if (number && !seen.has(number)) seen.set(number, Date.now());
      await sleep(40);
    }
  })();
  return seen;
}

// The first block from `from` on whose list, by the execution client's own word, is that one.
const firstBlock = (chain, contract, list, from) =>
  until("a block with that list", (TIMEOUT_S + 60) * 1000, async () => {
    for (const height = await chain.height(); from <= height; from++) {
      const now = await contract.listAt(from);
      if (now.join() === list.join()) return from;
    }
    return null;
  }, 300);

const monitor = (kind) => [
  ...(kind === "plain" ? ["def changed(peers):", "    tell(peers)"] : ["async def changed(peers):", "    await asyncio.sleep(0)", "    tell(peers)"]),
  "await sdk.monitor_peers(changed)",
];

// Both monitors have been told exactly these lists, the last one soon after the node could know of its block.
async function told(monitors, lists, seen, block) {
  const late = [];
  for (const [kind, python] of Object.entries(monitors)) {
    await until(`the ${kind} callback`, ONE_SLOT_MS + 5000, () => python.lines.length >= lists.length, 20);
    await until(`block ${block} is known`, ONE_SLOT_MS, () => seen.has(block));
    late.push(python.lines.at(-1).at - seen.get(block));
  }
  await sleep(3000); // and no more often
  for (const python of Object.values(monitors)) assert.deepStrictEqual(python.lines.map((line) => line.told), lists);
  assert(Math.max(...late) < NOTICE_MS, `${late.join(", ")} ms`);
  return `${late.join(" and ")} ms after the light client's update of block ${block}`;
}

// One lie: as long as it is told, the list is the one before with its age and why, or an error; both name the endpoint.
async function lie(proxy, socket, [name, options], before) {
  proxy.lie(name, options);
  const answers = [];
  await until("it is lied to", ONE_SLOT_MS, () => proxy.told[name] > 0);
  for (const end = Date.now() + 5000; Date.now() < end; await sleep(250)) answers.push(await ask(socket, "/v1/p2p/peers"));
  for (const { status, body } of answers) {
    if (status !== 200) assert.match(body.detail, /execution_rpc\[0\]/);
    else assert.deepStrictEqual(body.peers, before, JSON.stringify(body));
    assert(status === 200 || status === 502, `${status} ${JSON.stringify(body)}`);
  }
  const stale = answers.filter(({ status, body }) => status === 200 && body.stale);
  for (const { body } of stale) assert(/execution_rpc\[0\]/.test(body.stale) && body.age_s < MAX_AGE_S, JSON.stringify(body));
  assert(stale.length, "no answer says that it is stale");
  proxy.honest();
  await until("it is not stale", ONE_SLOT_MS + 5000, async () => (await ask(socket, "/v1/p2p/peers")).body.stale === null);
  return `${stale.length} of ${answers.length} answers: ${stale.at(-1).body.stale.slice(0, 100)}`;
}

const OF_LIST = /^eth_(getProof|getCode|createAccessList|getStorageAt)$/;

// What reading the list has cost at each block: how many requests one after the other, in the order of the blocks.
function costs(entries) {
  const at = new Map();
  for (const entry of entries) {
    const asked = (entry.requests ?? []).find(({ method }) => OF_LIST.test(method));
    if (!asked) continue;
    const tag = JSON.stringify(asked.params.at(-1));
    at.set(tag, [...(at.get(tag) ?? []), entry]);
  }
  return [...at.values()].map((list) => ({ trips: roundTrips(list), labels: list.map(({ label }) => label).join(" | ") }));
}

async function showCosts(proxy, socket) {
  const mark = proxy.log.length;
  for (let blocks = 0; blocks < 6; ) {
    const { body } = await ask(socket, "/v1/p2p/peers"), asked = proxy.log.length;
    const again = await ask(socket, "/v1/p2p/peers");
    if (again.body.block_number === body.block_number) assert.deepStrictEqual(costs(proxy.log.slice(asked)), [], "0 within one block");
    blocks = costs(proxy.log.slice(mark)).length;
    await sleep(200);
  }
  const all = costs(proxy.log.slice(mark)).slice(1, -1); // whole ones
  assert(all.every(({ trips }) => trips === 1), JSON.stringify(all));
  return `${all.map(({ labels }) => labels).join(", then ")}`;
}

async function lying(t, chain, contract) {
  const proxy = await t.world.proxy(chain, { accessLists: true, delayMs: 30 });
  const node = t.world.node("member-lied-to");
  const with_ = membership(node, contract.address, { max_age_s: MAX_AGE_S });
  await node.begin(chain.setup({ cluster: "new", execution: proxy.url, membership: with_ }));
  const { socket } = with_;
  await until("a list", ONE_SLOT_MS, async () => (await ask(socket, "/v1/p2p/peers")).status === 200, 20);
  await t.test("round trips: 1 for each block after the first list, 0 within one", () => showCosts(proxy, socket));
  const { body } = await ask(socket, "/v1/p2p/peers");
  assert.deepStrictEqual(body.peers, FOUR);
  for (const row of LIES) await t.test(`an execution RPC that ${row[2]}: never a wrong list`, () => lie(proxy, socket, row, FOUR));
  await t.test(`refused for more than ${MAX_AGE_S} s: an error, never an empty list; in Python too`, async () => {
    proxy.lie("rpc_error", { only: "eth_getProof" });
    const { detail } = (await until("it is too old", (MAX_AGE_S + 20) * 1000, async () => {
      const answer = await ask(socket, "/v1/p2p/peers");
      return answer.status !== 200 && answer;
    })).body;
    const python = new Python(t, socket, contract.address, ["try:", "    tell(await sdk.get_peers())", "except Exception as error:", "    tell(type(error).__name__)"]);
    assert.strictEqual(await python.value(), "P2PError");
    proxy.honest();
    await until("the list is back", ONE_SLOT_MS, async () => (await ask(socket, "/v1/p2p/peers")).status === 200);
    return detail;
  });
  await t.test("a TEE without a KMS registers nothing: register() is False", async () => {
    assert.strictEqual(await new Python(t, socket, contract.address, ["tell(await sdk.register())"]).value(), false);
  });
  await node.stop();
}

// The four are in the list once their block is final for the node, and before that no list is of a block that is not.
async function listOnceFinal(node, block) {
  const finalBlock = async () => Number(JSON.parse((await node.get("/v1/block/finalized")).text).message.at.number);
  const { socket } = node.membership;
  await until(`block ${block} is final`, 240000, async () => {
    const { status, body } = await ask(socket, "/v1/p2p/peers");
    const now = await finalBlock();
    if (status === 200) assert(body.block_number <= now, `a list of block ${body.block_number}, which is not final`);
    return now >= block;
  }, 500);
  const began = Date.now();
  await until("the four", ONE_SLOT_MS, async () => {
    const { body } = await ask(socket, "/v1/p2p/peers");
    assert.deepStrictEqual(body.peers, FOUR, JSON.stringify(body));
    return true;
  });
  return `${Date.now() - began} ms after its block`;
}

async function run(t) {
  const chain = await t.world.chain();
  const seen = watchHeads(chain, t);
  const donor = await t.world.node("member-quote").begin(chain.setup());
  const { quote } = parseTwice((await donor.get("/attest")).text);
  await donor.stop();
  const contract = await Contract.deploy(t, chain, { timeout: TIMEOUT_S, instances: INSTANCES });
  const nodes = await Promise.all([1, 2, 3, 4].map((n) => member(t, chain, quote, contract.address, n)));
  const first = nodes[0].membership.socket;
  const python = (socket, lines) => new Python(t, socket, contract.address, lines);

  await t.test("four nodes register by themselves; get_peers() in Python returns the four with the next block", async () => {
    const calls = nodes.map(({ membership }) => python(membership.socket, ["tell(await sdk.register())"]).value());
    assert.deepStrictEqual(await Promise.all(calls), [true, true, true, true]);
    const began = Date.now();
    await until("the four", ONE_SLOT_MS, async () => {
      assert.deepStrictEqual(await python(first, ["tell(await sdk.get_peers())"]).value(), FOUR);
      return true;
    });
    return `${Date.now() - began} ms after the last register()`;
  });
  const final = listOnceFinal(nodes[1], await chain.height());
  final.catch(() => {});
  const monitors = { plain: python(first, monitor("plain")), async: python(first, monitor("async")) };
  await until("the first lists", ONE_SLOT_MS, () => Object.values(monitors).every(({ lines }) => lines.length === 1));
  await lying(t, chain, contract);
  await t.test("a node that reads finalized state has them once they are final", () => final);

  await t.test("one falls silent: it disappears when its time is over, and both callbacks are told once", async () => {
    const from = await chain.height();
    await nodes[3].crash();
    const block = await firstBlock(chain, contract, endpoints(1, 2, 3), from);
    return told(monitors, [FOUR, endpoints(1, 2, 3)], seen, block);
  });
  await t.test("it comes back, and both are told once more", async () => {
    const from = await chain.height();
    await nodes[3].start();
    await nodes[3].ready();
    assert.strictEqual(await python(nodes[3].membership.socket, ["tell(await sdk.register())"]).value(), true);
    const block = await firstBlock(chain, contract, FOUR, from);
    return told(monitors, [FOUR, endpoints(1, 2, 3), FOUR], seen, block);
  });
  for (const node of nodes) await node.stop();
}

export default { title: "members of a contract register, are listed and are missed", run };
