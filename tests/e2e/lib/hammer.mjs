// Many connections that ask the same again and again, each from an address of its own: a process of its own, so that it may
// have a core for itself.
//   node hammer.mjs PORT CONNECTIONS MS BODY     prints {answers, errors, first} as JSON
import http from "node:http";

const [port, connections, ms] = process.argv.slice(2, 5).map(Number);
const body = process.argv[5];
const end = Date.now() + ms;
const counts = { answers: 0, errors: 0, first: null };

function ask(agent, localAddress) {
  const headers = { "content-type": "application/json", "content-length": body.length };
  return new Promise((done) => {
    const failed = (what) => {
      counts.errors++;
      counts.first ??= String(what);
      done();
    };
    const r = http.request({ host: "127.0.0.1", port, path: "/rpc", agent, localAddress, method: "POST", headers }, (answer) => {
      let text = "";
      answer.on("data", (data) => (text += data));
      answer.on("error", failed);
      answer.on("end", () => {
        if (answer.statusCode !== 200 || !text.includes('"result"')) return failed(text);
        counts.answers++;
        done();
      });
    });
    r.on("error", failed);
    r.end(body);
  });
}

async function connection(i) {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  while (Date.now() < end) await ask(agent, `127.0.${1 + i}.1`);
  agent.destroy();
}

await Promise.all(Array.from({ length: connections }, (_, i) => connection(i)));
console.log(JSON.stringify(counts));
