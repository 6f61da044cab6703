// One client that floods: a process of its own, so that whoever measures is not kept busy by it.
//   node flood.mjs KIND PORT MS     prints what was answered, as JSON, when the time is over
import http from "node:http";
import net from "node:net";

const [kind, port, ms] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const FLOODER = "127.0.0.66";
const SLOW_ADDRESSES = 4;
const SLOW_EACH = 256;
const IDLE = 1000;
const SOCKETS_EACH = 128;
const MESSAGE = 5 << 20; // the longest that is taken
const end = Date.now() + ms;
const counts = {};
let number = 0;

const note = (what) => (counts[what] = (counts[what] ?? 0) + 1);
const sleep = (wait) => new Promise((done) => setTimeout(done, wait));

// A call that nobody has made before: hashes 4 KiB, then jumps back, for ever.
function loop(gas) {
  const n = (++number).toString(16).padStart(8, "0");
  return JSON.stringify({ data: `0x63${n}505b6110005f2050600656`, gas }); // PUSH4 n POP; JUMPDEST KECCAK256 POP JUMP
}

// One request; whatever comes of it is counted. leaveMs: the socket is closed then.
function ask(agent, path, body, leaveMs) {
  return new Promise((done) => {
    const options = { host: "127.0.0.1", port, path, agent, localAddress: FLOODER, method: body ? "POST" : "GET" };
    const headers = body ? { "content-type": "application/json", "content-length": body.length } : {};
    const r = http.request({ ...options, headers }, (answer) => {
      answer.resume().on("end", () => done(note(answer.statusCode))).on("error", () => done(note("broken")));
    });
    r.on("error", () => done(note(leaveMs ? "left" : "closed")));
    if (leaveMs) setTimeout(() => r.destroy(), leaveMs);
    r.end(body);
  });
}

async function many(connections, each) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: connections });
  const one = async () => {
    while (Date.now() < end) await Promise.race([each(agent), sleep(end - Date.now())]);
  };
  await Promise.all(Array.from({ length: connections }, one));
}

// Keeps so many connections of an address open; hold(socket) is told of each.
function keep(address, connections, hold) {
  const open = () => {
    if (Date.now() >= end) return;
    const socket = net.connect({ host: "127.0.0.1", port, localAddress: address }, () => hold(socket));
    socket.on("error", () => {});
    socket.on("data", () => note("answered"));
    socket.on("close", () => {
      note("closed");
      setTimeout(open, 200);
    });
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  };
  for (let i = 0; i < connections; i++) open();
}

const sockets = new Set();

const FLOODS = {
  // 80 connections with calls of 50 million gas.
  loops: () => many(80, (agent) => ask(agent, "/call", loop("0x2faf080"))),
  // 72 calls a second of all the gas there is, whose sockets are closed 0.3 s later.
  left: async () => {
    for (; Date.now() < end; await sleep(1000 / 72)) void ask(false, "/call", loop("0x7fffffffffffffff"), 300);
  },
  // Four addresses with 256 bodies each that hardly come.
  slow: async () => {
    const head = "POST /call HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 900000\r\n\r\n{";
    const drip = (socket) => {
      socket.write(head);
      const timer = setInterval(() => socket.write(" ".repeat(1000)), 200);
      socket.on("close", () => clearInterval(timer));
    };
    for (let i = 0; i < SLOW_ADDRESSES; i++) keep(`127.0.0.${70 + i}`, SLOW_EACH, drip);
    await sleep(end - Date.now());
  },
  // Four addresses with 128 WebSockets each, on which a message of 5 MiB comes but for its last byte.
  websockets: async () => {
    const handshake = "GET /rpc HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    const frame = Buffer.alloc(14 + MESSAGE - 1, " ");
    frame.set([0x81, 0xff, 0, 0, 0, 0, 0, MESSAGE >> 16, 0, 0, 0, 0, 0, 0]);
    const begin = (socket) => (socket.write(handshake), socket.once("data", () => socket.write(frame)));
    for (let i = 0; i < SLOW_ADDRESSES; i++) keep(`127.0.0.${70 + i}`, SOCKETS_EACH, begin);
    await sleep(end - Date.now());
  },
  // 1,000 connections on which nothing comes.
  idle: async () => {
    keep(FLOODER, IDLE, () => {});
    await sleep(end - Date.now());
  },
  // Fresh quotes without end.
  quotes: () => {
    const nonce = () => "0x" + (++number).toString(16).padStart(64, "0");
    return many(80, (agent) => ask(agent, `/v1/attest?nonce=${nonce()}`));
  },
};

await FLOODS[kind]();
console.log(JSON.stringify(counts));
process.exit(0);
