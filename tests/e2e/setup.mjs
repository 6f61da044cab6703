import assert from "node:assert";
import { execFileSync, spawnSync } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import https from "node:https";
import path from "node:path";
import { request, sleep, until } from "./lib/node.mjs";

const TRIAL_MS = 20000; // what a trial may take
// The prototype's own line, as its README has it.
const PROTOTYPE = '{"peers": [], "port": 5000, "execution_rpc": "https://mainnet.infura.io/v3/XX"}';

const JSON_BODY = { "content-type": "application/json" };

// A server for a test, which its end closes: play(request, body) gives [status, text].
async function serve(t, play, tls) {
  const handler = (request, response) => {
    const chunks = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", async () => {
      const [status, text] = await play(request, Buffer.concat(chunks).toString());
      response.writeHead(status, { "content-type": "application/json" }).end(text);
    });
  };
  const server = tls ? https.createServer(tls, handler) : http.createServer(handler);
  const port = t.world.port();
  await new Promise((ready) => server.listen(port, "127.0.0.1", ready));
  t.atEnd(() => server.closeAllConnections() ?? server.close());
  return `${tls ? "https" : "http"}://127.0.0.1:${port}`;
}

// An execution RPC that passes on what change(call) leaves alone.
const relay = (t, chain, change) =>
  serve(t, async (_, body) => {
    const changed = change(JSON.parse(body));
    return changed ? [200, JSON.stringify(changed)] : [200, (await request(chain.executionUrl, { method: "POST", body, headers: JSON_BODY })).text];
  });

function selfSigned(dir) {
  const [key, cert] = ["key.pem", "cert.pem"].map((name) => path.join(dir, name));
  const options = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...options, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { key: fs.readFileSync(key), cert: fs.readFileSync(cert) };
}

// What is wrong, the field that has to be named, what the sentence has to say.
async function wrongSetups(t, chain, good) {
  const locked = await serve(t, () => [401, '{"error":"invalid project id"}']);
  const proofless = await relay(t, chain, ({ id, method }) =>
    method === "eth_getProof" && { jsonrpc: "2.0", id, error: { code: -32601, message: "the method eth_getProof does not exist" } });
  const other = await relay(t, chain, ({ id, method }) => method === "eth_chainId" && { jsonrpc: "2.0", id, result: "0x1" });
  const signed = await serve(t, () => [200, "{}"], selfSigned(t.world.tmp));
  const dead = `http://127.0.0.1:${t.world.port()}`;
  const checkpoint = await chain.oldCheckpoint();
  const is = (change) => ({ ...good, ...change });
  return [
    ["a wrong key", is({ execution_rpc: `${locked}/v3/secretsecret` }), "execution_rpc", /HTTP status 401/],
    ["a dead host", is({ execution_rpc: dead }), "execution_rpc", /./],
    ["a dead beacon API", is({ consensus_rpc: dead }), "consensus_rpc", /./],
    ["swapped URLs", is({ execution_rpc: chain.beaconUrl, consensus_rpc: chain.executionUrl }), "execution_rpc", /HTTP status|JSON/],
    ["another chain", is({ execution_rpc: other }), "execution_rpc", /is of chain 1, and this network's is \d+/],
    ["an old checkpoint", is({ checkpoint, checkpoint_age_max_s: 60 }), "checkpoint", /old .*may be 60 s.*finalized/],
    ["an unknown checkpoint", is({ checkpoint: `0x${"ab".repeat(32)}` }), "checkpoint", /no beacon API knows it.*curl/],
    ["a malformed checkpoint", is({ checkpoint: "0x1234" }), "checkpoint", /32 bytes of hex/],
    ["a self-signed certificate", is({ execution_rpc: signed }), "execution_rpc", /certificate/i],
    ["no eth_getProof", is({ execution_rpc: proofless }), "execution_rpc", /eth_getProof/],
    ["a port of the overlay that is taken", is({ port: Number(new URL(chain.executionUrl).port) }), "port", /cannot listen on port/],
  ];
}

async function refused(node, setup, field, says) {
  const began = Date.now();
  const answer = await node.setup(setup);
  const ms = Date.now() - began;
  const { status, error, field: named } = JSON.parse(answer.text);
  assert.deepStrictEqual([answer.status, status, named], [400, "error", field], answer.text);
  assert.match(error, says);
  assert(!error.includes("secretsecret"), error);
  assert(ms < TRIAL_MS, `${ms} ms`);
  assert.strictEqual((await node.status()).state, "awaiting-setup");
  return `${ms} ms: ${error}`;
}

async function tenWrong(t, chain) {
  const node = await t.world.node("setup").start();
  const good = chain.setup({ force: undefined, port: t.world.port() });
  const wrong = await wrongSetups(t, chain, good);
  for (const [what, setup, field, says] of wrong) await t.test(`${what}: ${field}`, () => refused(node, setup, field, says));
  await t.test("after a restart still no setup is there, and the wrong ones are refused again", async () => {
    await node.stop();
    await node.start();
    for (const [, setup, field, says] of wrong) await refused(node, setup, field, says);
  });
  await t.test("then a right one is taken, kept once it is ready, and found after a restart", async () => {
    const began = Date.now();
    const answer = await node.setup(good);
    assert.deepStrictEqual([answer.status, answer.text.trim()], [200, '{"status":"success"}']);
    const ms = Date.now() - began;
    await node.ready();
    await node.stop();
    await node.start();
    await node.ready();
    return `tried in ${ms} ms`;
  });
  await node.stop();
}

// A disk on which the setup's file takes its time: a pipe in its place, until somebody reads.
async function slowDisk(t, chain) {
  await t.test("nothing is answered before the setup is on the disk: no crash behind a first answer loses it", async () => {
    const node = t.world.node("setup-disk"), pipe = path.join(node.dir, "state", ".setup.new");
    fs.mkdirSync(path.dirname(pipe), { recursive: true, mode: 0o700 });
    execFileSync("mkfifo", [pipe]);
    await node.start();
    assert.strictEqual((await node.setup(chain.setup({ port: t.world.port() }))).status, 200);
    await until("it is ready but for that", 60000, async () => {
      const { state, reason } = await node.status();
      assert.notStrictEqual(state, "ready");
      return reason === "keeping the setup for the next start";
    });
    await sleep(3000);
    for (const route of ["/readyz", "/block", "/v1/block/latest"]) assert.strictEqual((await node.get(route)).status, 503, route);
    const reader = fs.createReadStream(pipe).resume(); // then the write ends; a pipe cannot be synced: it is tried again later
    await new Promise((open) => reader.on("open", open));
    fs.rmSync(pipe, { force: true }); // unless the program was quicker
    await node.ready();
    reader.destroy();
    assert.match(fs.readFileSync(node.log, "utf8"), /a restart will need \/setup again/);
    await node.stop();
  });
}

// dstack's agent is there when the node starts, and gone when the setup comes.
async function agentDown(t, chain) {
  const socket = path.join(t.world.tmp, "agent.sock");
  const agent = http.createServer((_, response) => response.end("{}"));
  await new Promise((ready) => agent.listen(socket, ready));
  const node = await t.world.node("setup-agent", { options: ["--development", "--tee", "dstack", "--tee-socket", socket] }).start();
  await new Promise((closed) => agent.close(closed));
  await t.test("the TEE's agent is down: tee", () => refused(node, chain.setup({ force: undefined }), "tee", /gives no quote/));
  const silent = http.createServer(() => {}); // takes the question, and never answers
  fs.rmSync(socket, { force: true });
  await new Promise((ready) => silent.listen(socket, ready));
  t.atEnd(() => silent.closeAllConnections() ?? silent.close());
  await t.test("the TEE's agent does not answer: tee, within the trial's time", () => refused(node, chain.setup({ force: undefined }), "tee", /gives no quote/));
  await node.stop();
}

// A beacon server that passes on what the chain's own says.
const honest = (chain) => async ({ url }) => {
  const answer = await request(chain.beaconUrl + url);
  return [answer.status, answer.text];
};

// One that names another root, of the epoch that the others name or of one that is far ahead.
const liar = (chain, byte, epoch) => async ({ url }) => {
  const root = `0x${byte.repeat(32)}`;
  if (!url.endsWith("finality_checkpoints")) return [200, JSON.stringify({ data: { root } })];
  const said = JSON.parse((await request(chain.beaconUrl + url)).text).data.finalized;
  return [200, JSON.stringify({ data: { finalized: { epoch: epoch ?? said.epoch, root } } })];
};

// URLs of five servers, each under a name of its own; null: nothing listens there.
const five = async (t, plays) =>
  (await Promise.all(plays.map((play) => (play ? serve(t, play) : `http://127.0.0.1:${t.world.port()}`)))).map((url, i) =>
    url.replace("127.0.0.1", `${"abcde"[i]}.localhost`));

// Whom a quorum believes, and when there is none.
async function quorums(t, chain) {
  const good = honest(chain), at = (byte) => liar(chain, byte);
  const node = await t.world.node("setup-quorums").start();
  const with_ = (of, change) => chain.setup({ force: undefined, port: t.world.port(), checkpoint: { quorum: 3, of }, ...change });
  await t.test("two of five agree: refused", async () =>
    refused(node, with_(await five(t, [good, good, at("13"), at("37"), null])), "checkpoint", /no checkpoint is named by 3 of 5 servers: 4 name one, at most 2 the same/));
  await t.test("two of five answer: refused", async () =>
    refused(node, with_(await five(t, [good, null, null, good, null])), "checkpoint", /2 of 5 servers say what is finalized, and 3 have to/));
  const all = await five(t, [good, good, good, good, good]);
  await t.test("what all five name is older than the bound: refused", () =>
    refused(node, with_(all, { checkpoint_age_max_s: 1 }), "checkpoint", /epoch \d+, the newest that 3 of 5 servers have finalized, is .* old, which is too old: it may be 1 s/));
  const twice = [...all.slice(0, 4), all[0].replace("a.localhost", "A.localhost.")];
  await t.test("a host name twice: refused, by a measured configuration at start", () => {
    const config = path.join(t.world.tmp, "twice.json");
    fs.writeFileSync(config, JSON.stringify({ network: chain.network, checkpoint: { quorum: 3, of: twice }, setup_may_set: ["peers", "port", "execution_rpc", "consensus_rpc"] }));
    const ports = ["--setup-port", t.world.port(), "--api-port", t.world.port()].map(String);
    const { status, stderr } = spawnSync(path.join(t.world.build, "kettle"), ["run", "--config", config, "--tee", "simulator", ...ports], { encoding: "utf8" });
    assert.strictEqual(status, 1, stderr);
    assert.match(stderr, /checkpoint\.of: a\.localhost is named twice/);
    return refused(node, with_(twice), "checkpoint.of", /a\.localhost is named twice/);
  });
  await t.test("two against three at one epoch: the three win, the two are named in the log", async () => {
    const answer = await node.setup(with_(await five(t, [good, at("13"), good, at("13"), good])));
    assert.strictEqual(answer.status, 200, answer.text);
    await node.ready();
    const { checkpoint_by } = await node.status();
    assert.deepStrictEqual(checkpoint_by, ["a.localhost", "c.localhost", "e.localhost"]);
    const log = fs.readFileSync(node.log, "utf8");
    for (const name of ["b", "d"]) assert.match(log, new RegExp(`${name}\\.localhost does not name the root that 3 of 5 servers name: it names another one`));
    return checkpoint_by.join(", ");
  });
  await node.stop();
}

// Five beacon servers of which one lies and one is dead; three have to agree.
async function quorum(t, chain) {
  const good = honest(chain);
  const of = await five(t, [good, liar(chain, "37", "99999999"), good, good, null]);
  const config = path.join(t.world.tmp, "quorum.json");
  fs.writeFileSync(config, JSON.stringify({
    development: true, network: chain.network, consensus_rpc: chain.beaconUrl, checkpoint: { quorum: 3, of } }));
  const node = await t.world.node("setup-quorum", { options: ["--config", config] }).start();
  await t.test("the prototype's line, but for its URL, with a checkpoint that three of five servers name", async () => {
    const answer = await node.setup(PROTOTYPE.replace("https://mainnet.infura.io/v3/XX", chain.executionUrl));
    assert.deepStrictEqual([answer.status, answer.text.trim()], [200, '{"status":"success"}']);
    await node.ready();
    const status = await node.status();
    assert.deepStrictEqual([status.checkpoint_by, status.checkpoint_of], [["a.localhost", "c.localhost", "d.localhost"], 5]);
    assert.deepStrictEqual(status.cluster_statement.checkpoint.by, status.checkpoint_by);
    const log = fs.readFileSync(node.log, "utf8");
    assert.match(log, /b\.localhost does not name the root that 3 of 5 servers name: it names another one/);
    assert.match(log, /e\.localhost does not name/);
    return status.checkpoint;
  });
  await node.stop();
}

// A member that admits its own simulator only, and a joiner with another one.
async function refusedByPeers(t, chain) {
  const [port, own] = [t.world.port(), t.world.port()];
  const member = t.world.node("setup-member", { options: ["--development", "--simulator-seed", "setup-member"] });
  await member.begin(chain.setup({ port }));
  const node = await t.world.node("setup-refused").start();
  await t.test("a join that every peer refuses: given up after a minute, the port open again with the reason", async () => {
    const { checkpoint, ...joins } = chain.setup({ peers: [`127.0.0.1:${port}`], port: own });
    assert.strictEqual((await node.setup(joins)).status, 200);
    await until("the port is closed", 10000, () => request(node.setupUrl).then(() => false, () => true));
    const began = Date.now();
    const { reason } = await until("it is given up", 120000, async () => {
      const status = await node.status();
      return status.state === "awaiting-setup" && status;
    });
    const ms = Date.now() - began;
    assert(ms > 45000, `${ms} ms`);
    assert.match(reason, new RegExp(`waiting for POST /setup on port \\d+; the last one was given up: no peer lets this node join: /ip4/127\\.0\\.0\\.1/(udp/${port}/quic-v1|tcp/${port}): `));
    assert.match(fs.readFileSync(node.log, "utf8"), /POST \/setup is open again on port \d+, for the last time: no peer lets this node join/);
    return `${ms} ms: ${reason}`;
  });
  await t.test("then a right one is taken", async () => {
    assert.strictEqual((await node.setup(chain.setup({ port: own }))).status, 200);
    await node.ready();
  });
  await Promise.all([node.stop(), member.stop()]);
}

async function run(t) {
  const chain = await t.world.chain();
  await t.test("the prototype's line on a development node without a checkpoint: refused, with reason and command", async () => {
    const node = await t.world.node("setup-prototype").start();
    const said = await refused(node, PROTOTYPE, "checkpoint", /weak subjectivity.*curl URL\/eth\/v1\/beacon\/headers\/finalized/);
    await node.stop();
    return said;
  });
  await tenWrong(t, chain);
  await slowDisk(t, chain);
  await agentDown(t, chain);
  t.background(refusedByPeers(t, chain)); // a minute
  await quorum(t, chain);
  await quorums(t, chain);
}

export default { title: "a setup is tried before it is taken", run };
