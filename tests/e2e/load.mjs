import assert from "node:assert";
import fs from "node:fs";
import { Interface } from "ethers";
import * as client from "./lib/client.mjs";
import { hammered } from "./lib/hammered.mjs";
import { idle } from "./lib/idle.mjs";

const CALLERS = 8; // each sends one request after the other
const MANY_SLOTS = 600n; // more than go into one JSON-RPC batch
const WIDE_EVERY = 100; // calls of which one reads that many: the execution client takes a second to prove them

const NAME = "0x06fdde03"; // name()

const digits = (n) => n.toString(16).padStart(40, "0");

// A call that no one has made before: nothing that it reads is known.
function freshCall({ addresses: a, abi }, n) {
  const call = (contract, to, name, ...args) => ({
    to,
    data: new Interface(abi[contract]).encodeFunctionData(name, args),
  });
  const someone = "0x" + digits(0x10000 + n);
  if (n % WIDE_EVERY === 0) return call("Impl", a.delegated, "sum", MANY_SLOTS + BigInt(n));
  switch (n % 5) {
    case 0: return call("Token", a.token, "balanceOf", someone);
    case 1: return call("Probe", a.probe, "viaToken", someone);
    case 2: return call("Impl", a.proxy, "at", BigInt(n));
    case 3: return call("Probe", a.probe, "ext", someone);
    default: return call("Probe", a.probe, "hashes", BigInt(n % 250) + 1n);
  }
}

async function run(t) {
  const chain = await t.world.chain();
  const seconds = t.world.full ? 60 : 20;
  for (const lists of [true, false]) {
    const proxy = await t.world.proxy(chain, { accessLists: lists });
    const setup = chain.setup({ execution: proxy.url, checkpoint: await chain.oldCheckpoint() });
    const node = await t.world.node(`load-${lists ? "lists" : "plain"}`).begin(setup);
    const pubkey = await client.attest(node);
    await t.test(`${CALLERS} callers for ${seconds} s, ${lists ? "with" : "without"} access lists: every answer signed, or a clear error`, () =>
      mixed(node, chain, pubkey, seconds),
    );
    if (t.world.full && lists) await idle(t, node, 1000);
    if (t.world.full && lists) await hammered(t, node, 60, { to: chain.contracts.addresses.token, data: NAME });
    await t.test("the program ends by itself when told to, and a sanitizer found nothing", async () => {
      const { code, signal } = await node.stop();
      const said = fs.readFileSync(node.log, "utf8").match(/(WARNING: ThreadSanitizer|ERROR: AddressSanitizer|runtime error).*/g);
      assert.strictEqual(said, null, `${said?.length} reports in ${node.log}: ${said?.[0]}`);
      assert.deepStrictEqual([code, signal], [0, null]);
    });
  }
}

// The execution client here is slower than the node: it may be too slow for a call, which is then a clear error.
async function call(node, counts, pubkey, request) {
  const answer = await node.call(request);
  if (answer.status === 200) return client.response(answer, pubkey);
  const { status, detail } = client.problem(answer);
  assert([502, 504].includes(status) && /stalled|took longer|timed out/.test(detail), answer.text);
  counts.tooSlow++;
}

export async function mixed(node, chain, pubkey, seconds) {
  const end = Date.now() + seconds * 1000;
  const counts = { call: 0, block: 0, attest: 0, status: 0, tooSlow: 0 };
  let n = 0;
  const fresh = () => call(node, counts, pubkey, freshCall(chain.contracts, n++));
  const steps = [
    ["call", fresh],
    ["block", () => client.block(node, pubkey)],
    ["call", fresh],
    ["attest", async () => assert.strictEqual(await client.attest(node), pubkey)],
    ["call", fresh],
    ["status", async () => assert.strictEqual((await node.status()).state, "ready")],
  ];
  const caller = async (first) => {
    for (let i = first; Date.now() < end; i++) {
      const [name, step] = steps[i % steps.length];
      await step();
      counts[name]++;
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, (_, i) => caller(i)));
  assert(counts.tooSlow * 10 < counts.call, `the execution client was too slow for ${counts.tooSlow} of ${counts.call} calls`);
  const { tooSlow, ...served } = counts;
  const told = Object.entries(served).map(([name, count]) => `${count} /${name}`);
  return `${told.join(", ")}; ${tooSlow} calls ended because the execution client was too slow`;
}

export default { title: "many clients at once, mixed", run };
