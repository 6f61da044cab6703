// Nodes whose setups name no peers come together by the contract's list. On dstack's agent (a fake, whose quotes attest nobody to
// others) they register by themselves, and of two that no member answers the one with the smallest token alone founds a cluster.
// Simulated ones join the cluster of a member, but not by a list that lies, and not another than the contract names; and a kept
// key comes back only by its word.
import assert from "node:assert";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { guestAgent } from "./lib/agent.mjs";
import * as client from "./lib/client.mjs";
import { Contract, instanceAnswers } from "./lib/members.mjs";
import { sleep, until } from "./lib/node.mjs";

const QUIET_MS = 120000; // for which the founder waits for somebody with a key
const INSTANCES = [1, 2, 3, 4, 5].map((n) => String(n).repeat(40));
const OVERLAY_PORT = Number(process.env.E2E_OVERLAY_PORTS ?? 4101) + 90; // at which the list has members dialled
const addressOf = (n) => `127.0.7.${n}`;

// Members listen at ports of their own on this machine; each has an address at which the list's port leads there.
async function forward(t, n, port) {
  const server = net.createServer((from) => {
    const to = net.connect(port, "127.0.0.1");
    for (const [a, b] of [[from, to], [to, from]]) a.on("error", () => b.destroy()).pipe(b);
  });
  await new Promise((resolve, reject) => server.on("error", reject).listen(OVERLAY_PORT, addressOf(n), resolve));
  t.atEnd(() => server.close());
}

const setupOf = (node, contract, port, more) => ({
  peers: [],
  port,
  transport: "tcp",
  membership: { contract: contract.address, mode: "tls", attested_only: false, block: "latest", overlay_port: OVERLAY_PORT,
    socket: path.join(node.dir, "state", "p2p.sock") },
  ...more,
});

async function onAgent(t, n, contract, file) {
  const socket = file(`agent-${n}.sock`), collateral_file = file(`collateral-${n}.json`);
  const agent = await guestAgent({ oracle: path.join(t.world.build, "tests/e2e/sim_oracle"), seed: "muster", socket,
    collateral: collateral_file, rootKey: "muster", answers: instanceAnswers(INSTANCES[n - 1]) });
  t.atEnd(() => agent.close());
  const options = ["--development", "--tee", "dstack", "--tee-socket", socket];
  const node = t.world.node(`muster-${n}`, { options, hosts: file("hosts") });
  const port = t.world.port();
  await forward(t, n, port);
  const policy = { version: 1, mode: "same-as-self", simulator_root: agent.root };
  return { name: `token ${n}`, node, setup: setupOf(node, contract, port, { policy, collateral_file }) };
}

async function simulated(t, n, contract, file) {
  const node = t.world.node(`muster-${n}`, { options: ["--development", "--simulator-seed", "muster"], hosts: file("hosts") });
  const port = t.world.port();
  await forward(t, n, port);
  return { name: `token ${n}`, node, setup: setupOf(node, contract, port, { recovery: "seal" }) };
}

async function start(chain, one, more = {}) {
  await one.node.start();
  const { simulator_root } = (await one.node.status()).tee;
  const policy = one.setup.policy ?? { version: 1, mode: "same-as-self", simulator_root };
  const answer = await one.node.setup(chain.setup({ ...one.setup, policy, ...more }));
  assert.strictEqual(answer.status, 200, answer.text);
}

// It is in a state, for this reason.
const says = (one, wanted, why, limitMs = 60000) =>
  until(`${one.name} says ${why}`, limitMs, async () => {
    const { state, reason } = await one.node.status();
    if (state !== wanted || !why.test(reason)) throw new Error(`${state}: ${reason}`);
    return reason;
  });

const clusterOf = async ({ node }) => JSON.parse((await node.get("/v1/keys")).text).cluster;

async function founding(t, chain, file) {
  const contract = await Contract.deploy(t, chain, { timeout: 0, instances: INSTANCES.slice(0, 2) });
  const [one, two] = await Promise.all([1, 2].map((n) => onAgent(t, n, contract, file)));
  const began = Date.now();
  await t.test("nodes without peers register by themselves, and none of them makes a key", async () => {
    for (const each of [one, two]) await start(chain, each);
    return says(one, "joining", /this node, token 1, founds the cluster in/) && says(two, "joining", /token 1 founds the cluster$/);
  });
  return async () => {
    await t.test("the one with the smallest token founds the cluster when nobody has answered; the other founds nothing", async () => {
      await one.node.ready(QUIET_MS + 60000);
      assert(Date.now() - began > QUIET_MS, "it did not wait");
      const ms = Date.now() - began;
      await sleep(5000);
      await says(two, "joining", /token 1 founds the cluster$/, 1000);
      return `${ms} ms after the first start`;
    });
    await t.test("it dies after its key was announced: nobody founds another cluster", async () => {
      await contract.does("setClusterKey", await clusterOf(one));
      await one.node.crash();
      await one.node.start();
      for (const each of [one, two]) await says(each, "joining", /the contract announces a cluster's key, and no member holds one/);
    });
    for (const each of [one, two]) await each.node.stop();
  };
}

async function joining(t, chain, file) {
  const contract = await Contract.deploy(t, chain, { timeout: 0, instances: INSTANCES.slice(2), notice: 1 });
  for (const instance of INSTANCES.slice(2)) await contract.enrol(instance);
  const [founder, joiner, lied] = await Promise.all([3, 4, 5].map((n) => simulated(t, n, contract, file)));
  let pubkey, cluster;
  await t.test("a node without peers joins the cluster of a member", async () => {
    await start(chain, founder, { cluster: "new" });
    await founder.node.ready();
    pubkey = await client.attest(founder.node);
    cluster = await clusterOf(founder);
    await start(chain, joiner);
    await joiner.node.ready(90000);
    assert.strictEqual(await client.attest(joiner.node), pubkey);
    const { addresses } = JSON.parse((await joiner.node.get("/v1/peers")).text);
    return addresses.map(({ address }) => address).join(", ");
  });

  await t.test("by an execution RPC that hides the members a node joins nothing and founds nothing", async () => {
    const proxy = await t.world.proxy(chain, { accessLists: true });
    proxy.lie("storage_value_zero", {});
    await start(chain, lied, { execution: proxy.url });
    const said = await says(lied, "joining", /the contract's list of members cannot be read: .*execution_rpc\[0\]/);
    await sleep(10000);
    await says(lied, "joining", /cannot be read/, 1000);
    proxy.honest();
    await lied.node.ready(90000);
    assert.strictEqual(await client.attest(lied.node), pubkey);
    await lied.node.stop();
    return said;
  });

  await t.test("the contract names another cluster's key: who came by the list signs no more", async () => {
    await until("the key is kept", 20000, () => fs.existsSync(path.join(joiner.node.dir, "state", "recovery")));
    await contract.setKey(`0x03${"11".repeat(32)}`);
    return says(joiner, "degraded", /the contract names another cluster's key than this node's/);
  });

  await t.test("all die: what was kept is not brought back, and nothing is founded", async () => {
    await founder.node.stop();
    await joiner.node.crash();
    await joiner.node.start();
    return says(joiner, "joining", /the key is not brought back: the contract names another key/, 120000);
  });

  await t.test("the contract names its key: it is brought back", async () => {
    await joiner.node.crash();
    await contract.setKey(cluster);
    await joiner.node.start();
    await joiner.node.ready(150000);
    assert.strictEqual(await client.attest(joiner.node), pubkey);
    await joiner.node.stop();
  });
}

async function run(t) {
  const chain = await t.world.chain();
  const dir = fs.mkdtempSync(path.join(t.world.tmp, "muster-"));
  const file = (name) => path.join(dir, name);
  const hosts = INSTANCES.map((id, i) => `${addressOf(i + 1)} ${id}-s.dstack.example`);
  fs.writeFileSync(file("hosts"), `${["127.0.0.1 localhost", ...hosts].join("\n")}\n`);
  const founded = await founding(t, chain, file);
  await joining(t, chain, file); // meanwhile
  await founded();
}

export default { title: "nodes without peers come together by the contract's list", run };
