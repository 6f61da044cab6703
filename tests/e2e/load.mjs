import assert from "node:assert";
import fs from "node:fs";
import { Interface } from "ethers";
import * as client from "./lib/client.mjs";

const CALLERS = 8; // each sends one request after the other
const MANY_SLOTS = 700n; // more than go into one JSON-RPC batch

const digits = (n) => n.toString(16).padStart(40, "0");

// A call that no one has made before: nothing that it reads is known.
function freshCall({ addresses: a, abi }, n) {
  const call = (contract, to, name, ...args) => ({
    to,
    data: new Interface(abi[contract]).encodeFunctionData(name, args),
  });
  const someone = "0x" + digits(0x10000 + n);
  switch (n % 6) {
    case 0: return call("Token", a.token, "balanceOf", someone);
    case 1: return call("Probe", a.probe, "viaToken", someone);
    case 2: return call("Impl", a.proxy, "at", BigInt(n));
    case 3: return call("Probe", a.probe, "ext", someone);
    case 4: return call("Probe", a.probe, "hashes", BigInt(n % 250) + 1n);
    default: return call("Impl", n % 12 === 5 ? a.impl : a.delegated, "sum", MANY_SLOTS + BigInt(n));
  }
}

async function run(t) {
  const chain = await t.world.chain();
  const seconds = t.world.quick ? 20 : 60;
  for (const lists of [true, false]) {
    const proxy = await t.world.proxy(chain, { accessLists: lists });
    const setup = chain.setup({ execution: proxy.url, checkpoint: await chain.oldCheckpoint() });
    const node = await t.world.node(`load-${lists ? "lists" : "plain"}`).begin(setup);
    const pubkey = await client.attest(node);
    await t.test(`${CALLERS} callers for ${seconds} s, ${lists ? "with" : "without"} access lists: every answer signed`, () =>
      mixed(node, chain, pubkey, seconds),
    );
    await t.test("the program ends by itself when told to, and a sanitizer found nothing", async () => {
      const { code, signal } = await node.stop();
      const said = fs.readFileSync(node.log, "utf8").match(/(WARNING: ThreadSanitizer|ERROR: AddressSanitizer|runtime error).*/g);
      assert.strictEqual(said, null, `${said?.length} reports in ${node.log}: ${said?.[0]}`);
      assert.deepStrictEqual([code, signal], [0, null]);
    });
  }
}

async function mixed(node, chain, pubkey, seconds) {
  const end = Date.now() + seconds * 1000;
  const counts = { call: 0, block: 0, attest: 0, status: 0 };
  let n = 0;
  const steps = [
    ["call", async () => client.response(await node.call(freshCall(chain.contracts, n++)), pubkey)],
    ["block", () => client.block(node, pubkey)],
    ["call", async () => client.response(await node.call(freshCall(chain.contracts, n++)), pubkey)],
    ["attest", async () => assert.strictEqual(await client.attest(node), pubkey)],
    ["call", async () => client.response(await node.call(freshCall(chain.contracts, n++)), pubkey)],
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
  return Object.entries(counts)
    .map(([name, count]) => `${count} /${name}`)
    .join(", ");
}

export default { title: "many clients at once, mixed", run };
