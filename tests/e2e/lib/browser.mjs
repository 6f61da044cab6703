// Debian's Chromium without a window, over a pipe by its own protocol; no library stands between.
import assert from "node:assert";
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { until } from "./node.mjs";

const PROGRAM = "chromium";
const OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking", "--remote-debugging-pipe"];
const ANSWER_MS = 120000;
const PACKAGES = path.join(path.dirname(fileURLToPath(import.meta.url)), "../../devnet/page/package.json");

// A file of the packages that tests/devnet/packages page installs.
export const packaged = (name) => fs.readFileSync(createRequire(PACKAGES).resolve(name), "utf8");

// A library of npm as one script that sets a global name: each module a function, as bundlers do it.
export function bundled(name, global) {
  const files = new Map();
  const ids = (file) => {
    if (files.has(file)) return;
    files.set(file, null); // modules may need each other
    const text = fs.readFileSync(file, "utf8"), from = createRequire(file), needs = {};
    for (const [, needed] of file.endsWith(".json") ? [] : text.matchAll(/require\(['"]([^'"]+)['"]\)/g)) {
      const found = from.resolve(needed);
      if (!path.isAbsolute(found)) continue; // of Node.js alone: a page has none of it
      needs[needed] = found;
      ids(found);
    }
    files.set(file, { needs, text: file.endsWith(".json") ? `module.exports = ${text}` : text });
  };
  const first = createRequire(PACKAGES).resolve(name);
  ids(first);
  const modules = [...files].map(([file, { needs, text }]) => `${JSON.stringify(file)}: [${JSON.stringify(needs)}, function (module, exports, require) {\n${text}\n}]`);
  return `(function () {
    var all = {${modules.join(",\n")}}, made = {};
    function load(file) {
      if (!file) throw new Error("not in a page");
      if (!made[file]) { made[file] = { exports: {} }; all[file][1].call(made[file].exports, made[file], made[file].exports, function (name) { return load(all[file][0][name]); }); }
      return made[file].exports;
    }
    window.${global} = load(${JSON.stringify(first)});
  })();`;
}

/** Whether there is one. */
export const hasBrowser = () => spawnSync(PROGRAM, ["--version"], { stdio: "ignore" }).status === 0;

export class Browser {
  #next = 1;
  #waits = new Map();
  #heard = [];
  #rest = Buffer.alloc(0);

  // dir: where it keeps its profile. home: where its user's certificates are. options: more of the command line.
  constructor({ dir, home, options = [] }) {
    this.child = spawn(PROGRAM, [...OPTIONS, ...options, `--user-data-dir=${dir}`, "about:blank"], {
      stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"], env: { ...process.env, HOME: home } });
    this.child.on("exit", (code) => this.#fail(new Error(`${PROGRAM} has ended: ${code}`)));
    this.child.on("error", (error) => this.#fail(error));
    this.child.stdio[4].on("data", (part) => this.#read(part));
  }

  #fail(error) {
    for (const { reject } of this.#waits.values()) reject(error);
    this.#waits.clear();
  }

  #read(part) {
    this.#rest = Buffer.concat([this.#rest, part]);
    for (let end; (end = this.#rest.indexOf(0)) >= 0; this.#rest = this.#rest.subarray(end + 1)) this.#take(JSON.parse(this.#rest.subarray(0, end)));
  }

  #take(message) {
    if (message.method) return this.#heard.forEach((hear) => hear(message));
    const wait = this.#waits.get(message.id);
    this.#waits.delete(message.id);
    if (message.error) wait?.reject(new Error(message.error.message));
    else wait?.resolve(message.result);
  }

  send(method, params = {}, sessionId) {
    const id = this.#next++;
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`${method}: no answer`)), ANSWER_MS);
      const over = (settle) => (value) => (clearTimeout(late), settle(value));
      this.#waits.set(id, { resolve: over(resolve), reject: over(reject) });
      this.child.stdio[3].write(JSON.stringify({ id, method, params, ...(sessionId && { sessionId }) }) + "\0");
    });
  }

  // A page at url. answers: bodies of scripts by their URL, or {type, body}, in place of what the network has.
  async open(url, answers = {}) {
    const { targetId } = await this.send("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.send("Target.attachToTarget", { targetId, flatten: true });
    const page = new Page(this, sessionId);
    if (Object.keys(answers).length) await page.replace(answers);
    await page.go(url);
    return page;
  }

  hear(listener) {
    this.#heard.push(listener);
  }

  async close() {
    this.child.removeAllListeners("exit");
    this.child.kill("SIGKILL");
  }
}

class Page {
  constructor(browser, sessionId) {
    Object.assign(this, { browser, sessionId });
  }

  send(method, params) {
    return this.browser.send(method, params, this.sessionId);
  }

  // Requests for these URLs are answered from here; everything else goes its way.
  async replace(answers) {
    this.browser.hear(({ method, params, sessionId }) => {
      if (method !== "Fetch.requestPaused" || sessionId !== this.sessionId) return;
      const answer = answers[params.request.url];
      const { type = "text/javascript", body = answer } = answer.type ? answer : {};
      const given = { responseCode: 200, responseHeaders: [{ name: "content-type", value: type }], body: Buffer.from(body).toString("base64") };
      this.send("Fetch.fulfillRequest", { requestId: params.requestId, ...given }).catch(() => {});
    });
    await this.send("Fetch.enable", { patterns: Object.keys(answers).map((urlPattern) => ({ urlPattern })) });
  }

  // Loads url; what the network had against it is the error's text.
  async go(url) {
    await this.send("Page.enable");
    const { errorText } = await this.send("Page.navigate", { url });
    if (errorText) throw new Error(errorText);
    await until(`${url} is loaded`, 60000, async () => (await this.value("document.readyState")) === "complete");
  }

  // What an expression, or a promise of it, comes to in the page.
  async value(expression) {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    assert(!exceptionDetails, exceptionDetails?.exception?.description ?? exceptionDetails?.text);
    return result.value;
  }

  text(selector) {
    return this.value(`document.querySelector(${JSON.stringify(selector)}).textContent`);
  }

  // As a user: types into a field, leaves it.
  type(selector, text) {
    return this.value(`{ const field = document.querySelector(${JSON.stringify(selector)}); field.value = ${JSON.stringify(text)}; field.dispatchEvent(new Event("change")); }`);
  }

  // The screen, and whether its user likes the dark.
  async view({ width, height = 800, dark = false }) {
    await this.send("Emulation.setDeviceMetricsOverride", { width, height, deviceScaleFactor: 1, mobile: width < 600 });
    await this.send("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: dark ? "dark" : "light" }] });
  }

  // The whole page as a picture.
  async picture(file) {
    const { data } = await this.send("Page.captureScreenshot", { format: "png", captureBeyondViewport: true });
    fs.writeFileSync(file, Buffer.from(data, "base64"));
  }

  // A key that is pressed and let go.
  async press(key, code, text) {
    const what = { key, code: key, windowsVirtualKeyCode: code, nativeVirtualKeyCode: code };
    await this.send("Input.dispatchKeyEvent", { type: text ? "keyDown" : "rawKeyDown", text, ...what });
    await this.send("Input.dispatchKeyEvent", { type: "keyUp", ...what });
  }

  click(selector) {
    return this.value(`document.querySelector(${JSON.stringify(selector)}).click()`);
  }
}
