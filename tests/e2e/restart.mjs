import assert from "node:assert";
import fs from "node:fs";
import path from "node:path";
import * as client from "./lib/client.mjs";
import { sleep, until } from "./lib/node.mjs";
import { command } from "./lib/world.mjs";

const STOP_LIMIT_MS = 5000;

async function totalSupply(node, chain, pubkey) {
  const call = { to: chain.contracts.addresses.token, data: "0x18160ddd" };
  const { answer, height } = await client.callAtHeight(node, call, pubkey);
  assert.deepStrictEqual(client.response(answer, pubkey), await chain.call(call, height));
}

const consensusProcess = (chain) => {
  const rows = fs.readFileSync(path.join(chain.dir, "pids"), "utf8").trim().split("\n");
  return Number(rows.map((row) => row.split(" ")).find(([name]) => name === "cl")[1]);
};

// The chain is live again: its head is of this moment.
const chainLives = (chain) =>
  until("the chain goes on", 60000, async () => {
    const latest = await chain.ask("eth_getBlockByNumber", "latest", false);
    return Date.now() / 1000 - Number(latest.timestamp) < 3 * chain.slotSeconds;
  });

async function headMoves(node, pubkey, limitMs) {
  await node.ready(limitMs);
  const before = await client.block(node, pubkey);
  await until("the head moves on", limitMs, async () => (await client.block(node, pubkey)) > before);
}

async function theNode(t, node, chain) {
  const before = await until("a finalized head", 30000, async () => {
    const status = await node.status(); // ready already with the first head, which may come before the finalized one
    return status.finalized && status;
  });
  await t.test("SIGTERM: ends with 0 within 5 s", async () => {
    const { code, signal, ms } = await node.stop();
    assert.deepStrictEqual([code, signal], [0, null]);
    assert(ms < STOP_LIMIT_MS, `took ${ms} ms`);
    return `${ms} ms`;
  });
  for (const how of ["after SIGTERM", "after SIGKILL"]) {
    await t.test(`starts again ${how}: ready without a new setup, head not older`, async () => {
      const began = Date.now();
      await node.start();
      await node.ready();
      const ms = Date.now() - began;
      const after = await node.status();
      assert.strictEqual(after.setup, before.setup);
      assert(after.finalized.slot >= before.finalized.slot);
      // What is kept is the last finality update; a newer head comes with the first answer of the beacon node.
      await until("the head is not older", 10000, async () => (await node.status()).head.slot >= before.head.slot);
      await totalSupply(node, chain, await client.attest(node));
      if (how === "after SIGTERM") await node.crash();
      return `${ms} ms`;
    });
  }
}

async function theExecutionClient(t, node, chain, pubkey) {
  await t.test("execution client gone: /call is refused with its name, not signed; back: heals", async () => {
    const mark = fs.readFileSync(node.log, "utf8").length;
    await command(path.join(chain.devnet, "stop"), ["--dir", chain.dir, "--only", "el"], `${chain.dir}.log`);
    const answer = await node.call({ to: chain.contracts.addresses.probe, data: "0x4ac8eb5f" + "00".repeat(32) });
    if (answer.status === 200) client.response(answer, pubkey);
    else assert(client.problem(answer).detail.includes("execution_rpc[0]"), answer.text);
    await until("/readyz says so", 30000, async () => (await node.get("/readyz")).status === 503, 500);
    const { detail } = client.problem(await node.get("/readyz/call"));
    assert(detail.startsWith("execution_rpc[0]: "), detail);
    await command(path.join(chain.devnet, "restart-execution"), ["--dir", chain.dir], `${chain.dir}.log`);
    const began = Date.now();
    await chainLives(chain);
    await headMoves(node, pubkey, 60000);
    await until("/call works", 30000, () => totalSupply(node, chain, pubkey).then(() => true));
    await until("/readyz says so", 30000, async () => (await node.get("/readyz")).status === 200, 500);
    const { ready, answers } = await node.status();
    assert.deepStrictEqual(ready, { block: true, call: true, reason: "" });
    assert(answers.calls > 0 && answers.block > 0, JSON.stringify(answers));
    const log = fs.readFileSync(node.log, "utf8").slice(mark);
    for (const told of ["no execution RPC answers", "the execution RPC answers again"])
      assert.strictEqual(log.split(told).length, 2, `${told}: told once`);
    return `${answer.status}, then well again after ${Date.now() - began} ms`;
  });
}

async function theBeaconNode(t, node, chain, pubkey) {
  const maxAgeMs = 25 * chain.slotSeconds * 1000;
  await t.test("beacon node silent until the head is too old: 503 with the reason; back: heals", async () => {
    const pid = consensusProcess(chain);
    process.kill(pid, "SIGSTOP");
    try {
      await until("degraded", maxAgeMs + 20000, async () => (await node.get("/readyz")).status === 503, 500);
      const { state, reason, upstreams } = await node.status();
      assert.strictEqual(state, "degraded");
      assert(reason.length > 5);
      const [{ endpoint, failing, reason: why }] = upstreams.consensus;
      assert.deepStrictEqual([endpoint, failing], ["consensus_rpc[0]", true]);
      assert(why.length > 3);
      assert.strictEqual(client.problem(await node.get("/block")).status, 503);
      t.say(`degraded: ${reason}; ${endpoint}: ${why}`);
    } finally {
      process.kill(pid, "SIGCONT");
    }
    const began = Date.now();
    await chainLives(chain);
    await headMoves(node, pubkey, 60000);
    return `well again after ${Date.now() - began} ms`;
  });
}

// Whether both endpoints go away at once and come back, at the level of connections.
async function bothGone(t, chain) {
  const proxy = await t.world.proxy(chain);
  const setup = chain.setup({ execution: proxy.url, consensus: proxy.url });
  const node = await t.world.node("restart-both").begin(setup);
  const pubkey = await client.attest(node);
  await t.test("both upstreams refuse connections for 10 s, then heal", async () => {
    await proxy.close();
    await sleep(10000);
    node.assertAlive();
    const row = (await node.status()).upstreams.consensus[0];
    assert(row.failing && row.reason.length > 3, JSON.stringify(row));
    await proxy.start();
    await headMoves(node, pubkey, 60000);
    await until("/call works", 30000, () => totalSupply(node, chain, pubkey).then(() => true));
    return row.reason;
  });
  await node.stop();
}

async function run(t) {
  await t.quiet();
  const chain = await t.world.chain();
  const node = await t.world.node("restart").begin(chain.setup({ force: undefined }));
  await theNode(t, node, chain);
  const pubkey = await client.attest(node);
  await bothGone(t, chain);
  await theExecutionClient(t, node, chain, pubkey);
  await theBeaconNode(t, node, chain, pubkey);
  await t.test("ends with 0", async () => assert.strictEqual((await node.stop()).code, 0));
}

export default { title: "the node, the execution client and the beacon node go away and come back", run };
