// The page of GET / in Chromium: what it asks and whom, what it checks, what it refuses, for phones, the dark, keyboards and screen
// readers. Pictures of it are kept in E2E_PICTURES (default: the build folder's page-pictures), to be looked at.
import assert from "node:assert";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { Browser, bundled, hasBrowser, packaged } from "./lib/browser.mjs";
import { until } from "./lib/node.mjs";

const SCREENS = [360, 1280].flatMap((width) => [false, true].map((dark) => ({ width, dark, name: `${width}-${dark ? "dark" : "light"}` })));
const TAB = 9, ENTER = 13, TABS_MAX = 60;

// What is written at selector once it matches.
const written = (page, selector, pattern) =>
  until(`${selector} says ${pattern}`, 60000, async () => {
    const text = await page.text(selector);
    if (!pattern.test(text)) throw new Error(`it says "${text}"`);
    return text;
  });

// A page of another origin that takes the prototype's two steps: the key out of GET /attest, then an answer under its signature.
const TWO_STEPS = `<!doctype html><html lang="en"><title>Two steps</title><script src="elliptic.js"></script><script src="sha256.js"></script>
<script>
async function twice(url, options) { return JSON.parse(await (await fetch(url, options)).json()); }
async function twoSteps(node, call) {
  const { quote, pubkey } = await twice(node + "/attest");
  const reportData = quote.slice(2 * 568, 2 * 568 + 64), bound = sha256("register" + pubkey) === reportData;
  const key = new elliptic.ec("secp256k1").keyFromPublic(pubkey, "hex");
  const good = (text, s) => key.verify(sha256(text), { r: s.slice(0, 64), s: s.slice(64) });
  const block = await twice(node + "/block");
  const called = await twice(node + "/call", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(call) });
  return { bound, block: good(block.blocknum, block.signature), number: block.blocknum, lie: good(String(Number(block.blocknum) + 1), block.signature),
    call: good(JSON.stringify(called.response), called.signature), response: called.response };
}
async function statements(node, request) {
  const { addressOfKey, verifyStatement } = await import(node + "/kettle-verify.mjs");
  const { pubkey, setup, chain_id: chainId } = await (await fetch(node + "/v1/status")).json();
  const text = await (await fetch(node + "/v1/call", { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(request) })).text();
  const { message } = verifyStatement(text, { signer: addressOfKey(pubkey), setup, chainId, request, maxAge: 600 });
  return message.result;
}
</script></html>`;

async function otherOrigin(t) {
  const files = { "/": [TWO_STEPS, "text/html"], "/elliptic.js": [bundled("elliptic", "elliptic"), "text/javascript"], "/sha256.js": [packaged("js-sha256/build/sha256.min.js"), "text/javascript"] };
  const server = http.createServer(({ url }, response) => {
    const [body, type] = files[url] ?? ["", "text/plain"];
    response.writeHead(files[url] ? 200 : 404, { "content-type": type }).end(body);
  });
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  t.atEnd(() => (server.close(), server.closeAllConnections()));
  return `http://localhost:${server.address().port}/`;
}

// What axe-core finds that would keep somebody out.
async function barriers(page) {
  await page.value(`${packaged("axe-core/axe.min.js")}; 0`);
  const { violations } = await page.value("axe.run(document, { resultTypes: ['violations'] })");
  return violations.filter(({ impact }) => impact === "serious" || impact === "critical").map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 120)).join(" | ")}`);
}

async function looks(t, page, folder, stage, screens) {
  for (const screen of screens)
    await t.test(`${stage}: ${screen.width} px, ${screen.dark ? "dark" : "light"}: nothing sticks out, axe-core finds no serious fault`, async () => {
      await page.view(screen);
      assert.strictEqual(await page.value("matchMedia('(prefers-color-scheme: dark)').matches"), screen.dark);
      const wide = await page.value("document.scrollingElement.scrollWidth");
      assert(wide <= screen.width, `${wide} px wide`);
      assert.deepStrictEqual(await barriers(page), []);
      await page.picture(path.join(folder, `${stage.replaceAll(" ", "-")}-${screen.name}.png`));
    });
}

// By the tabulator alone through all that can be used; [what had the focus, whether that could be seen].
async function walk(page) {
  const seen = [];
  await page.value("document.querySelector('a').focus(); 0"); // which is the first
  for (let i = 0; i < TABS_MAX; i++) {
    const at = await page.value(`(() => { const e = document.activeElement, s = getComputedStyle(e);
      return e === document.body ? [""] : [e.id || e.dataset.copy || e.getAttribute("aria-label") || e.textContent.slice(0, 30), s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2]; })()`);
    if (!at[0] || at[0] === seen[0]?.[0]) break; // behind the last one is the browser itself
    seen.push(at);
    await page.press("Tab", TAB);
  }
  return seen;
}

async function checks(t, page, node, chain) {
  await t.test("a block's signature is verified in the browser, by the keyboard alone", async () => {
    await page.value("document.getElementById('get-block').focus()");
    await page.press("Enter", ENTER, "\r");
    return written(page, "#block-said", /holds, checked in this browser$/);
  });
  await t.test("a block in which the number was changed is shown as refused", async () => {
    await page.click("#lie");
    return written(page, "#block-said", /^refused: wrong-signer/);
  });
  await t.test("a call's signature is verified, and the answer to another question refused", async () => {
    const { token } = chain.contracts.addresses;
    await page.type("#to", token);
    await page.type("#data", "0x313ce567");
    await page.value("document.getElementById('call').requestSubmit()");
    const text = await written(page, "#call-said", /gives 0x0{62}12: the signature of 0x[0-9a-f]{40} holds, checked in this browser$/);
    const other = await node.get("/v1/call", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify({ to: token, data: "0x18160ddd" }) });
    await page.value(`{ const kept = fetch; window.fetch = async (url, o) => url === "/v1/call" ? new Response(${JSON.stringify(other.text)}) : kept(url, o); window.given = kept; }`);
    await page.value("document.getElementById('call').requestSubmit()");
    await written(page, "#call-said", /^refused: wrong-request/);
    await page.value("window.fetch = window.given");
    return text;
  });
  await t.test("the quote is decoded, and verified step by step under a policy; under another one it is refused", async () => {
    await page.click("#get-quote");
    await written(page, "#quote-said", /decoded and not verified/);
    await page.click("#fill-policy");
    await page.click("#get-quote");
    const said = await written(page, "#quote-said", /^All hold: .*simulated: it proves nothing$/);
    const steps = await page.value("[...document.querySelectorAll('#steps li')].map((e) => e.textContent.split(':')[0])");
    assert.deepStrictEqual(steps, ["policy", "nonce", "binding", "key", "quote", "admission", "setup"]);
    const policy = await page.value("document.getElementById('policy').value");
    await page.type("#policy", policy.replace(/("mrtd": ")./, (_, before) => `${before}${/"mrtd": "0/.test(policy) ? "1" : "0"}`));
    await page.click("#get-quote");
    await written(page, "#quote-said", /^refused: E_[A-Z0-9_]+/);
    const last = await page.value("[...document.querySelectorAll('#steps li')].map((e) => [e.textContent.split(':')[0], e.className]).slice(-2)");
    assert.deepStrictEqual(last, [["quote", "good"], ["refused", "bad"]]);
    await page.type("#policy", policy);
    await page.click("#get-quote");
    await written(page, "#quote-said", /^All hold/);
    return said;
  });
}

async function shows(t, page, node) {
  await t.test("heads with their signers, providers with their times, members, key, methods, lines to copy", async () => {
    await written(page, "#signers", /^\d+ of 32 signed slot \d+; of the last \d+ heads/);
    const { heads } = JSON.parse((await node.get("/v1/heads")).text);
    const bars = await page.value("document.querySelectorAll('#plot rect').length");
    assert(bars >= 2 && bars <= heads.length, `${bars} bars, ${heads.length} heads`);
    await written(page, "#providers", /execution_rpc\[0\]well.*execution_rpc\[1\].*consensus_rpc\[0\]well/);
    await until("two providers' times are drawn", 60000, async () => (await page.value("document.querySelectorAll('#providers svg rect').length")) >= 2);
    await written(page, "#members", /^Connected.*Key generation.*Order/);
    assert(await page.value("document.querySelectorAll('#methods tr').length") > 40);
    assert.strictEqual(await page.text("#curl"), `curl -d '{"to":"0x0000000000000000000000000000000000000004","data":"0x6b6574746c65"}' ${node.url}/v1/call`);
    await written(page, "#solidity", /new KettleReader\(verifier, \d+, 0x[0-9a-f]{64}, /);
    return page.text("#signers");
  });
}

async function run(t) {
  if (!hasBrowser()) return t.skip("the page in Chromium", "there is none: Debian's package chromium");
  await t.world.packages("page");
  const folder = process.env.E2E_PICTURES ?? path.join(t.world.build, "page-pictures");
  fs.mkdirSync(folder, { recursive: true });
  const chain = await t.world.chain();
  const proxy = await t.world.proxy(chain, { accessLists: true });
  const node = await t.world.node("page", { options: ["--development", "--simulator-seed", "page"] }).start();
  const browser = new Browser({ dir: path.join(t.world.tmp, "profile"), home: t.world.tmp });
  t.atEnd(() => browser.close());
  const asked = new Set();
  browser.hear(({ method, params }) => method === "Network.requestWillBeSent" && asked.add(params.request.url));
  const page = await browser.open("about:blank");
  await page.send("Network.enable");
  await page.view(SCREENS[2]);
  await page.go(`${node.url}/`);
  await t.test("before the setup it says what it waits for", () => written(page, "#state", /^awaiting-setup/));
  await looks(t, page, folder, "before setup", [SCREENS[0]]);
  await t.test("its state moves to ready by itself", async () => {
    const answer = await node.setup(chain.setup({ execution: [chain.executionUrl, proxy.url] }));
    assert.strictEqual(answer.status, 200, answer.text);
    return written(page, "#state", /^ready$/);
  });
  await checks(t, page, node, chain);
  await shows(t, page, node);
  await looks(t, page, folder, "at work", SCREENS);
  await t.test("the keyboard reaches everything, and one sees where it is", async () => {
    const seen = await walk(page);
    const wanted = ["To the checks", "get-block", "lie", "to", "data", "get-quote", "fill-policy", "policy", "curl", "viem", "solidity"];
    for (const name of wanted) assert(seen.some(([at]) => at === name), `${name} is not among ${seen.map(([at]) => at).join(", ")}`);
    assert.deepStrictEqual(seen.filter(([, visible]) => !visible), []);
    return `${seen.length} places`;
  });
  await t.test("nothing was asked of anybody but the node", () => {
    const outside = [...asked].filter((url) => !url.startsWith(`${node.url}/`) && !url.startsWith("data:") && url !== "about:blank");
    assert.deepStrictEqual(outside, []);
    assert(asked.has(`${node.url}/kettle-verify.mjs`) && asked.has(`${node.url}/v1/heads`), [...asked].join());
    return `${asked.size} addresses`;
  });
  await t.test("a page of another origin takes the prototype's two steps, and checks statements by the node's module", async () => {
    const other = await browser.open(await otherOrigin(t));
    const call = { to: chain.contracts.addresses.token, data: "0x313ce567" };
    const { number, ...rest } = await other.value(`twoSteps(${JSON.stringify(node.url)}, ${JSON.stringify(call)})`);
    const decimals = `0x${"12".padStart(64, "0")}`;
    assert.deepStrictEqual(rest, { bound: true, block: true, lie: false, call: true, response: { Success: decimals } });
    assert.strictEqual(await other.value(`statements(${JSON.stringify(node.url)}, ${JSON.stringify(call)})`), decimals);
    return `block ${number}`;
  });
  await node.stop();
}

export default { title: "the page for people, in Chromium", run };
