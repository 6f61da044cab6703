// A fake of dstack's guest agent on a Unix socket: quotes of a simulated machine (sim_oracle.c), keys of a root key that a test
// chooses, as the real one derives them from its key service. quoteMs: how long a quote takes. answers: of further calls, or in
// place of these: functions of what is asked, by the path.
import { spawn } from "node:child_process";
import crypto from "node:crypto";
import http from "node:http";
import readline from "node:readline";

export async function guestAgent({ oracle, seed, socket, collateral, rootKey, quoteMs = 0, answers = {} }) {
  const child = spawn(oracle, [seed, collateral], { stdio: ["pipe", "pipe", "inherit"] });
  const lines = readline.createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const { root } = JSON.parse((await lines.next()).value);
  let turn = Promise.resolve(); // one line after the other
  const quote = (reportData) =>
    (turn = turn.then(async () => {
      child.stdin.write(`${reportData.padEnd(128, "0")}\n`);
      return JSON.parse((await lines.next()).value);
    }));
  const agent = {
    root,
    rootKey,
    keys: 0, // how many were asked for
    close: async () => {
      child.stdin.end();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  const server = http.createServer(async (request, answer) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const asked = chunks.length ? JSON.parse(Buffer.concat(chunks)) : {};
    const say = (status, body) => answer.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    if (request.url === "/GetQuote") {
      await new Promise((taken) => setTimeout(taken, quoteMs));
      const { quote: bytes, event_log } = await quote(asked.report_data);
      say(200, { quote: bytes.slice(2), event_log, report_data: asked.report_data, vm_config: "{}" });
    } else if (answers[request.url]) {
      say(200, answers[request.url](asked));
    } else if (request.url === "/GetKey") {
      agent.keys++;
      const key = crypto.createHmac("sha256", agent.rootKey).update(`${asked.path}\0${asked.purpose}`).digest("hex");
      say(200, { key, signature_chain: ["11".repeat(65), "22".repeat(65)] });
    } else say(404, { error: "no such method" });
  });
  await new Promise((ready) => server.listen(socket, ready));
  return agent;
}
