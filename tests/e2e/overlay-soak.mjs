// Seven nodes for as long as OVERLAY_SOAK_S says (an hour): two hear nothing but lies of their endpoints, a hostile peer knocks at
// all, and every half a minute one is killed without warning. In the end every correct one is ready with the key of the beginning,
// and one that was never killed has grown by nothing.
import assert from "node:assert";
import crypto from "node:crypto";
import fs from "node:fs";
import { LIES } from "../devnet/lib/proxy.mjs";
import * as client from "./lib/client.mjs";
import { sleep, until } from "./lib/node.mjs";
import { RawPeer, frame } from "./lib/rawpeer.mjs";

const SOAK_S = Number(process.env.OVERLAY_SOAK_S ?? 3600);
const NODES = 7, LIED_TO = 2;
const WARM_MS = 120000; // after which memory has to be flat
const GROWTH_KIB = 4096;
const KILL_MS = [20000, 40000];
const SETTLE_MS = 120000;

const pick = (list) => list[crypto.randomInt(list.length)];
const anonymousKib = (pid) => Number(/RssAnon:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

async function begin(t, chain, i, peers) {
  const lied = i >= NODES - LIED_TO;
  const proxy = lied ? await t.world.proxy(chain) : null;
  const one = {
    name: "abcdefg"[i], proxy, lied, port: t.world.port(),
    node: t.world.node(`soak-${"abcdefg"[i]}`, { options: ["--development", "--simulator-seed", "overlay-soak"] }),
  };
  await one.node.start();
  const { simulator_root } = (await one.node.status()).tee;
  const policy = { version: 1, mode: "same-as-self", simulator_root };
  const upstreams = proxy ? { execution: proxy.url, consensus: proxy.url } : {};
  const setup = chain.setup({ peers, port: one.port, policy, ...upstreams });
  if (peers.length) delete setup.checkpoint;
  const answer = await one.node.setup(setup);
  assert.strictEqual(answer.status, 200, answer.text);
  await one.node.ready(120000);
  return one;
}

// Somebody who is nobody: connects, says something wrong, hangs on.
async function knock(all) {
  const peer = new RawPeer(pick(all).port, `127.0.4.${1 + crypto.randomInt(200)}`);
  try {
    if (crypto.randomInt(2)) {
      await Promise.race([peer.upgrade(), sleep(4000)]);
      if (peer.key) peer.say(frame(pick([0, 1, 2]), pick([0, 1, 4]), crypto.randomInt(9), crypto.randomInt(1 << 20)));
    } else peer.send(crypto.randomBytes(crypto.randomInt(2000)));
    await Promise.race([peer.ended, sleep(3000)]);
  } catch {
    // it was turned away
  }
  peer.destroy();
}

async function run(t) {
  const chain = await t.world.chain();
  const all = [];
  for (let i = 0; i < NODES; i++) all.push(await begin(t, chain, i, all.slice(0, 2).map(({ port }) => `127.0.0.1:${port}`)));
  const pubkey = await client.attest(all[0].node);
  const correct = all.filter(({ lied }) => !lied), steady = correct[correct.length - 1];
  const lies = Object.keys(LIES).filter((name) => LIES[name].layer !== "transport");
  const count = { kills: 0, blocks: 0, knocks: 0, lies: 0 };
  const end = Date.now() + SOAK_S * 1000;
  let warm = null;
  await t.test(`${SOAK_S} s of kills, lies and strangers: what is answered is right`, async () => {
    const began = Date.now();
    const lane = async (work) => {
      while (Date.now() < end) await work();
    };
    await Promise.all([
      lane(async () => {
        await sleep(crypto.randomInt(...KILL_MS));
        const one = pick(all.filter((x) => x !== steady));
        await one.node.crash();
        await sleep(crypto.randomInt(5000));
        await one.node.start();
        count.kills++;
      }),
      lane(async () => {
        for (const { proxy } of all.filter(({ lied }) => lied)) {
          proxy.honest();
          for (let i = 0; i < 3; i++) proxy.lie(pick(lies));
          count.lies++;
        }
        await sleep(4000);
      }),
      lane(async () => {
        const { node } = pick(all);
        const answer = await node.get("/block").catch(() => null); // just killed
        if (answer?.status === 200) {
          await client.block({ get: async () => answer }, pubkey);
          count.blocks++;
        }
        await sleep(500);
      }),
      lane(async () => {
        await knock(all);
        count.knocks++;
      }),
      lane(async () => {
        await sleep(1000);
        if (!warm && Date.now() - began > Math.min(WARM_MS, SOAK_S * 500)) warm = anonymousKib(steady.node.pid);
      }),
    ]);
    return JSON.stringify(count);
  });
  await t.test("every correct node is ready, with the key of the beginning", async () => {
    await until("all are", SETTLE_MS, async () => {
      for (const { node, name } of correct) assert.strictEqual(await client.attest(node), pubkey, name);
      for (const { node } of correct) await client.block(node, pubkey);
      return true;
    }, 1000);
  });
  await t.test("memory is flat", async () => {
    const now = anonymousKib(steady.node.pid);
    assert(now <= warm + GROWTH_KIB, `${warm} KiB once it was warm, ${now} KiB in the end`);
    return `${warm} KiB once it was warm, ${now} KiB in the end`;
  });
  for (const { node } of all) await node.stop();
}

export default { title: "seven nodes, two of them lied to, random kills", run };
