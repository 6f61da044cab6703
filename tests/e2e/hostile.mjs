// A hostile peer at the overlay's port of the program, over raw sockets: whatever it does at whatever step, its connections end in
// time, memory stays bounded, and a member that is there stays there.
import assert from "node:assert";
import crypto from "node:crypto";
import dgram from "node:dgram";
import fs from "node:fs";
import { sleep, until } from "./lib/node.mjs";
import { RawPeer, field, frame, line, varint } from "./lib/rawpeer.mjs";

const HANDSHAKE_MS = 5000; // overlay/net/net.h
const SLACK_MS = 4000;
const GROWTH_KIB = 24 * 1024; // of resident memory, over all
const STRANGERS_MAX = 16; // overlay/peers.h
const [SYN, PING, DATA, WINDOW] = [1, 2, 0, 1];
const CHECKPOINT = `0x${"5a".repeat(32)}`;
const UNREAD = "data without end, answers not read";
const NOBODY = "http://127.0.0.1:1";

const residentKib = (pid) => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]);
const descriptors = (pid) => fs.readdirSync(`/proc/${pid}/fd`).length;

class Victim {
  constructor(t, name, seed) {
    this.node = t.world.node(name, { options: ["--development", "--simulator-seed", seed] });
    this.port = t.world.port();
  }

  async begin(peers) {
    await this.node.start();
    const { simulator_root } = (await this.node.status()).tee;
    const policy = { version: 1, mode: "same-as-self", simulator_root };
    const setup = { peers, port: this.port, execution_rpc: NOBODY, consensus_rpc: NOBODY, policy, force: true };
    if (!peers.length) setup.checkpoint = CHECKPOINT;
    const answer = await this.node.setup(setup);
    assert.strictEqual(answer.status, 200, answer.text);
    return this;
  }

  async members() {
    return JSON.parse((await this.node.get("/v1/peers")).text).members;
  }

  // Whether the one member is there, on the same connection as ever.
  async hasMember() {
    const there = (await this.members()).filter(({ state }) => state === "peer");
    assert.strictEqual(there.length, 1, "the member's connection");
    return there[0];
  }
}

const connected = (victim, from) => new RawPeer(victim.port, from);

async function upgraded(victim, from) {
  const peer = connected(victim, from);
  await Promise.race([peer.upgrade(), sleep(HANDSHAKE_MS).then(() => Promise.reject(new Error("no handshake in time")))]);
  return peer;
}

// How long it takes until all of these are closed.
async function allClosed(peers, limitMs) {
  const began = Date.now();
  await until("all are closed", limitMs, () => peers.every((peer) => peer.closed), 20);
  return Date.now() - began;
}

async function halfOpen(victim) {
  const peers = Array.from({ length: 300 }, () => connected(victim, "127.0.0.66"));
  await sleep(500);
  const other = await upgraded(victim, "127.0.0.67"); // somebody else still comes in
  other.destroy();
  return `300 closed after ${await allClosed(peers, HANDSHAKE_MS + SLACK_MS)} ms`;
}

// A byte now and then, at each step.
async function slowLoris(victim) {
  const drips = [
    Buffer.concat([line("/multistream/1.0.0"), line("/noise")]),
    Buffer.concat([line("/multistream/1.0.0"), line("/noise"), Buffer.from([0, 32]), crypto.randomBytes(32)]),
  ];
  const peers = drips.map((bytes, i) => {
    const peer = connected(victim, "127.0.0.68");
    const whole = i ? drips[0].length : 0; // the second is quick until Noise
    peer.send(bytes.subarray(0, whole));
    (async () => {
      for (let at = whole; at < bytes.length && !peer.closed; at++) {
        peer.send(bytes.subarray(at, at + 1));
        await sleep(600);
      }
    })();
    return peer;
  });
  const ms = await allClosed(peers, HANDSHAKE_MS + SLACK_MS);
  const inside = await upgraded(victim, "127.0.0.68");
  inside.say(frame(WINDOW, SYN, 1, 0));
  for (const byte of line("/multistream/1.0.0")) {
    inside.say(frame(DATA, 0, 1, 1, Buffer.from([byte])));
    await sleep(300);
  }
  inside.destroy();
  return `closed after ${ms} ms`;
}

async function oversized(victim) {
  const first = [varint(2 ** 40), Buffer.from("ffffffffffffffff7f", "hex"), Buffer.from("80".repeat(40), "hex"), varint(0), varint(1025)];
  const peers = first.map((bytes) => {
    const peer = connected(victim, "127.0.0.69");
    peer.send(bytes);
    return peer;
  });
  await allClosed(peers, 2000);
  const noise = connected(victim, "127.0.0.69");
  await noise.negotiate("/noise");
  noise.send(Buffer.concat([Buffer.from([255, 255]), crypto.randomBytes(65535)]));
  await allClosed([noise], 2000);
  return `${first.length + 1} closed at once`;
}

// What an unattested peer may do inside its connection.
async function yamuxAbuse(victim) {
  const many = (count, make) => Buffer.concat(Array.from({ length: count }, (_, i) => make(i)));
  const pings = Buffer.concat([line("/multistream/1.0.0"), line("/ipfs/ping/1.0.0")]);
  const abuses = {
    "ping flood": many(50000, (i) => frame(PING, SYN, 0, i)),
    "SYN flood": many(5000, (i) => frame(WINDOW, SYN, 2 * i + 1, 0)),
    [UNREAD]: Buffer.concat([frame(WINDOW, SYN, 1, 0), frame(DATA, 0, 1, pings.length, pings), many(80, () => frame(DATA, 0, 1, 16384, Buffer.alloc(16384)))]),
    "window past 2^32": Buffer.concat([frame(WINDOW, SYN, 1, 0xffffffff), frame(WINDOW, 0, 1, 0xffffffff)]),
    "a frame of 4 GiB": frame(DATA, SYN, 1, 0xffffffff),
    "empty frames": Buffer.concat([frame(WINDOW, SYN, 1, 0), many(100000, () => frame(DATA, 0, 1, 0))]),
    "even numbers": frame(WINDOW, SYN, 2, 0),
    "another version": Buffer.concat([Buffer.from([1]), frame(WINDOW, SYN, 1, 0).subarray(1)]),
    "window updates": Buffer.concat([frame(WINDOW, SYN, 1, 0), many(200000, () => frame(WINDOW, 0, 1, 1))]),
  };
  const said = [];
  let host = 70;
  for (const [name, bytes] of Object.entries(abuses)) {
    const peer = await upgraded(victim, `127.0.0.${host++}`);
    peer.say(bytes);
    const closed = await Promise.race([peer.ended.then(() => true), sleep(3000).then(() => false)]);
    assert(peer.received < 8 << 20, `${name}: it answers ${peer.received} bytes`);
    if (!closed && name !== UNREAD) said.push(name); // its stream alone is reset
    peer.destroy();
  }
  assert.deepStrictEqual(said, [], "these do not end their connection");
}

async function identifyPush(victim) {
  const before = JSON.stringify((await victim.node.status()).overlay.addresses);
  const bad = Buffer.concat(Array.from({ length: 300 }, () => field(2, crypto.randomBytes(12))));
  const huge = Buffer.alloc(1 << 20, 7);
  const push = (body) => [line("/multistream/1.0.0"), line("/ipfs/id/push/1.0.0"), varint(body.length), body];
  const peer = await upgraded(victim, "127.0.0.90");
  for (let i = 0; i < 200 && !peer.closed; i++) peer.stream(2 * i + 1, ...push(bad));
  const other = await upgraded(victim, "127.0.0.91");
  other.stream(1, ...push(huge));
  await sleep(1500);
  for (const one of [peer, other]) one.destroy();
  assert.strictEqual(JSON.stringify((await victim.node.status()).overlay.addresses), before, "addresses that a stranger pushed");
}

// The protocols of ours that a stranger reaches: attestation, and orders once that has begun.
async function ourProtocols(victim) {
  const open = (name, body) => [line("/multistream/1.0.0"), line(name), body];
  const bodies = [crypto.randomBytes(256), Buffer.alloc(600000), Buffer.concat([Buffer.from("TAH2"), Buffer.alloc(252)]), Buffer.from([1])];
  let host = 100;
  const peers = [];
  for (const body of bodies) {
    const peer = await upgraded(victim, `127.0.0.${host++}`);
    peer.stream(1, ...open("/kettle/attest/1", body));
    for (let i = 0; i < 20; i++) peer.stream(2 * i + 3, ...open("/kettle/order/1", crypto.randomBytes(4096)));
    peer.stream(101, ...open("/kettle/order/1", Buffer.alloc(400000)));
    for (const [i, name] of ["keyshare", "state", "flood", "peers", "lc", "msg", "rbc"].entries())
      peer.stream(103 + 2 * i, ...open(`/kettle/${name}/1`, crypto.randomBytes(512)));
    peers.push(peer);
  }
  await sleep(3000);
  const closed = peers.filter((peer) => peer.closed).length;
  for (const peer of peers) peer.destroy();
  assert(closed >= 2, `${closed} closed`);
  return `${closed} of ${peers.length} closed at once`;
}

// Strangers at many addresses take all slots that strangers have, and no more.
async function slots(victim) {
  const peers = [];
  for (let i = 0; i < 40; i++) peers.push(await upgraded(victim, `127.0.3.${i + 1}`).catch(() => null));
  await sleep(2500);
  const open = peers.filter((peer) => peer && !peer.closed).length;
  assert(open <= STRANGERS_MAX + 2, `${open} strangers are connected`);
  await victim.hasMember();
  for (const peer of peers) peer?.destroy();
  return `${open} of 40 stay`;
}

async function datagrams(victim) {
  const socket = dgram.createSocket("udp4");
  await new Promise((resolve) => socket.bind({ address: "127.0.0.120" }, resolve));
  const initial = () => Buffer.concat([Buffer.from([0xc0 | crypto.randomInt(16)]), Buffer.from("00000001", "hex"), Buffer.from([8]), crypto.randomBytes(8), Buffer.from([0, 0, 0x44, 0x96]), crypto.randomBytes(1174)]);
  for (let i = 0; i < 20000; i++) {
    const bytes = i % 2 ? initial() : crypto.randomBytes(1 + crypto.randomInt(1300));
    socket.send(bytes, victim.port, "127.0.0.1", () => {});
    if (i % 50 === 0) await sleep(1);
  }
  await sleep(500);
  socket.close();
}

async function run(t) {
  const victim = await new Victim(t, "hostile", "hostile").begin([]);
  const member = await new Victim(t, "hostile-member", "hostile").begin([`127.0.0.1:${victim.port}`]);
  t.atEnd(() => Promise.all([victim.node.stop(), member.node.stop()]));
  await until("the member is there", 30000, () => victim.hasMember());
  const { pid } = victim.node;
  const before = { kib: residentKib(pid), files: descriptors(pid), id: (await victim.hasMember()).peer };
  const attacks = {
    "300 connections that say nothing": halfOpen,
    "a byte now and then, at each step": slowLoris,
    "lengths beyond every maximum": oversized,
    "yamux: floods, windows, frames that break its rules": yamuxAbuse,
    "identify: pushed addresses, a message of 1 MiB": identifyPush,
    "attestation and orders of nobody, members' protocols": ourProtocols,
    "40 strangers": slots,
    "20,000 datagrams": datagrams,
  };
  for (const [name, attack] of Object.entries(attacks))
    await t.test(`${name}: ends in time, and the member stays`, async () => {
      const said = await attack(victim);
      const began = Date.now();
      assert.strictEqual((await victim.hasMember()).peer, before.id);
      assert(Date.now() - began < 2000, "it answers");
      victim.node.assertAlive();
      return said;
    });
  await t.test("nothing of it is left: descriptors, memory", async () => {
    await until("descriptors", 15000, () => descriptors(pid) <= before.files + 2);
    const kib = residentKib(pid);
    assert(kib < before.kib + GROWTH_KIB, `${before.kib} KiB, then ${kib}`);
    return `${before.kib} KiB before, ${kib} KiB after`;
  });
}

export default { title: "a hostile peer at the overlay's port", run };
