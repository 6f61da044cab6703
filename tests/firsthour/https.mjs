// Debian's nginx before a node, by the lines of docs/deploy.md: Chromium takes it with a private authority, and a wallet's requests go through.
import assert from "node:assert";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { request, until } from "../e2e/lib/node.mjs";
import { Browser } from "../e2e/lib/browser.mjs";
import { hosts, node as nodeAt, typed } from "./place.mjs";

const FENCE = /^```sh https\n([\s\S]*?)^```$/gm;
const URL_HERE = "https://node.example/";

// A page of somebody's, at another origin, as a wallet's requests come from one.
async function somebodysPage(t) {
  const server = http.createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<p>a wallet"));
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  t.atEnd(() => (server.close(), server.closeAllConnections()));
  return `http://localhost:${server.address().port}/`;
}

const asked = (method) => `fetch("${URL_HERE}rpc", { method: "POST", headers: { "content-type": "application/json" },
  body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "${method}", params: [] }) }).then((answer) => answer.json()).then((said) => said.result)`;

const subscribed = `new Promise((resolve, reject) => {
  const socket = new WebSocket("wss://node.example/rpc");
  socket.onopen = () => socket.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] }));
  socket.onerror = () => reject(new Error("WebSocket"));
  socket.onmessage = ({ data }) => { const said = JSON.parse(data); if (said.params) resolve(said.params.result.number); };
})`;

async function run(t) {
  const chain = await t.world.chain();
  hosts(t, "node.example");
  const config = path.join(t.world.tmp, "proxied.json");
  const said = JSON.parse(`{${/^ {4}("listen".*"proxy_protocol": true)$/m.exec(fs.readFileSync(path.join(t.world.root, "docs/deploy.md"), "utf8"))[1]}}`);
  const { force, ...setup } = chain.setup();
  fs.writeFileSync(config, JSON.stringify({ development: true, ...setup, ...said }));
  const lines = [...fs.readFileSync(path.join(t.world.root, "docs/deploy.md"), "utf8").matchAll(FENCE)].map(([, text]) => text);
  assert.strictEqual(lines.length, 3);
  const home = path.join(t.world.tmp, "home");
  fs.mkdirSync(home);
  t.atEnd(() => typed("nginx -s quit; rm -f /etc/nginx/modules-enabled/90-kettle.conf; rm -rf /etc/kettle-tls"));
  await t.test("the lines make a certificate, and nginx takes its configuration and starts", async () => {
    for (const text of lines.slice(0, 2)) await typed(text, { env: { ...process.env, HOME: home } });
  });
  const node = nodeAt(t, "proxied", ["--config", config]);
  node.url = URL_HERE.slice(0, -1); // the port itself is the proxy's alone
  await node.start();
  await node.ready();
  await t.test("without a PROXY header the port closes a connection of the proxy's address", async () => {
    await assert.rejects(request("http://127.0.0.1:3032/healthz"));
  });
  await t.test("Chromium refuses the certificate of an authority that it does not know", async () => {
    const browser = new Browser({ dir: path.join(t.world.tmp, "stranger"), home });
    t.atEnd(() => browser.close());
    await assert.rejects(browser.open(URL_HERE), /ERR_CERT_AUTHORITY_INVALID/);
  });
  await typed(lines[2], { env: { ...process.env, HOME: home } });
  const browser = new Browser({ dir: path.join(t.world.tmp, "trusting"), home });
  t.atEnd(() => browser.close());
  await t.test("with the authority in its store it shows the node's page", async () => {
    const page = await browser.open(URL_HERE);
    await until("the page says ready", 60000, async () => /\bready\b/.test(await page.value("document.body.innerText")));
    return page.value("document.title");
  });
  const page = await browser.open(await somebodysPage(t));
  await t.test("a wallet's requests from another page's origin are answered", async () => {
    assert.strictEqual(Number(await page.value(asked("eth_chainId"))), (await node.status()).chain_id);
    assert(Number(await page.value(asked("eth_blockNumber"))) > 0);
  });
  await t.test("and its WebSocket hears of new heads", async () => `block ${Number(await page.value(subscribed))}`);
  await node.stop();
}

export default { title: "HTTPS by nginx and a private authority, in Chromium", run };
