// The life of a member: registered, bound, listed, heard, ended; what it costs.
import assert from "node:assert/strict";
import { test } from "../sdk/harness.mjs";
import { viem } from "../sdk/libraries.mjs";
import * as is from "./chain.mjs";

const ids = ["9".repeat(40), "ea549f02e1a25fabd1cb788380e033ec5461b2ff", "a1", "cafe"];
const events = ({ logs }, { abi }) => viem.parseEventLogs({ abi, logs }).map(({ eventName }) => eventName);
const gasOf = (receipt) => Number(receipt.gasUsed);

async function lifeOfFour(chain, compiled, kind, endpoints) {
  const c = await is.cluster(chain, compiled, kind);
  const wallets = await Promise.all(ids.map((_, i) => is.wallet(chain, `node ${i}`)));
  for (const [i, who] of wallets.entries()) {
    await is.joins(chain, c, who, ids[i]);
    assert.equal(await c.reads("instanceToEndpoint", ids[i]), "");
    const receipt = await c.does(who, "registerPeer");
    assert.deepEqual(events(receipt, c), ["PeerRegistered"]);
    assert.equal(viem.parseEventLogs({ abi: c.abi, logs: receipt.logs })[0].args.connectionUrl, endpoints[i]);
    assert.deepEqual(await c.reads("getPeerEndpoints"), endpoints.slice(0, i + 1));
    assert.equal(await c.reads("instanceToEndpoint", ids[i]), endpoints[i]);
    assert.equal(await c.reads("instanceToConnectionUrl", ids[i]), endpoints[i]);
    assert.equal(await c.reads("instanceToNetworkType", ids[i]), kind);
    assert.equal(await c.reads("lastHeartbeat", ids[i]), BigInt(await is.now(chain)));
    assert.deepEqual(await c.reads("getInstanceInfo", ids[i]), [BigInt(i + 1), true, who.address]);
    assert.equal(await c.reads("isAppAllowed", { instanceId: ids[i], imageHash: is.KMS, timestamp: 0n }), true);
  }
  assert.deepEqual(await c.reads("getActiveInstances"), ids);
  const members = await c.reads("getMembers");
  for (const [i, member] of members.entries())
    assert.deepEqual(member, {
      tokenId: BigInt(i + 1),
      wallet: wallets[i].address,
      bound: true,
      networkType: kind,
      ipIndex: kind === 1 ? i + 1 : 0,
      lastHeartbeat: await c.reads("lastHeartbeat", ids[i]),
      instanceId: ids[i],
      endpoint: endpoints[i],
    });
  return { c, wallets };
}

async function heartbeats(chain, compiled) {
  const c = await is.cluster(chain, compiled, 1, 600);
  const [a, b] = await Promise.all(["heart a", "heart b"].map((n) => is.wallet(chain, n)));
  await is.joins(chain, c, a, "a1");
  await is.joins(chain, c, b, "b2");
  await c.refuses("NotRegistered", a, "updateHeartbeat");
  await c.refuses("NoToken", chain.account, "updateHeartbeat");
  const start = (await is.now(chain)) + 1000;
  await is.nextAt(chain, start);
  await c.does(a, "registerPeer");
  await is.nextAt(chain, start + 100);
  await c.does(b, "registerPeer");
  const at = (time) => is.readsAt(chain, c, time, "getPeerEndpoints");
  assert.deepEqual(await at(start + 600), ["10.0.1.1", "10.0.1.2"]);
  assert.deepEqual(await at(start + 601), ["10.0.1.2"]);
  assert.deepEqual(await at(start + 700), ["10.0.1.2"]);
  assert.deepEqual(await at(start + 701), []);
  assert.equal((await c.reads("getMembers")).length, 2);
  await is.nextAt(chain, start + 650);
  await c.does(a, "updateHeartbeat");
  assert.equal(await c.reads("lastHeartbeat", "a1"), BigInt(start + 650));
  assert.deepEqual(await at(start + 1250), ["10.0.1.1"]);
  assert.deepEqual(await at(start + 1251), []);
  assert.deepEqual(await is.readsAt(chain, c, start + 1251, "getActiveInstances"), ["a1", "b2"]);
  await c.does(chain.account, "setNetwork", 1, 0);
  assert.deepEqual(await at(start + 10 ** 9), ["10.0.1.1", "10.0.1.2"]);
}

async function ends(chain, compiled) {
  const c = await is.cluster(chain, compiled, 1);
  const [a, b, stranger] = await Promise.all(["end a", "end b", "end stranger"].map((n) => is.wallet(chain, n)));
  await is.joins(chain, c, a, "a1");
  await c.does(a, "registerPeer");
  await c.refuses("NotYourInstance", stranger, "deactivateInstance", "a1");
  await c.refuses("NotYourInstance", a, "deactivateInstance", "zz");
  await c.refuses("TokenInUse", a, "registerInstance", "a2");
  await c.refuses("NoToken", stranger, "registerInstance", "a2");
  await c.refuses("NoToken", stranger, "registerPeer");
  const moved = await c.does(a, "transferFrom", a.address, b.address, 1n);
  assert.deepEqual(events(moved, c), ["InstanceDeactivated", "Transfer"]);
  for (const list of ["getPeerEndpoints", "getActiveInstances", "getMembers"]) assert.deepEqual(await c.reads(list), []);
  assert.equal(await c.reads("instanceToEndpoint", "a1"), "");
  assert.equal(await c.reads("lastHeartbeat", "a1"), 0n);
  assert.equal(await c.reads("ipIndex", "a1"), 0n);
  assert.equal(await c.reads("tokenToInstance", 1n), "");
  await c.refuses("NoToken", a, "updateHeartbeat");
  await c.does(b, "registerInstance", "a1"); // token and name are free again; the binding went with the instance
  await c.refuses("NotBound", b, "registerPeer");
  await c.does(chain.account, "deactivateInstance", "a1"); // the cluster's owner may, too
  await c.does(b, "registerInstance", "b9");
  await c.does(b, "deactivateInstance", "b9");
  const { logs } = await c.does(chain.account, "revokeNode", 1n);
  assert.equal(logs.length, 1);
  await c.refuses("NoSuchToken", chain.account, "ownerOf", 1n);
  await c.refuses("NoSuchToken", chain.account, "revokeNode", 1n);
  assert.equal(await c.reads("totalSupply"), 0n);
  await c.does(chain.account, "mintNodeAccess", b.address, "");
  assert.equal(await c.reads("walletToTokenId", b.address), 2n); // an id is never given twice
}

async function full(chain, compiled) {
  const c = await is.cluster(chain, compiled, 1);
  await c.does(chain.account, "setClusterConfig", 2n, false, 0n);
  const wallets = await Promise.all([0, 1, 2].map((i) => is.wallet(chain, `full ${i}`)));
  await is.joins(chain, c, wallets[0], "a1");
  await is.joins(chain, c, wallets[1], "b2");
  await c.does(chain.account, "mintNodeAccess", wallets[2].address, ""); // mints are not what counts
  await c.refuses("ClusterFull", wallets[2], "registerInstance", "c3");
  await c.does(wallets[0], "deactivateInstance", "a1");
  await c.refuses("InstanceTaken", wallets[2], "registerInstance", "b2");
  for (const bad of ["", "A1", "a-1", "a.1", "a 1", "é", "a\u0000", "a".repeat(57)])
    await c.refuses("Malformed", wallets[2], "registerInstance", bad);
  await c.does(wallets[2], "registerInstance", "c".repeat(56));
}

/** One form replaces the other, and with it its storage. */
async function forms(chain, compiled) {
  const c = await is.cluster(chain, compiled, 1);
  const a = await is.wallet(chain, "forms");
  await is.joins(chain, c, a, "a1");
  await c.does(a, "registerPeer");
  const url = await is.chainOf(a.secret, { purpose: "ethereum" });
  await c.does(a, "registerPeer", ...is.peerArgs("a1", url, "https://other.dstack.example/"));
  assert.deepEqual(await c.reads("getPeerEndpoints"), ["https://other.dstack.example/"]);
  assert.equal(await c.reads("instanceToNetworkType", "a1"), 0);
  assert.equal(await c.reads("ipIndex", "a1"), 0n);
  await c.does(chain.account, "setNetwork", 0, 0);
  await c.does(a, "registerPeer");
  assert.deepEqual(await c.reads("getPeerEndpoints"), ["https://a1-s.dstack.example"]);
  await c.does(chain.account, "setGateway", "dstack.example", "-3032s"); // computed when it is read
  assert.deepEqual(await c.reads("getPeerEndpoints"), ["https://a1-3032s.dstack.example"]);
  const bare = await is.deployed(chain, compiled, [is.addressOf(is.KMS)]);
  await bare.does(chain.account, "setAppAllowed", is.APP_ID, true);
  await is.joins(chain, bare, a, "a1");
  await bare.refuses("DomainNotAllowed", a, "registerPeer");
}

async function gas(chain, compiled) {
  const rows = {};
  for (const [kind, mode] of [[0, "gateway"], [1, "WireGuard"]]) {
    const c = await is.cluster(chain, compiled, kind);
    for (const [i, which] of ["first", "second"].entries()) {
      const who = await is.wallet(chain, `gas ${i}`);
      const id = `${i}`.repeat(40);
      const { mint, instance, bind } = await is.joins(chain, c, who, id);
      const peer = await c.does(who, "registerPeer");
      const heartbeat = await c.does(who, "updateHeartbeat");
      rows[`${mode}, ${which}`] = { mint, instance, bind, peer, heartbeat };
      if (i === 1) rows[`${mode}, ${which}`].deactivate = await c.does(who, "deactivateInstance", id);
    }
  }
  console.log("gas                 mint  instance      bind  registerPeer()  heartbeat  deactivate");
  for (const [name, row] of Object.entries(rows)) {
    const column = (what, width) => String(row[what] ? gasOf(row[what]) : "").padStart(width);
    const list = [["mint", 7], ["instance", 10], ["bind", 10], ["peer", 16], ["heartbeat", 11], ["deactivate", 12]];
    console.log(name.padEnd(17) + list.map(([what, width]) => column(what, width)).join(""));
    assert.ok(gasOf(row.peer) <= 110_000 && gasOf(row.heartbeat) <= 35_517, name);
  }
}

export async function tests(chain, { ours }) {
  await test("four nodes of the zero-argument interface are 10.0.1.1, 10.0.1.2, … in order", async () => {
    await lifeOfFour(chain, ours, 1, ids.map((_, i) => `10.0.1.${i + 1}`));
  });
  await test("four nodes behind a gateway are named by instance", async () => {
    await lifeOfFour(chain, ours, 0, ids.map((id) => `https://${id}-s.dstack.example`));
  });
  await test("a member is listed to the second of its heartbeat timeout, and not one longer", () => heartbeats(chain, ours));
  await test("a transfer, the owner and the cluster's owner end an instance; its token can be used again", () =>
    ends(chain, ours));
  await test("maxNodes counts active instances; names are digits and lower-case letters", () => full(chain, ours));
  await test("registering in another form replaces the first", () => forms(chain, ours));
  await test("registerPeer() costs at most 110,000 gas in both modes, a heartbeat no more than the specification's", () =>
    gas(chain, ours));
}
