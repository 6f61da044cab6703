// All nodes of a cluster die. Its operators bring the key back into a new node, two of three, by `kettle recover`, and an
// order has a fresh key made by it; a node that seals its key finds it again by itself.
import assert from "node:assert";
import crypto from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { guestAgent } from "./lib/agent.mjs";
import * as client from "./lib/client.mjs";
import { sleep, until } from "./lib/node.mjs";
import { keys, member, operator, sendLine } from "./lib/orders.mjs";
import { lineOf } from "../docs/blocks.mjs";

const SETTLED_MS = 12000; // longer than a node waits for former members before it would bring a key back

// Three people who each have an X25519 key: {keys, secrets}, in the order of the public keys.
async function holders(operators) {
  const all = [];
  for (const name of ["holder-1", "holder-2", "holder-3"]) {
    fs.writeFileSync(operators.file(name), crypto.randomBytes(32).toString("hex") + "\n");
    const { stdout } = await operators.kettle("recover", "--public", "--key", operators.file(name));
    all.push({ secret: operators.file(name), key: stdout.trim() });
  }
  all.sort((a, b) => (a.key < b.key ? -1 : 1));
  return all;
}

const hasSetup = (node) => fs.existsSync(path.join(node.dir, "state", "setup"));
const recovery = async ({ node }) => (await node.status()).overlay.recovery;
const reason = async ({ node }) => (await node.status()).reason;

// Starts a node that cannot be ready yet.
async function wait(one, setup) {
  await one.node.start();
  const answer = await one.node.setup(setup);
  assert.strictEqual(answer.status, 200, answer.text);
}

async function scenario(t) {
  await t.quiet();
  const chain = await t.world.chain();
  const operators = await operator(t, "recover", chain);
  const { kettle, file, policy, policy_signers } = operators;
  const people = await holders(operators);
  const recovery_shares = { threshold: 2, keys: people.map(({ key }) => key) };
  const ours = { policy: policy("image-a"), policy_signers, recovery: "shares", recovery_shares };
  const [a, b, c, other] = ["a", "b", "c", "other"].map((name) => member(t, "recover", name, "image-a"));
  const [good, bad] = [["image-a"], ["image-b"]].map((names, i) => {
    fs.writeFileSync(file(`policy-of-${i}`), JSON.stringify(policy(...names)));
    return file(`policy-of-${i}`);
  });
  const give = (person, from, admitted = good) =>
    kettle(...lineOf(t.world.root, "docs/overlay.md", "recover", {
      "policy.json": admitted, "shares.json": from, "holder.hex": person.secret, "http://new:3032": c.node.url }));
  const save = async ({ node }, name) => {
    const answer = await until("there are shares", 20000, async () => {
      const got = await node.get("/v1/recovery/shares");
      return got.status === 200 && got;
    });
    fs.writeFileSync(file(name), answer.text);
    return file(name);
  };
  let first, setupHash, shares, foreign;

  await t.test("two nodes hold a key, and say who can bring it back", async () => {
    await a.node.begin(chain.setup({ peers: [], port: a.port, ...ours }));
    const setup = chain.setup({ peers: [`127.0.0.1:${a.port}`], port: b.port, ...ours });
    delete setup.checkpoint;
    await b.node.begin(setup);
    first = await client.attest(a.node);
    assert.strictEqual(await client.attest(b.node), first);
    setupHash = (await a.node.status()).setup;
    shares = [await save(a, "shares-a"), await save(b, "shares-b")];
    const said = await kettle("verify", "--policy", good, "--network", "any", "--development", a.node.url);
    assert.match(said.stdout, /recovery shares: 2 of 3 operators together can read the key/);
    const answer = await a.node.get(`/v1/recovery?nonce=0x${"11".repeat(32)}`);
    assert.strictEqual(answer.status, 409, "a node that holds the key wants no shares");
  });

  await t.test("all die; a new node waits, and makes no key of its own", async () => {
    await other.node.begin(chain.setup({ peers: [], port: other.port, ...ours }));
    foreign = await save(other, "shares-other");
    for (const one of [a, b, other]) await one.node.crash();
    await wait(c, chain.setup({ peers: [], port: c.port, cluster: `0x${first}`, ...ours }));
    await until("it says what it waits for", 30000, async () => /0 of 2 shares/.test(await reason(c)));
  });

  await t.test("nothing is brought back by a node that a policy refuses, by one share, or by those of another cluster", async () => {
    await assert.rejects(give(people[0], shares[0], bad), (e) => e.code === 1 && /E_MEASUREMENT/.test(e.stdout));
    assert.strictEqual((await recovery(c)).have, 0, "the share did not leave");
    for (const person of people) await assert.rejects(give(person, foreign), (e) => e.code === 1 && /cluster: is another/.test(e.stdout));
    assert.strictEqual((await recovery(c)).have, 0, "shares of another cluster than it is pinned to");
    await give(people[0], shares[0]);
    await assert.rejects(give(people[0], shares[1]), (e) => e.code === 1 && /here already/.test(e.stdout));
    await sleep(SETTLED_MS);
    const { have, threshold } = await recovery(c);
    assert.deepStrictEqual([have, threshold], [1, 2]);
    assert.strictEqual((await c.node.get("/attest")).status, 503);
  });

  await t.test("the second operator's share brings the key back", async () => {
    await give(people[2], shares[1]); // kept by another member: the shares are the same
    await c.node.ready();
    assert.strictEqual(await client.attest(c.node), first);
    assert.strictEqual((await c.node.status()).setup, setupHash);
    assert.match(fs.readFileSync(c.node.log, "utf8"), /brought back the cluster's key/);
  });

  await t.test("the order that the operators sign has a fresh key made by it", async () => {
    const { file: signed } = await operators.order([c], ["image-a"], "--void-slot", "0");
    await kettle(...sendLine(t, [c], signed));
    const fresh = await until("another key signs", 60000, async () => {
      const now = await client.attest(c.node);
      return now !== first && now;
    });
    const { generations, cluster } = await keys(c);
    assert.deepStrictEqual([cluster, generations.at(-1).pubkey], [`0x${first}`, `0x${fresh}`]);
    await kettle("verify", "--follow", "--pubkey", `0x${first}`, "--setup-hash", setupHash, c.node.url);
    await until("its shares are new", 20000, async () => {
      const { version } = JSON.parse((await c.node.get("/v1/recovery/shares")).text);
      return version === generations.at(-1).version;
    });
    await c.node.stop();
  });

  await t.test("a node that seals its key finds it again, and makes no other over one that it cannot open", async () => {
    const sealed = member(t, "recover", "sealed", "image-a");
    const setup = chain.setup({ peers: [], port: sealed.port, policy: policy("image-a"), recovery: "seal" });
    await sealed.node.begin(setup);
    const key = await client.attest(sealed.node);
    const kept = path.join(sealed.node.dir, "state", "recovery");
    await until("it is sealed, and the setup kept", 20000, async () => fs.existsSync(kept) && hasSetup(sealed.node));
    await sealed.node.crash();
    await sealed.node.start();
    await sealed.node.ready();
    assert.strictEqual(await client.attest(sealed.node), key);
    await sealed.node.crash();
    const bytes = fs.readFileSync(kept);
    bytes[bytes.length - 1] ^= 1;
    fs.writeFileSync(kept, bytes);
    await sealed.node.start();
    await until("it says why", 60000, async () => /is not used/.test(await reason(sealed)));
    await sleep(SETTLED_MS);
    assert.strictEqual((await sealed.node.get("/attest")).status, 503);
    await sealed.node.stop();
  });

  await t.test("on dstack's agent (a fake): a key sealed by its GetKey is found again", async () => {
    const socket = file("agent.sock"), collateral_file = file("collateral.json");
    const oracle = path.join(t.world.build, "tests/e2e/sim_oracle");
    const agent = await guestAgent({ oracle, seed: "agent", socket, collateral: collateral_file, rootKey: "one" });
    t.atEnd(() => agent.close());
    const node = t.world.node("recover-dstack", { options: ["--development", "--tee", "dstack", "--tee-socket", socket] });
    const port = t.world.port();
    const self = { version: 1, mode: "same-as-self", simulator_root: agent.root };
    await node.begin(chain.setup({ peers: [], port, policy: self, recovery: "seal", collateral_file }));
    const key = await client.attest(node);
    const kept = path.join(node.dir, "state", "recovery");
    await until("it is sealed, and the setup kept", 20000, async () => fs.existsSync(kept) && hasSetup(node));
    assert(agent.keys > 0, "GetKey was asked for");
    await node.crash();
    await node.start();
    await node.ready();
    assert.strictEqual(await client.attest(node), key);
    assert.match(fs.readFileSync(node.log, "utf8"), /brought back the cluster's key/);
    await node.crash();
    agent.rootKey = "two"; // another key service: what it gives opens nothing, and no other key is made over it
    await node.start();
    await until("it says why", 60000, async () => /the key is not brought back/.test((await node.status()).reason));
    await sleep(SETTLED_MS);
    assert.strictEqual((await node.get("/attest")).status, 503);
    agent.rootKey = "one";
    await node.crash();
    await node.start();
    await node.ready();
    assert.strictEqual(await client.attest(node), key);
    await node.stop();
  });

  await t.test("an older seal is of no use while a member knows a newer key", async () => {
    const [one, two] = ["seal-1", "seal-2"].map((name) => member(t, "recover", name, "image-a"));
    const setup = { policy: policy("image-a"), policy_signers, recovery: "seal" };
    await one.node.begin(chain.setup({ peers: [], port: one.port, ...setup }));
    const second = chain.setup({ peers: [`127.0.0.1:${one.port}`], port: two.port, ...setup });
    delete second.checkpoint;
    await two.node.begin(second);
    const old = await client.attest(one.node);
    const state = path.join(one.node.dir, "state"), yesterday = file("sealed-yesterday");
    await until("it is sealed, and the setups kept", 20000, async () =>
      fs.existsSync(path.join(state, "recovery")) && hasSetup(one.node) && hasSetup(two.node));
    fs.cpSync(state, yesterday, { recursive: true });
    const { file: signed } = await operators.order([one, two], ["image-a"]);
    await kettle("order", "send", "--node", one.node.url, signed);
    const fresh = await until("both sign with a newer key", 60000, async () => {
      const keys = await Promise.all([one, two].map(({ node }) => client.attest(node)));
      return keys[0] === keys[1] && keys[0] !== old && keys[0];
    });
    await one.node.crash();
    fs.rmSync(state, { recursive: true });
    fs.renameSync(yesterday, state);
    await one.node.start();
    await one.node.ready();
    assert.strictEqual(await client.attest(one.node), fresh);
    assert.doesNotMatch(fs.readFileSync(one.node.log, "utf8"), /brought back the cluster's key/);
    for (const { node } of [one, two]) await node.crash(); // now nobody knows it: what is sealed comes back, the newest
    await Promise.all([one, two].map(({ node }) => node.start()));
    await Promise.all([one, two].map(({ node }) => node.ready(60000)));
    for (const { node } of [one, two]) assert.strictEqual(await client.attest(node), fresh);
    for (const { node } of [one, two]) await node.stop();
  });
}

export default { title: "all nodes die, and the key is brought back", run: scenario };
