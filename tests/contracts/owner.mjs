// What the owner may do, and nobody else; tokens as ERC-721 has them.
import assert from "node:assert/strict";
import { test } from "../sdk/harness.mjs";
import { viem } from "../sdk/libraries.mjs";
import * as is from "./chain.mjs";

const KEY = is.compressed(is.key("cluster key"));
const OTHER = is.compressed(is.key("another cluster key"));
const DAY = 24 * 3600;
const ZERO = "0x0000000000000000000000000000000000000000";

async function announced(chain, c, owner, { set, confirm, get, pending, from, events, value, other }) {
  const empty = await c.reads(get);
  await c.refuses("NotAnnounced", owner, confirm, value);
  const first = await c.does(owner, set, value);
  assert.deepEqual(viem.parseEventLogs({ abi: c.abi, logs: first.logs }).map((e) => e.eventName), [events[0]]);
  const t = await is.now(chain);
  assert.equal(await c.reads(pending), value);
  assert.equal(await c.reads(from), BigInt(t + DAY));
  assert.equal(await c.reads(get), empty);
  await is.passesTo(chain, t + DAY - 1);
  await c.refuses("NotAnnounced", owner, confirm, value);
  await is.passesTo(chain, t + DAY);
  await c.refuses("NotAnnounced", owner, confirm, other);
  const second = await c.does(owner, confirm, value);
  const [event] = viem.parseEventLogs({ abi: c.abi, logs: second.logs });
  assert.equal(event.eventName, events[1]);
  assert.equal(Object.values(event.args)[0], value);
  assert.equal(await c.reads(get), value);
  assert.equal(await c.reads(from), 0n);
  await c.refuses("NotAnnounced", owner, confirm, value); // once
  await c.does(owner, set, other);
  const again = await is.now(chain);
  await is.nextAt(chain, again + DAY / 2);
  await c.does(owner, set, value); // another announcement begins its own day
  await is.passesTo(chain, again + DAY);
  await c.refuses("NotAnnounced", owner, confirm, other);
  await c.refuses("NotAnnounced", owner, confirm, value);
}

async function onlyOwner(chain, c, stranger) {
  const calls = {
    transferOwnership: [stranger.address],
    renounceOwnership: [],
    mintNodeAccess: [stranger.address, ""],
    revokeNode: [1n],
    setClusterConfig: [1n, true, 0n],
    setNetwork: [1, 1n],
    setGateway: ["dstack.example", ""],
    setDevMode: [true],
    addBaseDomain: ["x.example"],
    removeBaseDomain: ["x.example"],
    setKmsRootAddress: [stranger.address],
    setAppAllowed: [is.OTHER_APP_ID, true],
    setClusterKey: [KEY],
    confirmClusterKey: [KEY],
    setOrder: [is.KMS],
    confirmOrder: [is.KMS],
    withdraw: [stranger.address],
  };
  for (const [name, args] of Object.entries(calls)) await c.refuses("NotAllowed", stranger, name, ...args);
  const mutable = c.abi.filter((f) => f.type === "function" && !["view", "pure"].includes(f.stateMutability));
  const anybody = `registerInstance bindInstance registerPeer updateHeartbeat deactivateInstance approve setApprovalForAll
    transferFrom safeTransferFrom`.split(/\s+/);
  for (const { name } of mutable) assert.ok(calls[name] || anybody.includes(name), name); // none is forgotten
}

async function settings(chain, c, owner) {
  await c.refuses("Malformed", owner, "setClusterConfig", 1025n, false, 0n);
  await c.does(owner, "setClusterConfig", 1024n, false, 7n);
  assert.equal(await c.reads("maxNodes"), 1024n);
  assert.equal(await c.reads("mintPrice"), 7n);
  await c.refuses("Malformed", owner, "setNetwork", 1, 2n ** 32n);
  await c.does(owner, "setNetwork", 1, 2n ** 32n - 1n);
  assert.equal(await c.reads("heartbeatTimeout"), 2n ** 32n - 1n);
  const label = "a".repeat(63);
  for (const domain of ["a", "a.b", "a-b.c1", `${label}.${label}.${label.slice(2)}`]) await c.does(owner, "addBaseDomain", domain);
  for (const domain of ["", ".", "a.", ".a", "a..b", "A", "a_b", "a b", "a:1", "a/b", `a${label}`, `${label}.${label}.${label}`])
    await c.refuses("Malformed", owner, "addBaseDomain", domain);
  for (const suffix of ["", "-", "-s", "-g", "-1", "-80", "-443s", "-65535g"]) await c.does(owner, "setGateway", "a.b", suffix);
  for (const suffix of ["s", "g", "8", "-x", "-sg", "-gs", "-ss", "--", "-0", "-01", "-65536", "-655360", "-1 ", "-s-", ".a"])
    await c.refuses("Malformed", owner, "setGateway", "a.b", suffix);
  await c.refuses("DomainNotAllowed", owner, "setGateway", "b", "-s");
  await c.refuses("Malformed", owner, "removeBaseDomain", "a.b"); // the gateway's
  const { logs } = await c.does(owner, "removeBaseDomain", "a-b.c1");
  assert.equal(viem.parseEventLogs({ abi: c.abi, logs })[0].eventName, "BaseDomainRemoved");
  assert.equal(await c.reads("allowedBaseDomains", "a-b.c1"), false);
  for (const bad of ["0x", "0x02", `0x04${KEY.slice(4)}`, `${KEY}00`, `0x00${KEY.slice(4)}`])
    await c.refuses("Malformed", owner, "setClusterKey", bad);
}

async function selling(chain, compiled) {
  const owner = chain.account;
  const c = await is.deployed(chain, compiled, [is.addressOf(is.KMS)]);
  const [a, b] = await Promise.all(["buys a", "buys b"].map((n) => is.wallet(chain, n)));
  await c.refusesPaid("WrongPayment", owner, 1n, "mintNodeAccess", a.address, "");
  await c.does(owner, "setClusterConfig", 10n, true, 100n);
  await c.refusesPaid("WrongPayment", a, 99n, "mintNodeAccess", a.address, "");
  assert.equal((await c.pays(a, 100n, "mintNodeAccess", a.address, "")).status, "success");
  assert.equal((await c.pays(b, 101n, "mintNodeAccess", b.address, "")).status, "success");
  await c.does(owner, "withdraw", viem.getAddress("0x00000000000000000000000000000000000a11ce"));
  assert.equal(await chain.client.getBalance({ address: "0x00000000000000000000000000000000000a11ce" }), 201n);
  await c.refuses("BadAddress", owner, "withdraw", c.address); // takes no money but for a token
}

async function tokens(chain, compiled) {
  const c = await is.deployed(chain, compiled, [is.addressOf(is.KMS)]);
  const owner = chain.account;
  const [a, b, d] = await Promise.all(["token a", "token b", "token d"].map((n) => is.wallet(chain, n)));
  await c.does(owner, "mintNodeAccess", a.address, "");
  assert.equal(await c.reads("balanceOf", a.address), 1n);
  assert.equal(await c.reads("balanceOf", b.address), 0n);
  assert.equal(await c.reads("tokenURI", 1n), "");
  await c.refuses("BadAddress", owner, "balanceOf", ZERO);
  for (const [name, args] of [["ownerOf", [2n]], ["tokenURI", [2n]], ["getApproved", [2n]], ["approve", [b.address, 2n]]])
    await c.refuses("NoSuchToken", a, name, ...args);
  await c.refuses("BadAddress", owner, "mintNodeAccess", ZERO, "");
  await c.refuses("BadAddress", a, "transferFrom", a.address, ZERO, 1n);
  await c.refuses("NotAllowed", b, "transferFrom", a.address, b.address, 1n);
  await c.refuses("WrongHolder", a, "transferFrom", b.address, d.address, 1n);
  await c.refuses("NotAllowed", b, "approve", b.address, 1n);
  await c.does(a, "approve", b.address, 1n);
  assert.equal(await c.reads("getApproved", 1n), b.address);
  await c.does(b, "transferFrom", a.address, b.address, 1n);
  assert.equal(await c.reads("getApproved", 1n), ZERO);
  await c.refuses("NotAllowed", a, "transferFrom", b.address, a.address, 1n);
  await c.refuses("BadAddress", b, "setApprovalForAll", ZERO, true);
  await c.does(b, "setApprovalForAll", d.address, true);
  assert.equal(await c.reads("isApprovedForAll", b.address, d.address), true);
  await c.does(d, "safeTransferFrom", b.address, d.address, 1n);
  const deaf = await is.deployed(chain, compiled, [is.addressOf(is.KMS)]); // a contract that takes no tokens
  await c.refuses("execution reverted", d, "safeTransferFrom", d.address, deaf.address, 1n, "0x1234");
  await c.does(d, "transferFrom", d.address, deaf.address, 1n);
  assert.equal(await c.reads("ownerOf", 1n), viem.getAddress(deaf.address));
}

export async function tests(chain, { ours }) {
  const owner = chain.account;
  const c = await is.cluster(chain, ours, 0);
  const stranger = await is.wallet(chain, "not the owner");
  await test("what the owner may do nobody else may", () => onlyOwner(chain, c, stranger));
  await test("a cluster key is announced, and set a day later", () =>
    announced(chain, c, owner, {
      set: "setClusterKey",
      confirm: "confirmClusterKey",
      get: "clusterKey",
      pending: "pendingClusterKey",
      from: "clusterKeyFrom",
      events: ["ClusterKeyAnnounced", "ClusterKeySet"],
      value: KEY,
      other: OTHER,
    }));
  await test("an order is announced, and set a day later", () =>
    announced(chain, c, owner, {
      set: "setOrder",
      confirm: "confirmOrder",
      get: "orderDigest",
      pending: "pendingOrder",
      from: "orderFrom",
      events: ["OrderAnnounced", "OrderSet"],
      value: is.key("order"),
      other: is.key("another order"),
    }));
  await test("settings have bounds; domains, suffixes and keys a form", () => settings(chain, c, owner));
  await test("public minting takes its price, and the owner what was paid", () => selling(chain, ours));
  await test("tokens move as ERC-721 says, one for each wallet", () => tokens(chain, ours));
  await test("ownership moves, and can be given up for good", async () => {
    await c.refuses("BadAddress", owner, "transferOwnership", ZERO);
    await c.does(owner, "transferOwnership", stranger.address);
    await c.refuses("NotAllowed", owner, "setDevMode", true);
    await c.does(stranger, "renounceOwnership");
    assert.equal(await c.reads("owner"), ZERO);
    await c.refuses("NotAllowed", stranger, "setDevMode", true);
  });
}
