// A thousand listeners of /v1/stream, each from an address of its own, and one that never reads.
import assert from "node:assert";
import fs from "node:fs";
import http from "node:http";
import { sleep, until } from "./node.mjs";

const resident = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

// Milliseconds that a process has been on a processor.
function worked(pid) {
  const ns = fs.readdirSync(`/proc/${pid}/task`).map((task) => Number(fs.readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]));
  return ns.reduce((sum, n) => sum + n, 0) / 1e6;
}

function listen(node, route, i) {
  const listener = { heads: [], gaps: 0, status: 0, ended: false };
  listener.request = http.get(`${node.url}${route}`, { localAddress: `127.${1 + (i >> 8)}.${i & 255}.1`, agent: false }, (answer) => {
    let text = "";
    listener.answer = answer;
    listener.status = answer.statusCode;
    answer.setEncoding("utf8").on("data", (more) => {
      text += more;
      for (let end; (end = text.indexOf("\n\n")) >= 0; text = text.slice(end + 2)) {
        const head = /^event: statement\ndata: .*?"head":(\d+)/m.exec(text.slice(0, end));
        if (head) listener.heads.push(Number(head[1]));
        else if (/^event: gap$/m.test(text.slice(0, end))) listener.gaps++;
      }
    });
    answer.on("close", () => (listener.ended = true));
  });
  listener.request.on("error", (error) => (listener.ended = error));
  return listener;
}

// What each of these costs the node's processors, in ms, over and above what goes on anyway.
async function costs(node, route, rounds) {
  const began = performance.now(), before = worked(node.pid);
  for (let i = 0; i < rounds; i++) assert.strictEqual((await node.get(route)).status, 200);
  const spent = worked(node.pid) - before, took = performance.now() - began, quiet = worked(node.pid);
  await sleep(took);
  return (spent - (worked(node.pid) - quiet)) / rounds;
}

export async function audience(t, node, count, id) {
  await t.test(`${count} listeners of /v1/stream, one of them reads nothing: all others hear every head, memory stays`, async () => {
    const route = `/v1/stream?ids=${id}`, before = resident(node.pid), listeners = [];
    for (let i = 0; i < count; i++) {
      listeners.push(listen(node, route, i));
      if (i % 50 === 49) await until("the streams are open", 60000, () => listeners.every((l) => l.status === 200 || assert(!l.ended, String(l.ended))));
    }
    const deaf = listeners.pop();
    deaf.answer.pause();
    await until("three heads", 120000, () => listeners.every((l) => l.heads.length >= 3));
    const open = resident(node.pid);
    await t.test("GET /metrics costs less than a millisecond meanwhile", async () => {
      const ms = await costs(node, "/metrics", 200);
      assert(ms < 1, `${ms.toFixed(2)} ms`);
      return `${ms.toFixed(2)} ms of a processor, its request and answer included`;
    });
    await sleep(20000);
    const later = resident(node.pid);
    for (const { heads, gaps, ended } of listeners) {
      assert.deepStrictEqual([ended, gaps], [false, 0]);
      assert.deepStrictEqual(heads, heads.map((_, i) => heads[0] + i));
    }
    assert((open - before) / count < 80, `${(open - before) / count} KB for each`);
    assert(later - open < 8 << 10, `${later - open} KB more after 20 s`);
    for (const { request } of [...listeners, deaf]) request.destroy();
    await until("all are gone", 60000, async () => (await node.status()).standing.listeners === 0);
    return `${Math.round((open - before) / count)} KB for each, ${later - open} KB more 20 s later`;
  });
}
