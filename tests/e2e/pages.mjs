// Pages of strangers, in Chromium, against both ports: from another origin, and under a name that was bound anew to the node's address
// once the page was there. What may be refused and what is open to all stands in docs/threat-model.md.
import assert from "node:assert";
import http from "node:http";
import net from "node:net";
import path from "node:path";
import { Browser, hasBrowser } from "./lib/browser.mjs";
import * as client from "./lib/client.mjs";
import { sleep, until } from "./lib/node.mjs";

const REBOUND = "rebound.example";
const OPTIONS = [
  `--host-resolver-rules=MAP ${REBOUND} 127.0.0.1`,
  // The node refuses by itself, not the browser in its place.
  "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests,IsolateSandboxedIframes",
];
const PAGE = "<!doctype html><title>a stranger's</title><body></body>";
const QUIET_MS = 60000;
const WAIT_MS = 1500; // for what a page sends and gets no answer of

// Between the browser and a port of the node: what is asked, with which headers, and what comes of it.
async function tap(t, to) {
  const connections = [];
  const server = net.createServer((near) => {
    const far = net.connect(to, "127.0.0.1");
    const c = { asked: "", answered: "", over: false };
    connections.push(c);
    near.on("data", (part) => ((c.asked += part.toString("latin1")), far.write(part)));
    far.on("data", (part) => ((c.answered += part.toString("latin1")), near.write(part)));
    for (const [one, other] of [[near, far], [far, near]]) one.on("error", () => {}).on("close", () => ((c.over = true), other.destroy()));
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  t.atEnd(() => server.close());
  const seen = () =>
    connections.flatMap(({ asked, answered, over }) => {
      const heads = [...asked.matchAll(/([A-Z]+) (\/\S*) HTTP\/1\.1\r\n([^]*?)\r\n\r\n/g)];
      const answers = [...answered.matchAll(/HTTP\/1\.1 (\d+) [^]*?\r\n\r\n/g)];
      if (over) heads.splice(answers.length); // the browser has given it up, before an answer
      return heads.map(([, method, target, fields], i) => ({ method, target, fields, status: Number(answers[i]?.[1]), answer: answers[i]?.[0] ?? "" }));
    });
  const forget = () => connections.forEach((c) => Object.assign(c, { asked: "", answered: "" })); // some are kept and used again
  const quiet = () => until("all is answered", QUIET_MS, () => seen().every((s) => s.status));
  return { port: server.address().port, seen, quiet, forget };
}

async function somebody(t) {
  const server = http.createServer((_, answer) => answer.writeHead(200, { "content-type": "text/html" }).end(PAGE));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  t.atEnd(() => (server.close(), server.closeAllConnections()));
  return `http://localhost:${server.address().port}/`;
}

// A page of another origin, and one whose name was bound to the node's address behind it.
async function pages(browser, stranger, port) {
  const url = `http://${REBOUND}:${port}/theirs`;
  return { "another origin": await browser.open(stranger), "a name bound anew": await browser.open(url, { [url]: { type: "text/html", body: PAGE } }) };
}

// What the page gets of a request: status and text, or that the browser lets it see nothing.
const fetched = (page, url, options = {}) =>
  page.value(`fetch(${JSON.stringify(url)}, ${JSON.stringify(options)}).then(async (r) => ({ type: r.type, status: r.status, text: await r.text() }), (e) => ({ type: "error" }))`);

const json = (body) => ({ method: "POST", headers: { "content-type": "application/json" }, body });
const simple = (body) => ({ method: "POST", mode: "no-cors", headers: { "content-type": "text/plain" }, body });

// Every way in which a page can send a POST with this body.
async function posts(page, url, body) {
  const text = JSON.stringify(body), at = JSON.stringify(url);
  const [name, value] = [body.slice(0, -1) + ',"x":"', '"}']; // as one field of a form: name=value
  const form = `<form method=post action=${at} enctype=text/plain><input type=hidden name='${name}' value='${value}'></form>`;
  const inFrame = (attributes) => `{
    const frame = Object.assign(document.createElement("iframe"), { srcdoc: ${JSON.stringify(`${form}<script>document.forms[0].submit()</script>`)} });
    for (const [key, value] of ${JSON.stringify(attributes)}) frame.setAttribute(key, value);
    document.body.append(frame);
  }`;
  const got = [await fetched(page, url, json(body)), await fetched(page, url, simple(body)), await fetched(page, url, { method: "POST", body })];
  await page.value(`fetch(${at}, { method: "POST", mode: "no-cors", body: new Blob([${text}], { type: "application/json" }) }).catch(() => {})`);
  await page.value(`fetch(${at}, { method: "POST", mode: "no-cors", referrerPolicy: "no-referrer", body: ${text} }).catch(() => {})`);
  await page.value(`navigator.sendBeacon(${at}, ${text}), navigator.sendBeacon(${at}, new Blob([${text}], { type: "application/json" }))`);
  await page.value(`{ const x = new XMLHttpRequest(); x.open("POST", ${at}); x.setRequestHeader("content-type", "application/json"); x.send(${text}); }`);
  await page.value(inFrame([]));
  await page.value(inFrame([["sandbox", "allow-scripts allow-forms"]])); // Origin: null
  await page.value(inFrame([["referrerpolicy", "no-referrer"]]));
  await sleep(WAIT_MS);
  return got;
}

const reads = (page, url) =>
  page.value(`{
    for (const [tag, of] of [["img", "src"], ["iframe", "src"], ["script", "src"]]) document.body.append(Object.assign(document.createElement(tag), { [of]: ${JSON.stringify(url)} }));
  }`);

// The first message that a WebSocket brings when it is asked this, or null.
const socketSays = (page, url, text) =>
  page.value(`new Promise((done) => {
    const w = new WebSocket(${JSON.stringify(url)});
    w.onopen = () => w.send(${JSON.stringify(text)});
    w.onmessage = ({ data }) => (done(data), w.close());
    w.onclose = () => done(null);
  })`);

// Nothing that a page sends sets a node up, and it reads no answer of another origin.
async function setupPort(t, browser, stranger, chain) {
  const node = await t.world.node("pages-setup").start();
  const between = await tap(t, node.setupPort);
  const body = JSON.stringify(chain.setup());
  for (const [kind, page] of Object.entries(await pages(browser, stranger, between.port)))
    await t.test(`the setup port, a page of ${kind}: no POST is taken, no GET and no WebSocket`, async () => {
      await between.quiet();
      between.forget();
      const own = kind !== "another origin";
      const url = `http://${own ? REBOUND : "127.0.0.1"}:${between.port}/setup`;
      const got = await posts(page, url, body);
      assert.deepStrictEqual(got.map((g) => g.type), own ? ["basic", "basic", "basic"] : ["error", "opaque", "error"], JSON.stringify(got));
      for (const g of got.filter((g) => g.type === "basic")) assert.match(g.text, /a page in a browser may not set a node up/);
      await reads(page, url);
      assert.strictEqual(await socketSays(page, url.replace("http", "ws"), body), null);
      await sleep(WAIT_MS);
      await between.quiet();
      const seen = between.seen();
      const of = (method) => seen.filter((s) => s.method === method && s.target === "/setup");
      for (const s of seen) {
        assert(s.status >= 400 || s.method === "OPTIONS", `${s.method} ${s.target}: ${s.status}`);
        assert(!/access-control-allow/i.test(s.answer), s.answer);
      }
      for (const { status, fields } of of("POST")) assert(status === 403 && /^origin: /im.test(fields), `${status}\n${fields}`);
      assert(of("POST").length >= (own ? 9 : 7), JSON.stringify(seen));
      assert(of("GET").length >= 4 && of("GET").every((s) => s.status === 405), JSON.stringify(of("GET")));
      assert(own || of("OPTIONS").length, "nothing was asked in advance");
      assert.strictEqual((await node.status()).state, "awaiting-setup");
      return `${of("POST").length} POSTs 403, ${of("GET").length} GETs 405, ${of("OPTIONS").length} preflights`;
    });
  await t.test("and what is no page sets it up", async () => {
    const answer = await node.setup(body);
    assert.deepStrictEqual([answer.status, answer.text.trim()], [200, '{"status":"success"}']);
    await node.ready();
  });
  return node;
}

const COMMANDS = ["/v1/log-level", "/v1/providers", "/v1/orders", "/v1/recovery"];

// What is open to all is open to pages; commands are refused, and what has no CORS is not read across origins.
async function apiPort(t, browser, stranger, node) {
  const between = await tap(t, node.apiPort);
  const pubkey = await client.attest(node);
  for (const [kind, page] of Object.entries(await pages(browser, stranger, between.port))) {
    const own = kind !== "another origin";
    const at = `http://${own ? REBOUND : "127.0.0.1"}:${between.port}`;
    await t.test(`the API port, a page of ${kind}: reads what all may read, also by a WebSocket`, async () => {
      await node.ready();
      const block = await fetched(page, `${at}/block`);
      assert.strictEqual(block.status, 200, JSON.stringify(block));
      assert(Object.keys(client.parseTwice(block.text)).length, block.text);
      assert.strictEqual(JSON.parse((await fetched(page, `${at}/v1/status`)).text).pubkey, `0x${pubkey}`);
      const asked = '{"jsonrpc":"2.0","id":1,"method":"eth_chainId","params":[]}';
      assert.match((await fetched(page, `${at}/rpc`, json(asked))).text, /"result":"0x/);
      assert.match(await socketSays(page, `${at.replace("http", "ws")}/rpc`, asked), /"result":"0x/);
      for (const route of ["/metrics", "/healthz", "/readyz"])
        assert.strictEqual((await fetched(page, at + route)).type, own ? "basic" : "error", route);
    });
    await t.test(`the API port, a page of ${kind}: no command of an operator is taken`, async () => {
      await between.quiet();
      between.forget();
      for (const route of COMMANDS) await posts(page, at + route, '{"counter":1,"not_after":9999999999,"level":"debug"}');
      for (const route of ["/v1/log?after=0&counter=1&not_after=9999999999", "/v1/standing/1"]) await fetched(page, at + route, route.includes("standing") ? { method: "DELETE" } : {});
      await between.quiet();
      const seen = between.seen().filter((s) => s.method !== "OPTIONS");
      for (const { method, target, status } of seen) assert(status >= 400, `${method} ${target}: ${status}`);
      for (const route of COMMANDS) assert(seen.filter((s) => s.target === route).length >= 7, route);
      return `${seen.length} refused: ${[...new Set(seen.map((s) => s.status))].join(", ")}`;
    });
  }
}

async function run(t) {
  if (!hasBrowser()) return t.skip("pages in a browser", "chromium is not installed");
  const chain = await t.world.chain();
  const browser = new Browser({ dir: path.join(t.world.tmp, "profile-pages"), home: t.world.tmp, options: OPTIONS });
  t.atEnd(() => browser.close());
  const stranger = await somebody(t);
  const node = await setupPort(t, browser, stranger, chain);
  await apiPort(t, browser, stranger, node);
  await t.test("the node has lived through it", async () => {
    node.assertAlive();
    assert.deepStrictEqual((await node.stop()).code, 0);
  });
}

export default { title: "pages of strangers in a browser", run };
