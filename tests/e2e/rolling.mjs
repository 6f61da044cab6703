// Images replaced one by one under a consumer who polls: an order admits both, nodes are started anew from the new image, an
// order admits only that one. The commands are those of docs/overlay.md.
import assert from "node:assert";
import http from "node:http";
import * as client from "./lib/client.mjs";
import { request, sleep, until } from "./lib/node.mjs";
import { keys, member, operator } from "./lib/orders.mjs";
import { verifyStatement } from "../../sdk/js/kettle-verify.mjs";

const NAMES = ["one", "two", "three"];

// A round-robin proxy that asks the next node where one is gone or says 503.
async function proxy(t, members) {
  let turn = 0;
  const server = http.createServer(async (asked, answer) => {
    for (let tries = 0; tries < members.length; tries++) {
      const { node } = members[turn++ % members.length];
      try {
        const got = await request(node.url + asked.url, { timeoutMs: 5000 });
        if (got.status !== 503) return answer.writeHead(got.status, { "content-type": "application/json" }).end(got.text);
      } catch {
        continue;
      }
    }
    answer.writeHead(502).end();
  });
  const port = t.world.port();
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

// Asks for the newest block again and again, and keeps who signed it: {seen, failures, stop}.
function consumer(url) {
  const seen = [], failures = [];
  let over = false;
  const loop = (async () => {
    for (; !over; await sleep(100)) {
      const { status, text } = await request(`${url}/v1/block/latest`);
      if (status !== 200) failures.push(`${status} ${text}`);
      else seen.push(JSON.parse(text));
    }
  })();
  return { seen, failures, stop: () => ((over = true), loop) };
}

const signersOf = (statements) => [...new Set(statements.map(({ signer }) => signer))];

async function scenario(t) {
  await t.quiet();
  const chain = await t.world.chain();
  const operators = await operator(t, "rolling", chain);
  const { kettle, policy, policy_signers } = operators;
  const members = NAMES.map((name) => member(t, "rolling", name, "image-a"));
  const send = (file) => kettle("order", "send", ...members.flatMap(({ node }) => ["--node", node.url]), file);
  const begin = (one, admitted) => {
    const peers = members.filter((m) => m !== one && m.began).map(({ port }) => `127.0.0.1:${port}`);
    const setup = chain.setup({ peers, port: one.port, policy: policy(...admitted), policy_signers });
    if (peers.length) delete setup.checkpoint;
    one.began = true;
    return one.node.begin(setup);
  };

  for (const one of members) await begin(one, ["image-a"]);
  const first = await client.attest(members[0].node);
  const { setup: hash } = await members[0].node.status();
  const follows = async () => {
    const also = members.slice(1).flatMap(({ node }) => ["--also", node.url]);
    return (await kettle("verify", "--follow", "--pubkey", first, "--setup-hash", hash, ...also, members[0].node.url)).stdout;
  };
  const through = await proxy(t, members);
  const polls = consumer(through.url);

  await t.test("order 1 admits both images, and makes no key", async () => {
    const { file, order } = await operators.order(members, ["image-a", "image-b"], "--no-key");
    assert.deepStrictEqual([order.version, order.makers.length], [1, 0]);
    await send(file);
  });
  await t.test("each node is started anew from the new image: the key stays", async () => {
    for (const [i, name] of NAMES.entries()) {
      await members[i].node.stop();
      members[i].began = false;
      const fresh = member(t, "rolling", `${name}-b`, "image-b");
      await begin(fresh, ["image-a", "image-b"]);
      members[i] = fresh;
      assert.strictEqual(await client.attest(fresh.node), first, fresh.name);
      assert.strictEqual((await keys(fresh)).order.version, 1);
    }
    assert.match(await follows(), /generation 0\.0 signs/);
  });
  const before = polls.seen.length;
  let second;
  await t.test("order 2 drops the old image, and makes a key", async () => {
    const { file, order } = await operators.order(members, ["image-b"]);
    assert.deepStrictEqual([order.version, order.makers.length > 0], [2, true]);
    await send(file);
    second = await until("all sign with the new key", 60000, async () => {
      const seen = await Promise.all(members.map(({ node }) => client.attest(node)));
      assert(new Set(seen).size === 1 && seen[0] !== first);
      return seen[0];
    });
    for (const one of members) await client.block(one.node, second);
    assert.match(await follows(), new RegExp(`generation 2\\.[01] signs from slot \\d+ on, with key 0x${second}`));
  });
  await t.test("the consumer saw no failed request, and one signer until the rotation", async () => {
    await sleep(2000);
    const after = polls.seen.length;
    await sleep(2000);
    await polls.stop();
    assert.deepStrictEqual(polls.failures, []);
    const [old, ...more] = signersOf(polls.seen.slice(0, before));
    assert.deepStrictEqual(more, []);
    const [present, ...others] = signersOf(polls.seen.slice(after));
    assert.deepStrictEqual([others, signersOf(polls.seen).sort()], [[], [old, present].sort()]);
    for (const statement of polls.seen)
      verifyStatement(statement, { signers: [old, present], chainId: statement.domain.chainId, maxAge: null, setup: hash });
    return `${polls.seen.length} answers`;
  });
  through.close();
  for (const one of members) await one.node.stop();
}

export default { title: "images replaced one by one, under a consumer who polls", run: scenario };
