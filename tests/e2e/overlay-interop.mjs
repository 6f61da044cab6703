import assert from "node:assert";
import { spawn } from "node:child_process";
import path from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";
import { until } from "./lib/node.mjs";
import { strangerLearnsNothing } from "./lib/stranger.mjs";

const DEADLINE_MS = 3000; // for who does not attest
const BASIC = ["/ipfs/id/1.0.0", "/ipfs/id/push/1.0.0", "/ipfs/ping/1.0.0"];
const ATTEST = "/kettle/attest/1";
const OTHERS = ["/kettle/keyshare/1", "/kettle/state/1", "/kettle/msg/1", "/kettle/peers/1", "/kettle/lc/1", "/floodsub/1.0.0", "/ipfs/kad/1.0.0"];
const KEYS = { ed25519: { js: "Ed25519", type: 1 }, secp256k1: { js: "secp256k1", type: 2 } };

// Our end: a program on the overlay's own transports, whose lines are waited for in whatever order they come.
class Ours {
  #lines = [];
  #waiting = [];

  constructor(program, key, { deadlineMs = DEADLINE_MS, relay = false } = {}) {
    this.child = spawn(program, ["both", key, String(deadlineMs), ...(relay ? ["relay"] : [])], { stdio: ["pipe", "pipe", "inherit"] });
    this.ended = new Promise((resolve) => this.child.on("close", resolve));
    readline.createInterface({ input: this.child.stdout }).on("line", (line) => {
      this.#lines.push(JSON.parse(line));
      this.#waiting.forEach((look) => look());
    });
  }

  // The first line of this kind and peer that nobody took yet.
  line(event, has = () => true, ms = 10000) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no "${event}" within ${ms} ms; there are ${JSON.stringify(this.#lines)}`)), ms);
      const look = () => {
        const i = this.#lines.findIndex((line) => line.event === event && has(line));
        if (i < 0) return;
        clearTimeout(timer);
        this.#waiting = this.#waiting.filter((other) => other !== look);
        resolve(this.#lines.splice(i, 1)[0]);
      };
      this.#waiting.push(look);
      look();
    });
  }

  say(line) {
    this.child.stdin.write(`${line}\n`);
  }

  async stop() {
    this.child.stdin.end();
    return this.ended;
  }
}

// What js-libp2p comes to know of a peer by identify.
function identified(peer, id) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("no identify within 10 s")), 10000);
    peer.addEventListener("peer:identify", ({ detail }) => {
      if (detail.peerId.toString() !== id) return;
      clearTimeout(timer);
      resolve(detail);
    });
  });
}

async function theyDial(t, { ours, peer, address, libp2p, key }) {
  const id = address.split("/p2p/")[1];
  const me = { has: (line) => line.peer === peer.peerId.toString() };
  const known = identified(peer, id);
  const connection = await peer.dial(libp2p.address(address));
  assert.strictEqual(connection.remotePeer.toString(), id);
  const opened = await ours.line("opened", me.has);
  assert.strictEqual(opened.dialled, false);
  assert.strictEqual(opened.key, KEYS[key].type, "the type of the peer's key");
  const { protocols, agentVersion } = await known;
  assert.deepStrictEqual([...protocols].sort(), [...BASIC, ATTEST].sort());
  assert.strictEqual(agentVersion, "kettle-e2e/1");
  const ms = await peer.services.ping.ping(libp2p.address(address));
  assert((await ours.line("identified", me.has)).agent.includes("libp2p"));
  for (const name of OTHERS) {
    await assert.rejects(connection.newStream(name), /protocol|Protocol/, `${name} is refused`);
  }
  assert.strictEqual(connection.status, "open", "refusals leave the connection open");
  const began = Date.now();
  await new Promise((resolve) => (connection.status === "closed" ? resolve() : peer.addEventListener("connection:close", resolve, { once: true })));
  await ours.line("closed", me.has);
  assert(Date.now() - began < DEADLINE_MS + 1000, "closed after the deadline");
  return `ping ${ms} ms, ${OTHERS.length} protocols refused, closed`;
}

async function weDial(t, { ours, peer, address, key }) {
  const me = (line) => line.peer === peer.peerId.toString();
  ours.say(`dial ${address}`);
  const opened = await ours.line("opened", me);
  assert.strictEqual(opened.dialled, true);
  assert.strictEqual(opened.key, KEYS[key].type, "the type of the peer's key");
  const pong = await ours.line("pong", me);
  assert.strictEqual(pong.rc, "ok");
  const { protocols } = await ours.line("identified", me);
  assert.deepStrictEqual([...protocols].sort(), ["/ipfs/id/1.0.0", "/ipfs/ping/1.0.0"], "what js-libp2p serves");
  await ours.line("closed", me);
  return `ping ${pong.ms} ms`;
}

async function run(t) {
  try {
    await t.world.packages("libp2p");
  } catch {
    t.skip("js-libp2p", "its packages cannot be installed here");
    return;
  }
  const libp2p = await import(fileURLToPath(new URL("../devnet/libp2p/peer.mjs", import.meta.url)));
  const program = path.join(t.world.build, "tests/e2e/overlay_peer");
  for (const key of Object.keys(KEYS)) {
    const ours = new Ours(program, key);
    t.atEnd(() => ours.stop());
    const quic = (await ours.line("listening")).address;
    const tcp = (await ours.line("listening")).address;
    await Promise.all(
      [
        ["QUIC", quic, "/quic-v1"],
        ["TCP", tcp, "/tcp/"],
      ].map(async ([name, address, has]) => {
        const peer = await libp2p.startPeer(KEYS[key].js);
        t.atEnd(() => peer.stop());
        const theirs = peer.getMultiaddrs().map(String);
        const of = { ours, peer, libp2p, key };
        await t.test(`js-libp2p dials over ${name}, ${key}: identify, ping, nothing else, closed in time`, () => theyDial(t, { ...of, address }));
        await t.test(`js-libp2p is dialled over ${name}, ${key}: identify and ping`, () =>
          weDial(t, { ...of, address: theirs.find((at) => at.includes(has)) }),
        );
      }),
    );
    await t.test(`our end stops by itself, ${key}`, async () => assert.strictEqual(await ours.stop(), 0));
  }
  await relayed(t, libp2p, program);
  await theProgram(t);
}

// Circuit relay v2 with js-libp2p at each of its three places.
async function relayed(t, libp2p, program) {
  const ours = new Ours(program, "secp256k1", { deadlineMs: 60000, relay: true });
  t.atEnd(() => ours.stop());
  await ours.line("listening"); // over QUIC
  const at = (await ours.line("listening")).address;
  const start = async (how) => {
    const peer = await libp2p.startRelayed(how);
    t.atEnd(() => peer.stop());
    return peer;
  };
  const circuit = async (peer) =>
    until("it has a place at the relay", 10000, async () => {
      const found = peer.getMultiaddrs().map(String).find((address) => address.includes("/p2p-circuit"));
      if (!found) throw new Error(peer.getMultiaddrs().join(" "));
      return found;
    });
  const dialler = await start({});

  await t.test("relay: js-libp2p takes a place at ours, and is dialled through it by js-libp2p", async () => {
    const behind = await start({ through: [at] });
    const place = await circuit(behind);
    assert(place.startsWith(at), place);
    const connection = await dialler.dial(libp2p.address(place));
    assert.strictEqual(connection.remotePeer.toString(), behind.peerId.toString());
    return `ping ${await dialler.services.ping.ping(libp2p.address(place))} ms`;
  });

  const relay = await start({ relay: true });
  const theirs = relay.getMultiaddrs().map(String)[0];
  await t.test("relay: ours takes a place at js-libp2p's, and is dialled through it", async () => {
    ours.say(`dial ${theirs}`);
    const { address } = await ours.line("reached");
    assert(address.startsWith(theirs), address);
    const connection = await dialler.dial(libp2p.address(address));
    assert.strictEqual(connection.remotePeer.toString(), at.split("/p2p/")[1]);
    return `ping ${await dialler.services.ping.ping(libp2p.address(address))} ms`;
  });

  await t.test("relay: ours dials js-libp2p through js-libp2p's", async () => {
    const behind = await start({ through: [theirs] });
    await circuit(behind);
    ours.say(`dial ${theirs}/p2p-circuit/p2p/${behind.peerId}`);
    const pong = await ours.line("pong", (line) => line.peer === behind.peerId.toString());
    assert.strictEqual(pong.rc, "ok");
    return `ping ${pong.ms} ms`;
  });
}

// The program itself, which needs no chain for this: whoever is not attested learns nothing of it.
async function theProgram(t) {
  const node = t.world.node("interop", { options: ["--development"] });
  const [port, nobody] = [t.world.port(), "http://127.0.0.1:1"];
  await node.start();
  t.atEnd(() => node.stop());
  const checkpoint = `0x${"5a".repeat(32)}`;
  const policy = { version: 1, mode: "same-as-self" };
  const answer = await node.setup({ peers: [], port, execution_rpc: nobody, consensus_rpc: nobody, checkpoint, policy, force: true });
  assert.strictEqual(answer.status, 200, answer.text);
  await until("it listens", 10000, async () => {
    const { overlay } = await node.status();
    if (overlay.trouble) throw new Error(overlay.trouble);
    return true;
  });
  for (const { js } of Object.values(KEYS))
    await t.test(`js-libp2p, ${js}, dials \`kettle run\` over TCP and QUIC: identify, ping, nothing else`, () => strangerLearnsNothing(port, js));
}

export default { title: "the overlay's transports against js-libp2p", run };
