// Trusted pods: js-libp2p as the publisher, then the program's own, against `kettle tpod provider`.
import assert from "node:assert";
import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import { policyOf } from "./attest.mjs";
import { until } from "./lib/node.mjs";
import * as tpod from "./lib/tpod.mjs";
import { lineOf } from "../docs/blocks.mjs";

const TOKEN = "0x1111111111111111111111111111111111111111";
const OFFER = {
  listen: ["/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"],
  capacity: {
    availableResources: [{ resource: "cpu", amount: 8 }],
    pricing: { resources: [{ resource: "cpu", priceForReservation: 10 }], currency: TOKEN },
    providerAddress: "0x2222222222222222222222222222222222222222",
  },
};
const CALLS = ["/trusted-pods/provisioning-capacity/0.0.1", "/trusted-pods/provision-service/0.0.1", "/x/trusted-pods/provisioning-capacity/0.0.1"];

// Notes all that it is given, and says where the pod is. The first key is read from its descriptor.
const PROGRAM = `#!/bin/sh
{ cat; echo; env; tr '\\0' ' ' < /proc/$$/cmdline; } >> "$1"
wc -c <&3 > "$1.key"
echo '{"addresses":[{"multiaddr":"/dns4/example.local/tcp/443","containerName":"web","containerPort":80}]}'
`;

// Starts it; {addresses, stop}.
export async function startProvider(t, kettle, offer) {
  const child = spawn(kettle, [...lineOf(t.world.root, "docs/tpod.md", "tpod provider", { "provider.json": offer }), "--tee", "simulator"], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = new Promise((resolve) => child.on("close", resolve));
  t.atEnd(() => child.kill("SIGKILL"));
  const addresses = [];
  for await (const line of readline.createInterface({ input: child.stdout })) if (addresses.push(line) === OFFER.listen.length) break;
  return {
    addresses,
    stop() {
      child.kill("SIGTERM");
      return ended;
    },
  };
}

async function theirs({ peer, libp2p, address, key }) {
  const self = peer.peerId;
  const connection = await peer.dial(libp2p.address(address));
  for (const name of CALLS) await assert.rejects(connection.newStream(name), /protocol/i, `${name} before attest is refused`);
  const { capacity: told } = await tpod.attest(connection, self);
  const asked = await tpod.capacity(connection);
  assert.deepStrictEqual(asked, told, "what comes with attest is what capacity says");
  assert.strictEqual(asked[3][0].toString("hex"), OFFER.capacity.providerAddress.slice(2));
  const [pricing] = asked[2];
  assert.match((await tpod.provision(connection, { key, pricing: Buffer.concat([pricing, Buffer.from([0x0a, 0])]) })).error, /^pricing: is not the table/);
  assert.match((await tpod.provision(connection, { key, keyIdx: 1, pricing })).error, /keyIdx 1 of 1/);
  const { error, addresses } = await tpod.provision(connection, { key, pricing });
  assert.strictEqual(error, undefined);
  assert.deepStrictEqual(addresses, ["/dns4/example.local/tcp/443 web 80"]);
  const other = await peer.dial(libp2p.address(address), { force: true });
  assert.notStrictEqual(other.id, connection.id, "another connection");
  for (const name of CALLS) await assert.rejects(other.newStream(name), /protocol/i, `${name} on another connection is refused`);
  await tpod.attest(other, self, "/x/trusted-pods/attest/0.0.1");
  await tpod.capacity(other, "/x/trusted-pods/provisioning-capacity/0.0.1");
  await other.close();
  await connection.close();
}

// {code, stdout, stderr}
export const kettleTpod = (kettle, args) =>
  new Promise((resolve) => execFile(kettle, ["tpod", ...args], (error, stdout, stderr) => resolve({ code: error ? error.code : 0, stdout, stderr })));

async function ours(t, { kettle, addresses, dir, policy, key, notes }) {
  const file = (name, content) => {
    fs.writeFileSync(path.join(dir, name), JSON.stringify(content));
    return path.join(dir, name);
  };
  const good = ["--policy", file("policy.json", policy)];
  const bad = ["--policy", file("other.json", { ...policy, images: [{ ...policy.images[0], mrtd: "11".repeat(48) }] })];
  const pod = { containers: [{ name: "web", image: { cid: "bafyimage" } }] };
  const manifest = file("manifest.json", { podManifest: pod, keys: [{ keyPem: Buffer.from(key).toString("base64") }] });
  for (const peer of addresses)
    await t.test(`kettle tpod attest, capacity, provision ${peer.includes("quic") ? "over QUIC" : "over TCP"}`, async () => {
      const line = (what, gaps) => lineOf(t.world.root, "docs/tpod.md", `tpod ${what}`, { "policy.json": good[1], ...gaps }).slice(1);
      const plain = await kettleTpod(kettle, line("attest", { "/ip4/192.0.2.1/udp/4011/quic-v1/p2p/16Uiu2…": peer }));
      assert.strictEqual(plain.code, 0, plain.stdout + plain.stderr);
      const attested = await kettleTpod(kettle, ["attest", ...good, "--json", peer]);
      assert.strictEqual(attested.code, 0, attested.stdout + attested.stderr);
      const told = await kettleTpod(kettle, line("capacity", { PEER: peer }));
      assert.strictEqual(JSON.parse(told.stdout).availableResources[0].amount, "8", told.stderr);
      const done = await kettleTpod(kettle, line("provision", { PEER: peer, "manifest.json": manifest }));
      assert.strictEqual(JSON.parse(done.stdout || "{}").addresses?.[0].multiaddr, "/dns4/example.local/tcp/443", done.stderr);
    });
  await t.test("a provider that the policy does not admit is sent nothing: status 1", async () => {
    const before = fs.readFileSync(notes, "utf8");
    for (const args of [["attest", ...bad], ["capacity", ...bad], ["provision", ...bad]]) {
      const { code, stderr } = await kettleTpod(kettle, [...args, addresses[1], ...(args[0] === "provision" ? [manifest] : [])]);
      assert.strictEqual(code, 1, stderr);
    }
    assert.strictEqual(fs.readFileSync(notes, "utf8"), before, "its program was not called");
  });
  await t.test("a dearer table than the manifest's is refused, nobody at the address is status 3", async () => {
    const pricing = { ...OFFER.capacity.pricing, resources: [{ resource: "cpu", priceForReservation: 9 }] };
    const dear = file("dear.json", { podManifest: pod, keys: [{ keyPem: "Sw==" }], pricing });
    const { code, stderr } = await kettleTpod(kettle, ["provision", ...good, addresses[1], dear]);
    assert(code === 1 && /pricing/.test(stderr), stderr);
    assert.strictEqual((await kettleTpod(kettle, ["attest", ...good, "/ip4/127.0.0.1/tcp/1"])).code, 3);
  });
}

// Three servers of a Kademlia table in a row, the last of which knows where the provider is; and one that lies of it.
async function byId(t, { kettle, libp2p, address, policy }) {
  const at = libp2p.address(address);
  const id = at.getPeerId();
  const row = [];
  for (let i = 0; i < 3; i++) {
    row.push(await libp2p.startTable());
    t.atEnd(() => row[i].stop());
    if (i) await row[i - 1].dial(row[i].getMultiaddrs());
  }
  await until("each to know another one", 20000, () => row.every((peer) => peer.services.dht.routingTable.size > 0));
  const provider = await row[2].dial(at);
  const providerId = provider.remotePeer;
  await provider.close();
  await row[2].peerStore.merge(providerId, { multiaddrs: [at] });
  for (const peer of row.slice(0, 2)) await peer.peerStore.delete(providerId);
  const liar = await libp2p.startTable(() => tpod.toldOf(providerId, [row[0].getMultiaddrs()[0].decapsulate("/p2p"), libp2p.address("/ip4/127.0.0.1/tcp/1")]));
  t.atEnd(() => liar.stop());
  const entry = (peer) => ["--bootstrap", peer.getMultiaddrs()[0].toString()];
  const find = (...bootstrap) => kettleTpod(kettle, ["attest", "--policy", policy, ...bootstrap, id]);
  const documented = { "policy.json": policy, "/ip4/192.0.2.7/tcp/4001/p2p/12D3Koo…": entry(row[0])[1], "16Uiu2…": id };
  const found = await kettleTpod(kettle, lineOf(t.world.root, "docs/tpod.md", "tpod attest --policy policy.json --bootstrap", documented).slice(1));
  assert.strictEqual(found.code, 0, found.stdout + found.stderr);
  const beside = await find(...entry(liar), ...entry(row[0]));
  assert.strictEqual(beside.code, 0, `beside a liar: ${beside.stdout}${beside.stderr}`);
  const began = Date.now();
  const alone = await find(...entry(liar));
  assert(alone.code === 3 && /not found; peers asked: 1$/m.test(alone.stderr), `with a liar alone: ${alone.stdout}${alone.stderr}`);
  assert(Date.now() - began < 12000, "the search has an end");
  assert.strictEqual((await find()).code, 2, "without --bootstrap");
  assert.strictEqual((await find("--bootstrap", "/ip4/127.0.0.1/tcp/1")).code, 2, "a bootstrap peer without its id");
}

async function run(t) {
  try {
    await t.world.packages("libp2p");
  } catch {
    t.skip("js-libp2p", "its packages cannot be installed here");
    return;
  }
  const libp2p = await import(fileURLToPath(new URL("../devnet/libp2p/peer.mjs", import.meta.url)));
  const kettle = path.join(t.world.build, "kettle");
  const dir = fs.mkdtempSync(path.join(t.world.tmp, "tpod-"));
  const [notes, program, offer] = ["notes", "make-pod", "offer.json"].map((name) => path.join(dir, name));
  const key = "-----BEGIN PRIVATE KEY-----THE-SECRET-OF-THE-IMAGE";
  fs.writeFileSync(program, PROGRAM, { mode: 0o700 });
  fs.writeFileSync(offer, JSON.stringify({ ...OFFER, provision_command: [program, notes] }));
  const provider = await startProvider(t, kettle, offer);
  const peer = await libp2p.startPeer("Ed25519");
  t.atEnd(() => peer.stop());
  for (const address of provider.addresses)
    await t.test(`js-libp2p ${address.includes("quic") ? "over QUIC" : "over TCP"}: attest, capacity, provision; none of it in another order`, () =>
      theirs({ peer, libp2p, address, key }),
    );
  const { quote } = await tpod.attest(await peer.dial(libp2p.address(provider.addresses[1])), peer.peerId);
  await ours(t, { kettle, addresses: provider.addresses, dir, policy: policyOf(quote), key, notes });
  const policyFile = path.join(dir, "policy.json");
  await t.test("a provider is found by its peer id through @libp2p/kad-dht, and not where a liar has it", () =>
    byId(t, { kettle, libp2p, address: provider.addresses[1], policy: policyFile }),
  );
  await t.test("the provider's program was given the key, and in no text", () => {
    const text = fs.readFileSync(notes, "utf8");
    assert(text.includes('"keys":[{"keyPem":{"fd":3}}]') && text.includes("bafyimage"), text);
    for (const form of ["utf8", "hex", "base64"]) {
      const secret = Buffer.from("THE-SECRET-OF-THE-IMAGE").toString(form).slice(0, 24);
      assert(!text.includes(secret), `${form} of the key`);
    }
    assert.strictEqual(Number(fs.readFileSync(`${notes}.key`, "utf8")), key.length);
  });
  await t.test("it stops by itself", async () => assert.strictEqual(await provider.stop(), 0));
}

export default { title: "trusted pods: a provider against js-libp2p and its own publisher", run };
