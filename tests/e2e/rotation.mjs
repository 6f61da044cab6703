// A new key in a running cluster: an order excludes one node's image and names two makers; the first is killed before it
// has made the key.
import assert from "node:assert";
import crypto from "node:crypto";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import * as client from "./lib/client.mjs";
import { until } from "./lib/node.mjs";

const run = promisify(execFile);
const ROTATED_MS = 30000; // from the COMMIT to signatures of the new generation

// What a simulated node measures, from its quote: MRTD, and RTMR0 to RTMR3.
const TD_AT = 48, MRTD_AT = TD_AT + 136, RTMR_AT = TD_AT + 328;
const register = (quote, at) => quote.subarray(at, at + 48).toString("hex");
const image = (name, quote) => ({
  name,
  mrtd: crypto.createHash("sha384").update(name).digest("hex"),
  rtmr0: register(quote, RTMR_AT),
  rtmr1: register(quote, RTMR_AT + 48),
  rtmr2: register(quote, RTMR_AT + 96),
  rtmr3: { mode: "exact", value: register(quote, RTMR_AT + 144) },
});

const member = (t, name, imageName) => ({
  name,
  node: t.world.node(`rotation-${name}`, {
    options: ["--development", "--simulator-seed", "rotation", "--simulator-image", imageName],
  }),
  port: t.world.port(),
});

const keys = async ({ node }) => {
  const answer = await node.get("/v1/keys");
  assert.strictEqual(answer.status, 200, answer.text);
  return JSON.parse(answer.text);
};

// Who was given keys, as a node was told: the entries as they were signed.
const releases = async ({ node }) => {
  const answer = await node.get("/v1/keys/releases");
  assert.strictEqual(answer.status, 200, answer.text);
  return JSON.parse(answer.text).releases;
};

// An excluded member that hides the new key: it shows and signs what it did before.
async function attacker(t, bodies) {
  const port = t.world.port();
  const server = http.createServer((request, answer) => {
    const body = bodies[request.url];
    answer.writeHead(body ? 200 : 404, { "content-type": "application/json" }).end(body);
  });
  await new Promise((resolve) => server.listen(port, "127.0.0.1", resolve));
  return { url: `http://127.0.0.1:${port}`, close: () => server.close() };
}

// The registers of an image that nobody has in a policy yet: of a node that is thrown away.
async function quoteOf(t, chain) {
  const one = member(t, "probe", "image-a");
  await one.node.begin(chain.setup({ peers: [], port: one.port }));
  const quote = Buffer.from(client.parseTwice((await one.node.get("/attest")).text).quote, "hex");
  const { simulator_root } = (await one.node.status()).tee;
  await one.node.stop();
  assert.strictEqual(register(quote, MRTD_AT), image("image-a", quote).mrtd);
  return { quote, simulator_root };
}

async function scenario(t) {
  await t.quiet();
  const chain = await t.world.chain();
  const dir = path.join(t.world.tmp, "rotation");
  fs.mkdirSync(dir);
  const kettle = (...args) => run(path.join(t.world.build, "kettle"), args);
  const signer = crypto.createECDH("secp256k1");
  signer.generateKeys();
  fs.writeFileSync(`${dir}/signer`, signer.getPrivateKey("hex").padStart(64, "0"));
  const policy_signers = { threshold: 1, keys: [`0x${signer.getPublicKey("hex", "compressed")}`] };

  const { quote, simulator_root } = await quoteOf(t, chain);
  const policy = (...names) => ({ version: 1, mode: "list", simulator_root, images: names.map((n) => image(n, quote)) });
  const [a, b, c, out] = [["a", "image-a"], ["b", "image-a"], ["c", "image-a"], ["out", "image-b"]].map((x) => member(t, ...x));
  const all = [a, b, c, out];
  let first, second, hash, before;

  await t.test("four nodes of two images form a cluster", async () => {
    for (const one of all) {
      const peers = all.slice(0, all.indexOf(one)).map(({ port }) => `127.0.0.1:${port}`);
      const setup = chain.setup({ peers, port: one.port, policy: policy("image-a", "image-b"), policy_signers });
      if (peers.length) delete setup.checkpoint;
      await one.node.begin(setup);
    }
    first = await client.attest(a.node);
    for (const one of all) assert.strictEqual(await client.attest(one.node), first, one.name);
    hash = (await a.node.status()).setup;
    before = Object.fromEntries(
      await Promise.all(["/v1/keys", "/v1/block/latest"].map(async (url) => [url, (await a.node.get(url)).text])),
    );
  });

  await t.test("an order is prepared from fresh attestations, signed, and sent to one node", async () => {
    fs.writeFileSync(`${dir}/policy`, JSON.stringify(policy("image-a")));
    const nodes = all.flatMap(({ node }) => ["--node", node.url]);
    const said = await kettle("order", "prepare", "--policy", `${dir}/policy`, "--void-slot", "0", ...nodes, "--output", `${dir}/order`);
    assert.match(said.stderr, new RegExp(`${out.node.url} is not admitted: E_MEASUREMENT`));
    await assert.rejects(kettle("order", "send", "--node", a.node.url, `${dir}/order`), /0 of 1 signers have signed/);
    await kettle("order", "sign", "--key", `${dir}/signer`, "--output", `${dir}/signed`, `${dir}/order`);
    const order = JSON.parse(fs.readFileSync(`${dir}/signed`));
    assert.deepStrictEqual([order.version, order.makers.length, order.cluster], [1, 2, `0x${first}`]);
    await kettle("order", "send", "--node", b.node.url, `${dir}/signed`);
    await until("all have it", 5000, async () => {
      for (const one of all) assert.strictEqual((await keys(one)).order.digest, order.digest, one.name);
      return true;
    });
  });

  await t.test("the excluded node says why it signs nothing", async () => {
    await until("503", 5000, async () => (await out.node.get("/block")).status === 503);
    const { state, reason } = await out.node.status();
    assert.strictEqual(state, "degraded");
    assert.match(reason, /order 1 excludes this node: E_MEASUREMENT/);
  });

  await t.test(`the other three sign with a new key within ${ROTATED_MS / 1000} s of its COMMIT`, async () => {
    const others = [a, b, c];
    const committed = await until("it is committed", 20000, async () => {
      const { generations } = await keys(a);
      return generations.length === 2 && Date.now();
    });
    await until("it signs", ROTATED_MS, async () => {
      for (const one of others) assert.notStrictEqual(await client.attest(one.node), first, one.name);
      return true;
    });
    second = await client.attest(a.node);
    for (const one of others) {
      assert.strictEqual(await client.attest(one.node), second, one.name);
      await client.block(one.node, second);
    }
    assert.strictEqual((await out.node.get("/block")).status, 503);
    const released = (await keys(out)).pubkey;
    assert(released === null || released === `0x${first}`, "the excluded node has the new key");
    return `${Date.now() - committed} ms`;
  });

  await t.test("the log of releases is the same on all, and names nobody who was excluded", async () => {
    const others = [a, b, c];
    await until("the same on all", 5000, async () => {
      const logs = await Promise.all(others.map(releases));
      const entries = logs.map((log) => log.map(({ entry }) => entry));
      assert.deepStrictEqual(entries[1], entries[0]);
      assert.deepStrictEqual(entries[2], entries[0]);
      return true;
    });
    const log = await releases(a), shut = (await out.node.status()).node_pubkey;
    assert(log.some(({ receiver, generation }) => receiver === shut && generation.version === 0), "it was given the first key");
    const fresh = log.filter(({ generation }) => generation.version === 1);
    assert(fresh.length >= 2 && fresh.every(({ receiver, draft }) => receiver !== shut && typeof draft === "boolean"));
    assert(log.every(({ contradicted, slot }) => !contradicted && slot > 0));
    return `${log.length} entries`;
  });

  await t.test("verify --follow walks from the first key to the new one; what the old one signs is refused", async () => {
    const follow = ["verify", "--follow", "--pubkey", first, "--setup-hash", hash];
    const also = ["--also", a.node.url, "--also", c.node.url];
    const policed = ["--policy", `${dir}/policy`, "--network", "any", "--development"];
    const good = await kettle(...follow, ...also, ...policed, b.node.url);
    assert.match(good.stdout, new RegExp(`generation 1\\.[01] signs from slot \\d+ on, with key 0x${second}`));
    assert.match(good.stdout, /the policy admits this TD/);
    const plain = await kettle("verify", ...policed, b.node.url);
    assert.match(plain.stdout, /unbound: generation 1\.[01] signs, order 1 is in force, \d distinct platforms/);
    assert.match(plain.stdout, /recovery none/);

    fs.writeFileSync(`${dir}/old`, before["/v1/block/latest"]);
    const refused = (error) => error.code === 1 && /generation 0\.0, which generation 1\.[01] has retired/.test(error.stdout);
    await assert.rejects(kettle(...follow, "--kept", `${dir}/old`, b.node.url), refused);
    const hides = await attacker(t, before);
    await assert.rejects(kettle(...follow, "--also", hides.url, b.node.url), refused);
    hides.close();

    const changed = JSON.parse((await b.node.get("/v1/keys")).text);
    changed.generations[1].proof = changed.generations[1].proof.replace(/..$/, (x) => (x === "00" ? "01" : "00"));
    const forges = await attacker(t, { ...before, "/v1/keys": JSON.stringify(changed) });
    await assert.rejects(kettle(...follow, forges.url), (error) => error.code === 1 && /E_GENERATION/.test(error.stdout));
    forges.close();
  });

  await t.test("a member that starts again with its disk gets the new key", async () => {
    await c.node.crash();
    await c.node.start();
    await c.node.ready(15000);
    assert.strictEqual(await client.attest(c.node), second);
  });
  if (t.world.full) await withoutTheFirstMaker(t, { kettle, dir, members: [a, b, c], second });
  for (const one of all) await one.node.stop();
}

// A minute goes by before the second maker's turn.
async function withoutTheFirstMaker(t, { kettle, dir, members, second }) {
  await t.test("the first maker is killed before its turn: the second one makes the key", async () => {
    const nodes = members.flatMap(({ node }) => ["--node", node.url]);
    await kettle("order", "prepare", "--policy", `${dir}/policy`, ...nodes, "--output", `${dir}/order-2`);
    await kettle("order", "sign", "--key", `${dir}/signer`, "--output", `${dir}/signed-2`, `${dir}/order-2`);
    const order = JSON.parse(fs.readFileSync(`${dir}/signed-2`));
    const statuses = await Promise.all(members.map(({ node }) => node.status()));
    const maker = members[statuses.findIndex(({ node_pubkey }) => node_pubkey === order.makers[0])];
    await kettle("order", "send", ...nodes, `${dir}/signed-2`);
    await maker.node.crash();
    const alive = members.filter((one) => one !== maker);
    await until("the key has changed", 120000, async () => {
      for (const one of alive) assert.notStrictEqual(await client.attest(one.node), second, one.name);
      return true;
    });
    assert.strictEqual((await keys(alive[0])).generations.at(-1).index, 1);
    await maker.node.start();
    await maker.node.ready(30000);
    assert.strictEqual(await client.attest(maker.node), await client.attest(alive[0].node));
  });
}

export default { title: "an order, and a new key for those that it admits", run: scenario };
