// The prototype's own page, as its repository has it, in Chromium: before the node is ready, ready, and degraded.
import assert from "node:assert";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import { Browser, bundled, packaged } from "../e2e/lib/browser.mjs";
import { until } from "../e2e/lib/node.mjs";
import { node as nodeAt } from "./place.mjs";

const PAGE = process.env.PROTOTYPE_PAGE; // tests/firsthour/run has it, and checked that it is the one
const CDN = "https://cdnjs.cloudflare.com/ajax/libs/";

async function serve(t) {
  const server = http.createServer((question, response) =>
    question.url === "/" ? response.writeHead(200, { "content-type": "text/html" }).end(fs.readFileSync(PAGE)) : response.writeHead(404).end());
  await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
  t.atEnd(() => (server.close(), server.closeAllConnections()));
  return `http://localhost:${server.address().port}/`;
}

const changes = (page, selector, before) =>
  until(`${selector} changes`, 60000, async () => {
    const text = await page.text(selector);
    return text !== before && text !== "" && text;
  });

// Presses a button; what is shown then, and what is said of its signature.
async function press(page, button) {
  await page.value(`document.getElementById("output").textContent = ""`);
  await page.click(button);
  const shown = await changes(page, "#output", "");
  const verdict = await changes(page, "#verificationResult", "").catch(() => "");
  return { shown, verdict };
}

// Both buttons show an error of the node with its reason, and no signature is good.
async function reasonShown(page, reason) {
  for (const button of ["#btnBlock", "#btnTotalSupply"]) {
    const { shown, verdict } = await press(page, button);
    assert.match(JSON.parse(JSON.parse(shown)).error, reason);
    assert(!verdict.includes("is valid"), verdict);
  }
  return JSON.parse(JSON.parse(await page.text("#output"))).error;
}

const consensus = (chain) => Number(/^cl (\d+)/m.exec(fs.readFileSync(path.join(chain.dir, "pids"), "utf8"))[1]);

async function run(t) {
  if (!PAGE) return t.skip("the prototype's page", "it is not in this tree (it is others'), and was not to be had; KETTLE_PROTOTYPE_PAGE names a copy");
  const chain = await t.world.chain();
  const node = await nodeAt(t, "page", ["--development"]).start();
  const browser = new Browser({ dir: path.join(t.world.tmp, "profile"), home: t.world.tmp });
  t.atEnd(() => browser.close());
  const page = await browser.open(await serve(t), {
    [`${CDN}elliptic/6.5.4/elliptic.min.js`]: bundled("elliptic", "elliptic"),
    [`${CDN}js-sha256/0.9.0/sha256.min.js`]: packaged("js-sha256/build/sha256.min.js"),
  });
  await t.test("before ready the page shows the reason", async () => {
    await page.type("#nodeAddress", "127.0.0.1");
    assert.match(await changes(page, "#attestationOutput", "No attestation loaded."), /error/);
    return reasonShown(page, /setup/);
  });
  await t.test("ready: the key is loaded, and the signatures of block and call are good", async () => {
    const answer = await node.setup(chain.setup());
    assert.strictEqual(answer.status, 200, answer.text);
    await node.ready();
    const before = await page.text("#attestationOutput");
    await page.type("#nodeAddress", "127.0.0.1");
    assert.match(JSON.parse(JSON.parse(await changes(page, "#attestationOutput", before))).pubkey, /^0[23][0-9a-f]{64}$/);
    for (const button of ["#btnBlock", "#btnTotalSupply"]) {
      const { shown, verdict } = await press(page, button);
      assert.strictEqual(verdict.trim(), "Signature is valid.", shown);
    }
  });
  await t.test("degraded: the page shows the reason", async () => {
    const pid = consensus(chain);
    process.kill(pid, "SIGSTOP");
    try {
      await until("degraded", 25 * chain.slotSeconds * 1000 + 60000, async () => (await node.status()).state === "degraded", 500);
      return await reasonShown(page, /old|head|s\b/);
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });
  await node.stop();
}

export default { title: "the prototype's page in Chromium", run };
