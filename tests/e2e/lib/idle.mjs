// WebSockets that only listen, each from an address of its own, and one that never reads.
import assert from "node:assert";
import fs from "node:fs";
import { WebSocket } from "ws";
import { sleep, until } from "./node.mjs";

const SUBSCRIBE = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "eth_subscribe", params: ["newHeads"] });

const resident = (pid) => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/status`, "utf8"))[1]);

// One listener: the numbers of the heads that it was told.
function listen(url, i) {
  const socket = new WebSocket(url, { localAddress: `127.${1 + (i >> 8)}.${i & 255}.1`, perMessageDeflate: false });
  const listener = { socket, heads: [], id: null, ended: false };
  socket.on("open", () => socket.send(SUBSCRIBE));
  socket.on("close", () => (listener.ended = true));
  socket.on("error", (error) => (listener.ended = error));
  socket.on("message", (text) => {
    const message = JSON.parse(text);
    if (message.id === 1) listener.id = message.result;
    else listener.heads.push(Number(message.params.result.number));
  });
  return listener;
}

export async function idle(t, node, count) {
  const url = `${node.url.replace("http", "ws")}/rpc`;
  await t.test(`${count} WebSockets listen to newHeads, one of them reads nothing: all others hear every head, memory stays`, async () => {
    const before = resident(node.pid);
    const listeners = [];
    for (let i = 0; i < count; i++) {
      listeners.push(listen(url, i));
      if (i % 50 === 49) await until("the sockets are open", 20000, () => listeners.every((l) => l.id || assert(!l.ended, String(l.ended))));
    }
    const deaf = listeners.pop();
    deaf.socket.pause();
    await until("three heads", 60000, () => listeners.every((l) => l.heads.length >= 3));
    const open = resident(node.pid);
    await sleep(20000);
    const later = resident(node.pid);
    for (const { heads, ended } of listeners) {
      assert.strictEqual(ended, false);
      for (let i = 1; i < heads.length; i++) assert.strictEqual(heads[i], heads[i - 1] + 1);
    }
    assert((open - before) / count < 80, `${(open - before) / count} KB for each`);
    assert(later - open < 8 << 10, `${later - open} KB more after 20 s`);
    for (const { socket } of [...listeners, deaf]) socket.terminate();
    await until("all are gone", 20000, async () => (await node.status()).filters.subscriptions === 0);
    return `${Math.round((open - before) / count)} KB for each`;
  });
}
