// Standing calls of a live node: one request upstream a head for all of them, signed, pushed, and still there after kill -9.
import assert from "node:assert";
import http from "node:http";
import { addressOfKey, statementDigest, verifyStatement } from "../../sdk/js/kettle-verify.mjs";
import { WebSocket } from "ws";
import { audience } from "./lib/audience.mjs";
import * as client from "./lib/client.mjs";
import { sleep, until } from "./lib/node.mjs";

const COUNT = 500;
const SLOTS = 100; // of which the execution client in JavaScript can prove as many in a slot; tests/unit/test_vigil.c has 500
const PUSH_MS = 300, HEADS_MAX = 12; // of which one has to be that quick, whatever else the machine does
const address = (n) => `0x${n.toString(16).padStart(40, "0")}`;
const balanceOf = (n) => `0x70a08231${"0".repeat(24)}${address(n).slice(2)}`;

// What comes on a stream: {events, close}; each event {id, event, data, at}.
function listen(node, route, headers) {
  const events = [];
  let text = "";
  const request = http.get(`${node.url}${route}`, { headers }, (answer) => {
    if (answer.statusCode !== 200) events.push({ event: `status ${answer.statusCode}`, data: {}, at: performance.now() });
    answer.setEncoding("utf8").on("data", (more) => {
      const parts = (text + more).split("\n\n");
      text = parts.pop();
      for (const part of parts) {
        const event = Object.fromEntries(part.split("\n").map((line) => line.split(/: (.*)/s, 2)));
        if (event.data) events.push({ ...event, data: JSON.parse(event.data), at: performance.now() });
      }
    });
    answer.on("error", () => {});
  });
  request.on("error", () => {});
  return { events, close: () => request.destroy() };
}

// What is pushed to a WebSocket that subscribes to the standing calls of an owner: {events, close}.
function subscribe(node, what) {
  const events = [], socket = new WebSocket(`${node.url.replace("http", "ws")}/rpc`);
  const got = { events, id: null, close: () => socket.terminate() };
  socket.on("open", () => socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["standing", what] })));
  socket.on("message", (text) => {
    const { id, result, error, method, params } = JSON.parse(text);
    if (id === 1) got.id = result ?? error;
    else if (method === "eth_subscription") events.push({ ...params.result, of: params.subscription, at: performance.now() });
  });
  socket.on("error", () => {});
  return got;
}

// When a node had a head first, by its own word: a map that grows until stop is called.
function headsSeen(node) {
  const seen = new Map();
  let ends = false;
  (async () => {
    while (!ends) {
      const { block_number: number } = (await node.status().catch(() => ({}))).head ?? {};
      if (number && !seen.has(number)) seen.set(number, performance.now());
      await sleep(20);
    }
  })();
  return { seen, stop: () => (ends = true) };
}

async function run(t) {
  const chain = await t.world.chain();
  const proxy = await t.world.proxy(chain, { accessLists: true });
  const node = await t.world.node("standing", { options: ["--development", "--simulator-seed", "standing"] }).begin(chain.setup({ execution: proxy.url, standing: { max: 4 * COUNT, gas_per_head: 4e9, open: true } }));
  const signer = addressOfKey(await client.attest(node));
  const { setup, chain_id: chainId } = await node.status();
  const contract = chain.contracts.addresses.token;
  const ids = [];
  let token;
  const headers = () => (token ? { authorization: `Bearer ${token}` } : {});
  const post = (call) => node.get("/v1/standing", { method: "POST", body: JSON.stringify({ call }), headers: { "content-type": "application/json", ...headers() } });
  await t.test(`${COUNT} calls of one owner are taken, and no more than a client's share`, async () => {
    for (let i = 0; i < COUNT; i++) {
      const answer = await post({ to: contract, data: balanceOf(1 + (i % SLOTS)), from: address(1 + i) });
      assert.strictEqual(answer.status, 200, answer.text);
      const said = JSON.parse(answer.text);
      token ??= said.token;
      ids.push(said.id);
      assert.strictEqual(said.survives_restart, true);
    }
    const over = await post({ to: contract, data: balanceOf(COUNT + 1) });
    assert.deepStrictEqual([over.status, JSON.parse(over.text).type], [429, "urn:kettle:error:standing-share"]);
  });
  const stream = listen(node, "/v1/stream", headers());
  const socket = subscribe(node, { token });
  const clock = headsSeen(node);
  const statements = (events, head) => events.filter(({ event, data }) => event === "statement" && data.head === head);
  const heads = () => [...new Set(stream.events.filter(({ event }) => event === "statement").map(({ data }) => data.head))].slice(1);
  const whole = () => heads().filter((head) => [stream, socket].every(({ events }) => statements(events, head).length === COUNT));
  const pushedIn = (head) => Math.round(Math.max(...statements(stream.events, head).map(({ at }) => at)) - clock.seen.get(head));
  await t.test(`at each head one request asks for all ${COUNT}, and all are signed and pushed within ${PUSH_MS} ms of it, to the stream and the WebSocket`, async () => {
    await until("heads have all statements, one of them in time", 240000, () => {
      const done = whole();
      return done.length >= 5 && (done.length >= HEADS_MAX || done.some((head) => pushedIn(head) <= PUSH_MS));
    });
    const done = whole(), spans = done.map(pushedIn);
    const proofs = proxy.log.filter(({ label, from }) => /eth_getProof/.test(label) && from >= clock.seen.get(done[0]) - 100 && from < clock.seen.get(done.at(-1)) + 100);
    for (const { data } of statements(stream.events, done[2]).slice(0, 20))
      verifyStatement(JSON.stringify(data.statement), { signer, chainId, setup, maxAge: 3600, request: { to: contract, data: data.statement.message.call.data, from: data.statement.message.call.from } });
    const inStream = statements(stream.events, done[2]).map(({ data }) => data.ids[0]).sort(), inSocket = statements(socket.events, done[2]).map(({ data }) => data.ids[0]).sort();
    assert.deepStrictEqual(inSocket, inStream);
    const asked = done.at(-1) - done[0] + 1; // heads between that are not whole were asked for, too
    assert(proofs.length <= asked, `${proofs.length} requests for ${asked} heads`);
    assert(Math.min(...spans) <= PUSH_MS, `pushed within ${spans.join(", ")} ms of the head`);
    return `pushed within ${spans.join(", ")} ms of the head; ${proofs.length} requests for ${asked} heads`;
  });
  clock.stop();
  await t.test("a WebSocket that comes back with its last id goes on behind it; ids that are nobody's are refused", async () => {
    const had = socket.events.filter(({ event }) => event === "statement").at(-1);
    socket.close();
    const again = subscribe(node, { token, last: had.id });
    await until("it has events", 60000, () => again.events.some(({ event }) => event === "statement" || event === "gap"));
    assert.strictEqual(again.events[0].of, again.id);
    const [epoch, number] = had.id.split("-"), first = again.events[0];
    if (first.event === "statement") assert.strictEqual(first.id, `${epoch}-${Number(number) + 1}`);
    again.close();
    const none = subscribe(node, { ids: [`0x${"11".repeat(16)}`] });
    await until("an answer", 10000, () => none.id);
    assert.match(none.id.message, /no standing call/);
    none.close();
    return first.event;
  });
  await t.test("who polls gets the last good statement, and its evidence is there", async () => {
    const one = await node.get(`/v1/standing/${ids[0]}`);
    assert.strictEqual(one.status, 200, one.text);
    const { statement } = JSON.parse(one.text);
    const evidence = await node.get(`/v1/evidence/${statementDigest(statement)}`);
    assert.strictEqual(evidence.status, 200, evidence.text);
    assert.deepStrictEqual(JSON.parse(evidence.text).answer, statement);
  });
  const last = stream.events.at(-1);
  stream.close();
  await audience(t, node, t.world.quick ? 100 : 1000, ids[7]);
  await t.test("kill -9 and a restart keep them; who comes back is told of a gap", async () => {
    await node.crash();
    await node.start();
    await node.ready();
    const { standing } = await node.status();
    assert.deepStrictEqual([standing.calls, standing.survive_restart], [COUNT, true]);
    const again = listen(node, "/v1/stream", { ...headers(), "last-event-id": last.id });
    await until("a gap is told", 10000, () => again.events[0]?.event === "gap");
    await until("all are signed again", 60000, () => again.events.filter(({ event }) => event === "statement").length >= COUNT);
    again.close();
  });
  await t.test("a client that comes back misses nothing", async () => {
    const before = listen(node, `/v1/stream?ids=${ids[3]}`);
    await until("it has an event", 30000, () => before.events.some(({ event }) => event === "statement"));
    before.close();
    const had = before.events.at(-1);
    await sleep(5000);
    const after = listen(node, `/v1/stream?ids=${ids[3]}`, { "last-event-id": had.id });
    await until("it has more", 30000, () => after.events.length >= 2);
    after.close();
    assert(after.events.every(({ event }) => event === "statement"));
    const numbers = [had, ...after.events].map(({ data }) => data.head);
    assert.deepStrictEqual(numbers, numbers.map((_, i) => numbers[0] + i), numbers.join());
    return `heads ${numbers.join(", ")}`;
  });
  await t.test("only the token ends one", async () => {
    const end = (given) => node.get(`/v1/standing/${ids[0]}`, { method: "DELETE", headers: given });
    assert.strictEqual((await end({})).status, 401);
    assert.strictEqual((await end({ authorization: `Bearer 0x${"11".repeat(32)}` })).status, 404);
    assert.strictEqual((await end(headers())).status, 200);
    assert.strictEqual((await node.get(`/v1/standing/${ids[0]}`)).status, 404);
  });
  await node.stop();
}

export default { title: "standing calls: signed at each head, pushed, kept", run };
