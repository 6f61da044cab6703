// Trusted pods that are paid for: no pod is made before a node's light client has proven the channel.
import assert from "node:assert";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { policyOf } from "./attest.mjs";
import * as client from "./lib/client.mjs";
import { until } from "./lib/node.mjs";
import { Sender } from "./lib/sender.mjs";
import * as tpod from "./lib/tpod.mjs";
import { kettleTpod, startProvider } from "./tpod.mjs";
import { compile } from "../devnet/lib/compile.mjs";

const MIN_UNLOCK_S = 600;
const podId = (n) => `0x${String(n).padStart(64, "0")}`;
const PROGRAM = `#!/bin/sh
cat >> "$1"
echo '{"addresses":[{"multiaddr":"/dns4/example.local/tcp/443","containerName":"web","containerPort":80}]}'
`;

// Both ends: a provider with this configuration of payments, and what provision of a pod comes to.
class Pods {
  constructor(t, { provider, dir, policy, payment, notes }) {
    Object.assign(this, { t, provider, dir, policy, payment, notes, kettle: path.join(t.world.build, "kettle") });
  }

  // {code, stdout, stderr, made}; payment: what stands in the manifest besides what has to.
  async provision(payment) {
    const manifest = path.join(this.dir, "manifest.json");
    const podManifest = { containers: [{ name: "web", image: { cid: "bafyimage" } }] };
    const before = fs.readFileSync(this.notes, "utf8").length;
    fs.writeFileSync(manifest, JSON.stringify({ podManifest, keys: [{ keyPem: "Sw==" }], ...(payment && { payment: { ...this.payment, ...payment } }) }));
    const got = await kettleTpod(this.kettle, ["provision", "--policy", this.policy, this.provider.addresses[1], manifest]);
    return { ...got, made: fs.readFileSync(this.notes, "utf8").length > before };
  }

  async refused(payment, reason) {
    const { code, stderr, made } = await this.provision(payment);
    assert(code === 1 && reason.test(stderr) && !made, `${code} ${stderr} ${made ? "and it was made" : ""}`);
  }
}

async function run(t) {
  try {
    await t.world.packages("libp2p");
  } catch {
    t.skip("js-libp2p", "its packages cannot be installed here");
    return;
  }
  const libp2p = await import(fileURLToPath(new URL("../devnet/libp2p/peer.mjs", import.meta.url)));
  const chain = await t.world.chain();
  const proxy = await t.world.proxy(chain);
  const node = await t.world.node("tpod-paid").begin(chain.setup({ execution: proxy.url }));
  const signer = await client.attest(node);
  const { setup, chain_id } = await node.status();
  const sender = await Sender.start(chain);
  const { Channels } = compile("cancun", "Channels.sol");
  const contract = await sender.deploy(Channels.abi, Channels.bytecode);
  await sender.done(contract.hash);
  // Does something with the contract, and waits until the node stands on a block that has it.
  const does = async (name, ...args) => {
    const hash = await sender.send({ to: contract.address, data: contract.face.encodeFunctionData(name, args), gasLimit: 300_000 });
    const block = Number((await sender.done(hash)).blockNumber);
    await until(`the node stands on block ${block}`, 30000, async () => Number(JSON.parse((await node.get("/v1/block/latest")).text).message.at.number) >= block);
  };

  const dir = fs.mkdtempSync(path.join(t.world.tmp, "tpod-paid-"));
  const [notes, program] = ["notes", "make-pod"].map((name) => path.join(dir, name));
  fs.writeFileSync(notes, "");
  fs.writeFileSync(program, PROGRAM, { mode: 0o700 });
  const peer = await libp2p.startPeer("Ed25519");
  t.atEnd(() => peer.stop());
  const rule = { contract: contract.address.toLowerCase(), chain_id, node: node.url, signers: [`0x${signer}`], setup_hash: setup, min_unlock_s: MIN_UNLOCK_S };
  const offer = {
    listen: ["/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"],
    capacity: { availableResources: [{ resource: "cpu", amount: 8 }], providerAddress: sender.address.toLowerCase() },
    payment: rule,
    provision_command: [program, notes],
  };
  const payment = { chainID: `0x${chain_id.toString(16).padStart(16, "0")}`, contractAddress: rule.contract, publisherAddress: sender.address.toLowerCase(), providerAddress: sender.address.toLowerCase() };
  const start = async (more) => {
    const [file, policy] = ["provider.json", "policy.json"].map((name) => path.join(fs.mkdtempSync(path.join(dir, "provider-")), name));
    fs.writeFileSync(file, JSON.stringify({ ...offer, payment: { ...rule, ...more } }));
    const provider = await startProvider(t, path.join(t.world.build, "kettle"), file);
    const { quote } = await tpod.attest(await peer.dial(libp2p.address(provider.addresses[1])), peer.peerId); // a simulated TEE has a root of its own
    fs.writeFileSync(policy, JSON.stringify(policyOf(quote)));
    return new Pods(t, { provider, dir, policy, payment, notes });
  };
  const pods = await start();

  await t.test("the address that is paid stands in the capacity", async () => {
    const { stdout, stderr } = await kettleTpod(pods.kettle, ["capacity", "--policy", pods.policy, pods.provider.addresses[0]]);
    const told = JSON.parse(stdout || "{}").providerAddress ?? "";
    const hex = told.startsWith("0x") ? told : `0x${Buffer.from(told, "base64").toString("hex")}`;
    assert.strictEqual(hex, offer.capacity.providerAddress, stdout + stderr);
  });
  await t.test("no payment, of another contract, chain or provider, or of no form: refused", async () => {
    await pods.refused(undefined, /payment: is missing/);
    await pods.refused({ podID: podId(1), contractAddress: `0x${"11".repeat(20)}` }, /payment\.contractAddress/);
    await pods.refused({ podID: podId(1), providerAddress: `0x${"11".repeat(20)}` }, /payment\.providerAddress/);
    await pods.refused({ podID: podId(1), chainID: "0x01" }, /payment\.chainID/);
    await pods.refused({ podID: "0x01" }, /payment\.podID: must have 32 bytes/);
    await pods.refused({ podID: podId(1), publisherAddress: "0x01" }, /payment\.publisherAddress: must have 20 bytes/);
  });
  await t.test("a channel that nobody made, proven: refused", () => pods.refused({ podID: podId(1) }, /payment: the channel has nothing available/));
  await t.test("a channel with money: the pod is made", async () => {
    await does("createChannel", sender.address, podId(1), 3600, 5);
    const { code, stdout, stderr, made } = await pods.provision({ podID: podId(1) });
    assert(code === 0 && made && JSON.parse(stdout).addresses[0].containerName === "web", stdout + stderr);
  });
  await t.test("another pod's, and one that can be unlocked too soon: refused", async () => {
    await pods.refused({ podID: podId(2) }, /nothing available/);
    await does("createChannel", sender.address, podId(3), MIN_UNLOCK_S - 1, 5);
    await pods.refused({ podID: podId(3) }, /unlocked within less than 600 s/);
  });
  await t.test("all of it taken, or being unlocked: refused", async () => {
    await does("withdraw", sender.address, podId(1), 5);
    await pods.refused({ podID: podId(1) }, /nothing available/);
    await does("createChannel", sender.address, podId(4), 3600, 5);
    await does("unlock", sender.address, podId(4));
    await pods.refused({ podID: podId(4) }, /being unlocked/);
  });
  await t.test("a node of another key or setup proves nothing", async () => {
    await does("createChannel", sender.address, podId(5), 3600, 5);
    for (const more of [{ signers: [`0x${"11".repeat(20)}`] }, { setup_hash: `0x${"11".repeat(32)}` }]) {
      const others = await start(more);
      await others.refused({ podID: podId(5) }, /payment: cannot be proven now/);
      await others.provider.stop();
    }
    assert.strictEqual((await pods.provision({ podID: podId(5) })).code, 0);
  });
  await t.test("an execution RPC that invents a channel's money: refused, nothing is made", async () => {
    for (const [i, lie] of ["storage_value_wrong", "storage_empty", "storage_other_key", "proof_other_block"].entries()) {
      proxy.lie(lie, lie === "proof_other_block" ? { arg: 20 } : {});
      await pods.refused({ podID: podId(100 + i) }, /payment: (cannot be proven now|the channel has nothing available)/);
      assert(i || proxy.told[lie] > 0, `${lie} was told`);
    }
    return Object.entries(proxy.told).map(([lie, n]) => `${lie} ${n}`).join(", ");
  });
  await t.test("without its node no pod is made", async () => {
    proxy.honest();
    await node.stop();
    await pods.refused({ podID: podId(5) }, /payment: cannot be proven now/);
  });
  await pods.provider.stop();
}

export default { title: "trusted pods: no pod before its payment is proven", run };
