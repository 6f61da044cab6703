// Three nodes, one key, one beacon API: joining, signing alike, dying and coming back in every combination. Only the first
// node has the API, and the others follow by what it gives them.
import assert from "node:assert";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import * as client from "./lib/client.mjs";
import { sleep, until } from "./lib/node.mjs";

const BACK_MS = 15000;

// A node with its overlay port and, once its peers are known, its setup.
const member = (t, name) => ({
  name,
  node: t.world.node(`cluster-${name}`, { options: ["--development", "--simulator-seed", "cluster"] }),
  port: t.world.port(),
});
const at = ({ port }) => `127.0.0.1:${port}`;

async function begin(chain, one, peers, consensus) {
  await one.node.start();
  const { simulator_root } = (await one.node.status()).tee;
  const policy = { version: 1, mode: "same-as-self", simulator_root };
  one.setup = chain.setup({ peers: peers.map(at), port: one.port, policy, consensus });
  if (peers.length) delete one.setup.checkpoint; // members name where the chain is
  const answer = await one.node.setup(one.setup);
  assert.deepStrictEqual([answer.status, answer.text.trim()], [200, '{"status":"success"}']);
  await one.node.ready();
}

async function back(t, chain, all, dead, pubkey) {
  const names = dead.map((one) => one.name).join(" and ");
  await t.test(`kill -9 of ${names}: back, with the same key, in under ${BACK_MS / 1000} s`, async () => {
    for (const one of dead) await one.node.crash();
    const began = Date.now();
    await Promise.all(dead.map((one) => one.node.start()));
    await Promise.all(dead.map((one) => one.node.ready(BACK_MS)));
    const ms = Date.now() - began;
    assert(ms < BACK_MS, `took ${ms} ms`);
    for (const one of all) assert.strictEqual(await client.attest(one.node), pubkey, one.name);
    return `${ms} ms`;
  });
}

// Everything of a statement but how many signed the update that its node rests on, and what signs that.
function besideSigners(text) {
  const statement = JSON.parse(text);
  delete statement.message.at.signers;
  return JSON.stringify({ ...statement, signature: null });
}

// The bytes of one answer from every node, asked until all are at the same head. Two that rest on different updates of one
// head may differ in `signers`; those that do not are the same to the byte.
async function identical(t, all) {
  await t.test("the same request on the same block: identical bytes from every node", () =>
    until("all three say the same", 20000, async () => {
      const answers = await Promise.all(all.map(({ node }) => node.get("/v1/block/finalized")));
      const texts = answers.map((answer) => answer.text);
      assert.strictEqual(answers[0].status, 200, texts[0]);
      const signers = (text) => JSON.parse(text).message.at.signers;
      const differ = new Set(texts.map(besideSigners)).size > 1;
      if (differ || new Set(texts).size !== new Set(texts.map(signers)).size) throw new Error(texts.join("\n"));
      return `${texts[0].length} bytes, ${new Set(texts).size} updates`;
    }),
  );
}

const logged = (one, pattern) =>
  until(`${one.name} logs ${pattern}`, 15000, async () => {
    const found = fs.readFileSync(one.node.log, "utf8").match(pattern);
    if (!found) throw new Error("it does not");
    return found[0];
  });

// What the only beacon API does reaches the nodes that have none, with its reason.
async function oneApi(t, proxy, a, others) {
  await t.test("nodes without a beacon API follow by what a member gives them", async () => {
    const before = await Promise.all(others.map(async (one) => (await one.node.status()).head.slot));
    await until("their heads move", 20000, async () => {
      for (const [i, one] of others.entries()) {
        const status = await one.node.status();
        if (status.state !== "ready" || status.head.slot <= before[i]) throw new Error(JSON.stringify(status.head));
      }
      return true;
    });
  });
  // What they log of it, and what their status says once the last head is too old to sign for.
  const sayWhy = async (what) => {
    const why = [];
    const says = new RegExp(`member 16Uiu2\\S+ optimistic_update: consensus_rpc\\[0\\]: [^"]*${what}`);
    for (const one of others) why.push(await logged(one, says));
    for (const one of others)
      await until(`${one.name} is degraded`, 80000, async () => {
        const { state, reason } = await one.node.status();
        if (state !== "degraded" || !says.test(reason)) throw new Error(`${state}: ${reason}`);
        assert.strictEqual((await one.node.get("/block")).status, 503);
        return true;
      });
    return why[0];
  };
  await t.test("the API lies: they are degraded, say why, and whose it is; it is honest again: they go on", async () => {
    proxy.lie("lc_sig_flip");
    const why = await sayWhy("signature does not verify");
    assert(proxy.told.lc_sig_flip > 0);
    proxy.honest();
    for (const one of others) await one.node.ready();
    return why;
  });
  await t.test("the API dies: they are degraded, say so, and whose it is", async () => {
    await proxy.close();
    return sayWhy("nothing listens there");
  });
}

async function run(t) {
  await t.quiet();
  const chain = await t.world.chain();
  const [a, b, c] = ["a", "b", "c"].map((name) => member(t, name));
  const all = [a, b, c];
  const proxy = await t.world.proxy(chain);
  await begin(chain, a, [], proxy.url);
  const pubkey = await client.attest(a.node);

  await t.test("two nodes join by ip:port and sign with the same key", async () => {
    await begin(chain, b, [a], []);
    await begin(chain, c, [b], []); // it is told of one, and finds the other
    for (const one of all) {
      assert.strictEqual(await client.attest(one.node), pubkey, one.name);
      await client.block(one.node, pubkey);
    }
    const setups = await Promise.all(all.map(async (one) => (await one.node.status()).setup));
    assert.strictEqual(new Set(setups).size, 1);
  });
  await t.test(`/call of each verifies`, async () => {
    const call = { to: chain.contracts.addresses.token, data: "0x18160ddd" };
    for (const one of all) client.response((await client.callAtHeight(one.node, call, pubkey)).answer, pubkey);
  });
  await identical(t, all);
  await t.test("who knows one peer finds the others: everybody is connected to everybody", () =>
    until("each has two members", 10000, async () => {
      for (const one of all) {
        const { members } = JSON.parse((await one.node.get("/v1/peers")).text);
        const there = members.filter(({ state }) => state === "peer").length;
        if (there !== 2) throw new Error(`${one.name} has ${there}`);
      }
      return "two each";
    }),
  );
  await t.test("kettle peers shows them", async () => {
    const { status, stdout } = spawnSync(path.join(t.world.build, "kettle"), ["peers", a.node.url], { encoding: "utf8" });
    assert.strictEqual(status, 0);
    assert.strictEqual(stdout.match(/^  peer +16Uiu2\S+ .*holds the key, finalized slot \d+$/gm)?.length, 2, stdout);
    return stdout.split("\n")[1].trim();
  });
  await t.test("c's only configured peer dies: c goes on, and starts again without it", async () => {
    await sleep(1000); // what it was told is on disk by then
    await b.node.crash();
    await c.node.crash();
    const began = Date.now();
    await c.node.start();
    await c.node.ready(BACK_MS);
    assert.strictEqual(await client.attest(c.node), pubkey);
    const ms = Date.now() - began;
    await b.node.start();
    await b.node.ready(BACK_MS);
    return `${ms} ms`;
  });
  await back(t, chain, all, [a], pubkey);
  await back(t, chain, all, [b], pubkey);
  await back(t, chain, all, [a, b], pubkey);
  await back(t, chain, all, [b, c], pubkey);
  if (t.world.full) for (const dead of [[c], [a, c]]) await back(t, chain, all, dead, pubkey);
  await t.test("all three killed: a new key and a new cluster, said in the log", async () => {
    for (const one of all) await one.node.crash();
    await Promise.all(all.map((one) => one.node.start()));
    await Promise.all(all.map((one) => one.node.ready(30000)));
    const keys = await Promise.all(all.map((one) => client.attest(one.node)));
    assert.strictEqual(new Set(keys).size, 1);
    assert.notStrictEqual(keys[0], pubkey);
    assert.match(fs.readFileSync(a.node.log, "utf8"), /a new key and a new cluster are made/);
  });
  await oneApi(t, proxy, a, [b, c]);
  for (const one of all) await one.node.stop();
}

export default { title: "three nodes share one key", run };
