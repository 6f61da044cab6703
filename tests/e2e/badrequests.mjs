import assert from "node:assert";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import * as client from "./lib/client.mjs";
import { request, sleep, until } from "./lib/node.mjs";

const TEN_MB = 10 << 20;
const CALL_LIMIT_MS = 40000; // even under a sanitizer

// Text for /setup, the status and the field that the refusal must name ("": the text as a whole).
function badSetups(good) {
  const changed = (change) => JSON.stringify({ ...good, ...change });
  const without = (key) => changed({ [key]: undefined });
  const { genesis, ...withoutGenesis } = good.network;
  return [
    ["an empty body", "", 400, "peers"],
    ["malformed JSON", "{", 400, ""],
    ["a list", "[]", 400, ""],
    ["null", "null", 400, ""],
    ["garbage after the object", JSON.stringify(good) + "}", 400, ""],
    ["a key twice", `{"peers":[],${JSON.stringify(good).slice(1)}`, 400, ""],
    [
      "invalid UTF-8",
      Buffer.concat([Buffer.from('{"peers":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]),
      400,
      "",
    ],
    ["100000 levels", "[".repeat(100000), 400, ""],
    ["no peers", without("peers"), 400, "peers"],
    ["no port", without("port"), 400, "port"],
    ["no execution_rpc", without("execution_rpc"), 400, "execution_rpc"],
    ["an unknown key", changed({ executionrpc: "x" }), 400, "executionrpc"],
    ["peers as text", changed({ peers: "127.0.0.1:1" }), 400, "peers"],
    ["a peer as number", changed({ peers: [5] }), 400, "peers"],
    ["port as text", changed({ port: "4001" }), 400, "port"],
    ["port 0", changed({ port: 0 }), 400, "port"],
    ["port 65536", changed({ port: 65536 }), 400, "port"],
    ["port 1.5", changed({ port: 1.5 }), 400, "port"],
    ["an empty list of URLs", changed({ execution_rpc: [] }), 400, "execution_rpc"],
    ["a URL without scheme", changed({ execution_rpc: "127.0.0.1:8545" }), 400, "execution_rpc"],
    ["a file URL", changed({ consensus_rpc: "file:///etc/passwd" }), 400, "consensus_rpc"],
    ["17 URLs", changed({ consensus_rpc: Array(17).fill("http://127.0.0.1:1") }), 400, "consensus_rpc"],
    ["a short checkpoint", changed({ checkpoint: "0x1234" }), 400, "checkpoint"],
    ["a checkpoint that is not hex", changed({ checkpoint: "0x" + "zz".repeat(32) }), 400, "checkpoint"],
    ["an unknown network", changed({ network: "ropsten" }), 400, "network"],
    ["a name that is quoted up to half a character", changed({ network: `${"a".repeat(39)}é` }), 400, "network"],
    ["network without genesis", changed({ network: withoutGenesis }), 400, "network"],
    ["network as number", changed({ network: 1 }), 400, "network"],
    ["an unknown TEE", changed({ tee: "sgx" }), 400, "tee"],
    ["an unknown transport", changed({ transport: "carrier pigeon" }), 400, "transport"],
    ["an unknown default block", changed({ default_block: "pending" }), 400, "default_block"],
  ];
}

async function refusedSetup(node, body, status, field) {
  const answer = await node.setup(body);
  assert.strictEqual(answer.status, status, answer.text);
  const object = JSON.parse(answer.text);
  assert.strictEqual(object.status, "error");
  assert(typeof object.error === "string" && object.error.length > 3, answer.text);
  const below = /^([.[]|$)/; // "policy.mode" and "peers[0]" are below "policy" and "peers"
  const named = String(object.field).startsWith(field) && below.test(object.field.slice(field.length));
  assert(named, `names the field "${object.field}", not "${field}"`);
}

async function setupPort(t, node, good) {
  for (const [what, body, status, field] of badSetups(good)) {
    await t.test(`/setup with ${what}: ${status}`, () => refusedSetup(node, body, status, field), { quiet: true });
  }
  await t.test("/setup with 10 MB: refused", async () => {
    const answer = await node.setup(`{"peers":["${"a".repeat(TEN_MB)}"]}`).catch((e) => e);
    assert(answer.status === 413 || answer.status === 400 || answer.code === "ECONNRESET" || answer.code === "EPIPE");
  });
  await t.test("/setup: wrong method 405, other routes 404", async () => {
    assert.strictEqual((await request(node.setupUrl)).status, 405);
    assert.strictEqual((await request(node.setupUrl.replace("/setup", "/block"))).status, 404);
  });
  await t.test("the port stayed open: a good setup is taken", async () => {
    const answer = await node.setup(good);
    assert.deepStrictEqual([answer.status, answer.text.trim()], [200, '{"status":"success"}']);
    await node.ready();
  });
}

function badCalls(to) {
  const json = JSON.stringify;
  return [
    ["an empty body", ""],
    ["malformed JSON", '{"to":'],
    ["a list", "[]"],
    ["text", '"0x"'],
    ["null", "null"],
    ["garbage after the object", json({ to }) + "x"],
    ["a key twice", `{"to":"${to}","to":"${to}"}`],
    ["a NUL byte", `{"to":"${to}\u0000"}`],
    ["invalid UTF-8", Buffer.concat([Buffer.from('{"data":"'), Buffer.from([0xc0, 0x80]), Buffer.from('"}')])],
    ["100000 levels", "[".repeat(100000) + "]".repeat(100000)],
    ["to as number", json({ to: 5 })],
    ["a short address", json({ to: "0x12" })],
    ["a long address", json({ to: to + "00" })],
    ["an address that is not hex", json({ to: "0x" + "zz".repeat(20) })],
    ["data of odd length", json({ to, data: "0x123" })],
    ["data of odd length without 0x", json({ to, data: "18160dd" })],
    ["data that is not hex", json({ to, data: "0xgg" })],
    ["data as list", json({ to, data: [1] })],
    ["data and input that differ", json({ to, data: "0x01", input: "0x02" })],
    ["a value that is not hex", json({ to, value: "five" })],
    ["a negative value", json({ to, value: "-0x1" })],
    ["a value of 33 bytes", json({ to, value: "0x1" + "00".repeat(32) })],
    ["gas of 33 bytes", json({ to, gas: "0x1" + "00".repeat(32) })],
    ["an access list of text", json({ to, accessList: "none" })],
    ["an access list with a bad key", json({ to, accessList: [{ address: to, storageKeys: ["0x1"] }] })],
  ];
}

async function callRoute(t, node, chain, pubkey) {
  const { token } = chain.contracts.addresses;
  const post = (body) => node.get("/call", { method: "POST", body, headers: { "content-type": "application/json" } });
  for (const [what, body] of badCalls(token)) {
    await t.test(
      `/call with ${what}: 400`,
      async () => {
        const answer = await post(body);
        const tooDeep = answer.status === 422 && body.length > 1000;
        assert(answer.status === 400 || tooDeep, `${answer.status} ${answer.text}`);
        assert(client.problem(answer).detail.length > 3);
      },
      { quiet: true },
    );
  }
  await t.test("/call with 10 MB: 413", async () => {
    const answer = await post(`{"to":"${token}","data":"0x${"00".repeat(TEN_MB >> 1)}"}`).catch((e) => e);
    assert(
      answer.status === 413 || answer.code === "ECONNRESET" || answer.code === "EPIPE",
      String(answer.status ?? answer),
    );
  });
  await t.test("gas below the intrinsic gas, value above the balance: refused", async () => {
    for (const call of [
      { to: token, gas: "0x1" },
      { to: token, value: "0xffffffffffffffffffffffff" },
    ]) {
      const answer = await node.call(call);
      if (answer.status === 200) assert.strictEqual(client.response(answer, pubkey), "Error");
      else client.problem(answer);
    }
  });
  const most = "0x7fffffffffffffff";
  const endless = {
    "jumps for ever": { data: "0x5b5f56", gas: most },
    "hashes for ever": { data: "0x5b6110005f2050600056", gas: most },
    "calls itself for ever": { data: "0x5b5f5f5f5f5f305af1505f56", gas: most },
    "fills memory for ever": { data: "0x5b595952600056", gas: most },
    "creates for ever": { data: "0x5b365f5ff0505f56", gas: "0x80000" }, // each creation needs a proof of absence
  };
  for (const [what, call] of Object.entries(endless)) {
    await t.test(`a call that ${what} ends`, async () => {
      const began = Date.now();
      const answer = await node.call(call);
      assert(Date.now() - began < CALL_LIMIT_MS);
      if (answer.status !== 200) return client.problem(answer).detail;
      assert.strictEqual(client.response(answer, pubkey), "Error");
      return "out of gas, signed Error";
    });
  }
  await t.test("a call that touches 40 unknown accounts", async () => {
    // for (n = 40; n; n--) balance(0x1000000 + n)
    const data = "0x6100285b806301000000013150600190038060035700";
    const { answer, height } = await client.callAtHeight(node, { data, gas: "0xf4240" }, pubkey);
    if (answer.status !== 200) return client.problem(answer).detail;
    assert.deepStrictEqual(client.response(answer, pubkey), await chain.call({ data, gas: "0xf4240" }, height));
  });
}

async function routes(t, node) {
  await t.test("unknown routes: 404", async () => {
    for (const path of ["/blocks", "/blocks/", "/v1", "/../etc/passwd", "/%00", "/call%2fx", "/setup"]) {
      const answer = await node.get(path);
      assert(answer.status === 404 || (answer.status === 400 && path === "/%00"), `${path}: ${answer.status}`);
    }
  });
  await t.test("wrong methods: 405 with Allow", async () => {
    for (const [method, path] of [
      ["POST", "/v1/block/latest"],
      ["GET", "/call"],
      ["DELETE", "/v1/attest"],
      ["PUT", "/v1/status"],
    ]) {
      const answer = await node.get(path, { method });
      assert.strictEqual(answer.status, 405, `${method} ${path}: ${answer.status}`);
      assert(answer.headers.allow, "Allow");
    }
  });
  await t.test("the prototype's routes: /block and /attest take any method; errors are parsed twice", async () => {
    for (const path of ["/block", "/attest/"])
      for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
        const answer = await node.get(path, { method });
        assert.strictEqual(answer.status, 200, `${method} ${path}: ${answer.status}`);
        assert(Object.keys(client.parseTwice(answer.text)).length, answer.text);
      }
    for (const [method, status] of [["GET", 405], ["POST", 400]]) {
      const answer = await node.get("/call/", { method, body: method === "POST" ? "{" : undefined });
      assert.deepStrictEqual([answer.status, answer.headers["content-type"]], [status, "application/json"]);
      assert.strictEqual(typeof JSON.parse(JSON.parse(answer.text)).error, "string", answer.text);
    }
  });
  await t.test("CORS is open for the prototype's routes", async () => {
    const preflight = { Origin: "http://example.org", "Access-Control-Request-Method": "POST" };
    const answer = await node.get("/call", { method: "OPTIONS", headers: preflight });
    assert(answer.status === 200 || answer.status === 204, String(answer.status));
    assert.strictEqual(answer.headers["access-control-allow-origin"], "*");
    assert.strictEqual((await node.get("/block")).headers["access-control-allow-origin"], "*");
  });
}

// A connection that sends this and then nothing; closed by the caller.
function half(node, text) {
  const socket = net.connect(node.apiPort, "127.0.0.1", () => socket.write(text));
  socket.on("error", () => {});
  return socket;
}

async function connections(t, node, pubkey) {
  await t.test("100 connections that never finish a request do not keep others waiting", async () => {
    const texts = ["GET /block HT", "POST /call HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{", ""];
    const sockets = Array.from({ length: 100 }, (_, i) => half(node, texts[i % texts.length]));
    await sleep(200);
    const began = Date.now();
    await client.block(node, pubkey);
    const took = Date.now() - began;
    for (const socket of sockets) socket.destroy();
    assert(took < 1000, `/block took ${took} ms`);
  });
  await t.test("bytes that are not HTTP, endless headers, a long request line", async () => {
    const texts = [
      "\u0016\u0003\u0001\u0002\u0000",
      `GET / HTTP/1.1\r\n${"x: y\r\n".repeat(100000)}`,
      `GET /${"a".repeat(1 << 20)} HTTP/1.1\r\n\r\n`,
    ];
    const sockets = texts.map((text) => half(node, text));
    await sleep(300);
    for (const socket of sockets) socket.destroy();
    await client.block(node, pubkey);
  });
  await t.test("200 requests at once are all answered", async () => {
    const answers = await Promise.all(Array.from({ length: 200 }, () => node.get("/block")));
    const statuses = new Set(answers.map((a) => a.status));
    assert.deepStrictEqual([...statuses], [200]);
  });
}

// A complete file needs no POST /setup; what it says of the TEE is checked all the same.
async function otherTee(t, node, setup) {
  await t.test("a configuration file that names another TEE than the one opened ends the program", () => {
    const file = path.join(node.dir, "config.json");
    fs.writeFileSync(file, JSON.stringify({ ...setup, tee: "tdx", setup_may_set: [] }));
    const args = ["run", "--config", file, "--tee", "simulator"];
    const { status, stderr } = spawnSync(node.program, args, { encoding: "utf8", timeout: 20000 });
    assert.strictEqual(status, 1, stderr);
    assert.match(stderr, /config\.json: tee: this node was started with the TEE provider/);
  });
}

async function run(t) {
  const chain = await t.world.chain();
  const node = await t.world.node("badrequests").start();
  const good = chain.setup({ force: undefined });
  await setupPort(t, node, good);
  await otherTee(t, node, good);
  const pubkey = await client.attest(node);
  await callRoute(t, node, chain, pubkey);
  await routes(t, node);
  await connections(t, node, pubkey);
  await t.test("alive after all that, and ends cleanly", async () => {
    node.assertAlive();
    await until(
      "a good call",
      10000,
      async () =>
        client.response(await node.call({ to: chain.contracts.addresses.token, data: "0x18160ddd" }), pubkey) !==
        "Error",
    );
    const { code, ms } = await node.stop();
    assert.strictEqual(code, 0, `exit status ${code}`);
    return `exit status 0 after ${ms} ms`;
  });
}

export default { title: "malformed and hostile requests to the node", run };
