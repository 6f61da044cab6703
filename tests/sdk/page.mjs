// The page that a node serves at GET /: nothing from outside, its policy, what a screen reader needs, and its script at work on a
// document of stubs: it shows a signature that holds, and refuses a statement in which a digit was changed.
import assert from "node:assert";
import { execFileSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { root, test, vectors } from "./harness.mjs";

const file = `${root}node/page/index.html`;
const page = fs.readFileSync(file, "utf8");
const inside = (tag) => new RegExp(`<${tag}[^>]*>(.*?)</${tag}>`, "s").exec(page)[1];
const NAMESPACE = "http://www.w3.org/2000/svg"; // a name, which nobody fetches

function fromOutside() {
  const urls = page.replaceAll(NAMESPACE, "").match(/\b(?:https?:)?\/\/[a-z0-9][^\s"'`)]*/gi) ?? [];
  assert.deepStrictEqual(urls, []);
  assert.deepStrictEqual(page.match(/\b(?:src|href|action)=[^\s>]+/g).sort(), ['href="#block"', 'href="data:,"']);
  assert.deepStrictEqual(page.match(/@import|url\(|innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|\son\w+=|\sstyle=/g), null);
  assert.deepStrictEqual(page.match(/^import .*$/gm), ['import { addressOfKey, verifyAttestation, verifyStatement } from "./kettle-verify.mjs";']);
}

function policy() {
  const out = path.join(fs.mkdtempSync(path.join(os.tmpdir(), "kettle-page-")), "page.c");
  execFileSync("python3", [`${root}node/page/embed.py`, file, `${root}sdk/js/kettle-verify.mjs`, out]);
  const text = /PAGE_POLICY\[\] = "([^"]*)"/.exec(fs.readFileSync(out, "utf8"))[1];
  fs.rmSync(path.dirname(out), { recursive: true });
  const hash = (tag) => `'sha256-${crypto.createHash("sha256").update(inside(tag)).digest("base64")}'`;
  assert(text.includes(`script-src 'self' ${hash("script")};`) && text.includes(`style-src ${hash("style")};`), text);
}

function forEverybody() {
  assert(page.includes('<html lang="en">') && page.includes('name="viewport" content="width=device-width'));
  assert(page.includes("prefers-color-scheme: dark") && page.includes("color-scheme: light dark"));
  const ids = [...page.matchAll(/\sid="([^"]+)"/g)].map((m) => m[1]);
  assert.strictEqual(new Set(ids).size, ids.length);
  for (const [, names] of page.matchAll(/(?:aria-labelledby|for)="([^"]+)"/g)) assert(ids.includes(names), names);
  for (const [, id] of page.matchAll(/<(?:input|textarea)[^>]* id="([^"]+)"/g)) assert(page.includes(`<label for="${id}">`), id);
  for (const [tag] of page.matchAll(/<section[^>]*>/g)) assert(tag.includes("aria-labelledby"), tag);
  for (const [, text] of page.matchAll(/<button[^>]*>(.*?)<\/button>/gs)) assert(text.trim(), "a button without a name");
  assert((page.match(/role="status"/g) ?? []).length >= 4);
  for (const [, width] of page.matchAll(/(?:width|minmax)[:(]\s*(\d+)px/g)) assert(Number(width) <= 360, width);
}

// As much of a document as the script touches.
class Stub {
  dataset = {};
  style = {};
  textContent = "";
  value = "";
  hidden = false;
  children = [];
  handlers = {};
  replaceChildren(...rows) {
    this.children = rows;
  }
  append(...rows) {
    this.children.push(...rows);
  }
  setAttribute() {}
  addEventListener(name, handler) {
    this.handlers[name] = handler;
  }
}

async function atWork() {
  const nodes = new Map();
  const $ = (id) => nodes.get(id) ?? nodes.set(id, new Stub()).get(id);
  const block = vectors.accepted.find((v) => v.name === "a BlockStatement").statement;
  const called = vectors.accepted.find((v) => v.name === "a CallStatement").statement;
  const status = { state: "ready", reason: "", network: "mainnet", chain_id: 1, pubkey: vectors.publicKey, setup: block.message.setup,
    tee: { provider: "simulator", simulated: true }, development: true, warnings: [], sync: { periods_done: 3, periods_total: 3 },
    head: { slot: 7, participants: 20, committee_size: 32, age_s: 1, block_number: 9 }, finalized: null, version: "0",
    upstreams: { execution: [{ endpoint: "execution_rpc[0]", failing: false, reason: "", latency_ms: null }], consensus: [] } };
  const answers = { "/v1/status": status, "/v1/block/latest": block, "/v1/call": called, "/v1/methods": [],
    "/v1/heads": { committee_size: 32, heads: [{ slot: 6, participants: 30, finalized: true }, { slot: 7, participants: 20, finalized: false }] },
    "/metrics": 'kettle_upstream_seconds_bucket{endpoint="execution_rpc[0]",le="0.001"} 3\n' };
  const asked = [];
  const kept = Object.getOwnPropertyDescriptors(globalThis);
  const given = {
    document: { getElementById: $, createElement: () => new Stub(), createElementNS: () => new Stub(), querySelectorAll: () => [] },
    location: { origin: "the node's own origin" },
    setTimeout: () => 0,
    fetch: async (url) => {
      asked.push(url);
      return { ok: url in answers, text: async () => (url === "/metrics" ? answers[url] : JSON.stringify(answers[url] ?? { detail: "no such path" })) };
    },
  };
  for (const [name, value] of Object.entries(given)) Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  const now = Date.now;
  Date.now = () => 1000 * (Number(block.message.at.timestamp) + 12);
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), "kettle-page-"));
  try {
    fs.copyFileSync(`${root}sdk/js/kettle-verify.mjs`, path.join(dir, "kettle-verify.mjs"));
    fs.writeFileSync(path.join(dir, "page.mjs"), inside("script"));
    await import(path.join(dir, "page.mjs"));
    await new Promise((done) => setImmediate(done));
    assert.strictEqual($("state").textContent, "ready");
    assert.match($("signers").textContent, /^20 of 32 signed slot 7; of the last 2 heads the fewest had 20, the most 30\./);
    await $("get-block").handlers.click();
    assert.match($("block-said").textContent, /^block 22168277 .* holds, checked in this browser$/, $("block-said").textContent);
    $("lie").handlers.click();
    assert.match($("block-said").textContent, /^refused: wrong-signer/);
    $("to").value = called.message.call.to;
    $("data").value = called.message.call.data;
    await $("call").handlers.submit({ preventDefault() {} });
    assert.match($("call-said").textContent, /^at block 22168277 it gives 0x.* holds, checked in this browser$/, $("call-said").textContent);
    $("data").value = "0x18160dde"; // the answer is to another question
    await $("call").handlers.submit({ preventDefault() {} });
    assert.match($("call-said").textContent, /^refused: wrong-request/);
    assert(asked.every((url) => url.startsWith("/v1/") || url === "/metrics"), asked.join());
  } finally {
    Date.now = now;
    for (const name of Object.keys(given))
      if (kept[name]) Object.defineProperty(globalThis, name, kept[name]);
      else delete globalThis[name];
    fs.rmSync(dir, { recursive: true });
  }
}

/** Tests of the page. */
export async function aPage() {
  await test("the page takes nothing from outside and has no markup made of what a node says", fromOutside);
  await test("the page's policy names its style and script by their hashes", policy);
  await test("the page is for keyboard, screen reader, light, dark and 360 px", forEverybody);
  await test("the page checks signatures, and refuses a lie and an answer to another question", atWork);
}
