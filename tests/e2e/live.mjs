import assert from "node:assert";
import { execFile } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { promisify } from "node:util";
import * as client from "./lib/client.mjs";
import { calls } from "./lib/calls.mjs";
import { sleep, until } from "./lib/node.mjs";

// The head is compared every second: never more than 2 behind the execution client's, never back, never ahead.
async function watchHead(node, chain, pubkey, seconds) {
  const lags = [0, 0, 0];
  const end = Date.now() + seconds * 1000;
  let last = 0;
  let samples = 0;
  while (Date.now() < end) {
    const head = await chain.height();
    const number = await client.block(node, pubkey);
    const headAfter = await chain.height();
    assert(head - number <= 2, `/block says ${number}, the chain's head is ${head}`);
    assert(number <= headAfter, `/block says ${number}, ahead of the chain's ${headAfter}`);
    assert(number >= last, `/block went back from ${last} to ${number}`);
    last = number;
    lags[Math.max(0, head - number)]++;
    samples++;
    await sleep(1000);
  }
  return `${samples} samples in ${seconds} s; 0, 1, 2 behind: ${lags.join(", ")} times`;
}

async function compare(node, chain, pubkey, { call, expect }) {
  const { answer, height } = await client.callAtHeight(node, call, pubkey);
  if (expect === "refused") {
    assert.strictEqual(client.problem(answer).status, 422, answer.text);
    assert.strictEqual(await chain.call(call, height), "Error");
    return;
  }
  const mine = client.response(answer, pubkey);
  const truth = await chain.call(call, height);
  if (typeof expect === "function") expect(mine, truth, call);
  else assert.deepStrictEqual(mine, truth, `at block ${height}`);
}

// The address that the probe's last make() created.
async function lastChild(chain) {
  const { addresses, layout } = chain.contracts;
  const { slot, offset } = layout.Probe.storage.find((row) => row.label === "last");
  return until("the workload creates a contract", 60000, async () => {
    const word = await chain.ask("eth_getStorageAt", addresses.probe, "0x" + BigInt(slot).toString(16), "latest");
    const value = (BigInt(word) >> BigInt(8 * offset)) & ((1n << 160n) - 1n);
    return value && "0x" + value.toString(16).padStart(40, "0");
  });
}

async function run(t) {
  const chain = await t.world.chain();
  const node = t.world.node("live");
  t.say(`chain at block ${await chain.height()}; node at ${node.url}`);
  let pubkey;

  await t.test("before setup: alive, not ready, nothing signed", async () => {
    await node.start();
    assert.strictEqual((await node.status()).state, "awaiting-setup");
    assert.strictEqual((await node.get("/readyz")).status, 503);
    assert.strictEqual(client.problem(await node.get("/block")).status, 503);
    assert.strictEqual(client.problem(await node.call({ to: chain.contracts.addresses.token })).status, 503);
  });
  const started = await t.test("setup, sync over all periods since the oldest bootstrap, ready", async () => {
    const answer = await node.setup(chain.setup({ checkpoint: await chain.oldCheckpoint(), force: undefined }));
    assert.deepStrictEqual([answer.status, answer.text.trim()], [200, '{"status":"success"}']);
    const began = Date.now();
    await node.ready();
    const { sync, head } = await node.status();
    return `${Date.now() - began} ms, ${sync.periods_done} periods, head at slot ${head.slot}`;
  });
  if (!started) throw new Error("without a ready node nothing else can be shown");
  await t.test("the setup port is closed after success", () =>
    until("the port closes", 5000, () =>
      node.setup("{}").then(
        () => false,
        (e) => e.code === "ECONNREFUSED",
      ),
    ),
  );
  await t.test("/attest: the quote is well-formed, signed, and binds the key", async () => {
    pubkey = await client.attest(node);
    assert.strictEqual(await client.attest(node), pubkey);
  });
  await t.test("/block: signed, and the chain has it", async () => {
    const number = await client.block(node, pubkey);
    assert(await chain.block(number), `the chain has no block ${number}`);
    return `block ${number}`;
  });
  await t.test("/v1/status says everything", () => checkStatus(node, chain, pubkey));

  await t.test("bench devnet: from setup to ready", () => benchReady(t, chain));

  const seconds = t.world.quick ? 40 : 180;
  t.say(`watching the head for ${seconds} s while the rest goes on`);
  t.background(
    t.test(`/block within 2 of the chain's head for ${seconds} s`, () => watchHead(node, chain, pubkey, seconds)),
  );

  const list = calls(chain.contracts, await lastChild(chain));
  let good = 0;
  for (const row of list) {
    if (await t.test(`/call ${row.name}`, () => compare(node, chain, pubkey, row), { quiet: true })) good++;
  }
  t.say(`/call: ${good} of ${list.length} calls as the execution client's eth_call, or clearly refused`);
}

// The bench needs a running chain, and here is one. It asserts round trips, never time.
async function benchReady(t, chain) {
  const file = path.join(chain.dir, "setup.json");
  fs.writeFileSync(file, JSON.stringify(chain.setup({ checkpoint: await chain.oldCheckpoint(), force: undefined })));
  const env = { ...process.env, DEVNET_SETUP: file };
  const { stdout } = await promisify(execFile)(path.join(t.world.build, "bench"), ["devnet"], { env });
  assert(Number(stdout.match(/(\d+) sequential round trips/)[1]) <= 3, stdout);
  return stdout.trim().split("\n").at(-1);
}

async function checkStatus(node, chain, pubkey) {
  const s = await until("a young head", 60000, async () => { // a beacon node that has just begun names an old one
    const now = await node.status();
    return now.head.age_s < 30 && now;
  });
  assert.strictEqual(s.state, "ready");
  assert.strictEqual(s.network, "devnet");
  assert.strictEqual(s.pubkey.replace(/^0x/, ""), pubkey);
  assert.deepStrictEqual([s.tee.provider, s.tee.simulated], ["simulator", true]);
  assert.match(s.setup, /^0x[0-9a-f]{64}$/);
  assert(Number.isInteger(s.uptime_s) && typeof s.version === "string");
  assert.strictEqual((await chain.block(s.head.block_number)).hash, s.head.block_hash);
  assert(s.head.participants * 3 >= chain.summary.sync_committee_size * 2, JSON.stringify(s.head));
  assert(s.finalized.slot <= s.head.slot && s.finalized.block_number <= s.head.block_number);
  assert.strictEqual(s.sync.periods_done, s.sync.periods_total);
  assert.deepStrictEqual(
    s.upstreams.execution.map((u) => u.endpoint),
    ["execution_rpc[0]"],
  );
  assert.deepStrictEqual(
    s.upstreams.consensus.map((u) => u.endpoint),
    ["consensus_rpc[0]"],
  );
  assert.deepStrictEqual(
    s.upstreams.consensus.map((u) => [u.failing, u.lies]),
    [[false, 0]],
  );
}

export default { title: "set up, sync, follow the head; signatures; every call as eth_call", run };
