// The bare Debian as its owner may change it: names of hosts, a private authority, a node at the ports that the documents name.
import { execFile, execFileSync } from "node:child_process";
import fs from "node:fs";
import https from "node:https";
import path from "node:path";
import { promisify } from "node:util";
import { Node, request } from "../e2e/lib/node.mjs";

const HOSTS = "/etc/hosts";
const AUTHORITY = "/usr/local/share/ca-certificates/firsthour.crt";
const JSON_BODY = { "content-type": "application/json" };

// Names that stand for this machine until the scenario ends.
export function hosts(t, ...names) {
  const before = fs.readFileSync(HOSTS);
  fs.appendFileSync(HOSTS, names.map((name) => `127.0.0.1 ${name}\n`).join(""));
  t.atEnd(() => fs.writeFileSync(HOSTS, before));
}

const openssl = (cwd, ...args) => execFileSync("openssl", args, { cwd, stdio: ["ignore", "ignore", "pipe"] });
const CURVE = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

// A certificate for these names, by an authority that this machine trusts until the scenario ends: {key, cert}.
export function certificate(t, names) {
  const dir = fs.mkdtempSync(path.join(t.world.tmp, "ca-"));
  openssl(dir, "req", "-x509", ...CURVE, "-days", "2", "-subj", "/CN=First hour", "-keyout", "ca.key", "-out", "ca.crt");
  openssl(dir, "req", ...CURVE, "-subj", `/CN=${names[0]}`, "-keyout", "key", "-out", "csr");
  fs.writeFileSync(path.join(dir, "ext"), `subjectAltName=${names.map((name) => `DNS:${name}`).join(",")}\n`);
  openssl(dir, "x509", "-req", "-in", "csr", "-CA", "ca.crt", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "ext", "-out", "crt");
  fs.copyFileSync(path.join(dir, "ca.crt"), AUTHORITY);
  execFileSync("update-ca-certificates", { stdio: "ignore" });
  t.atEnd(() => {
    fs.rmSync(AUTHORITY);
    execFileSync("update-ca-certificates", ["--fresh"], { stdio: "ignore" });
  });
  return { key: fs.readFileSync(path.join(dir, "key")), cert: fs.readFileSync(path.join(dir, "crt")) };
}

// A server at port 443 of all names of a certificate; play(host, request, body) gives [status, text], or null: no answer at all.
export async function serve443(t, tls, play) {
  const server = https.createServer(tls, (question, response) => {
    const chunks = [];
    question.on("data", (chunk) => chunks.push(chunk));
    question.on("end", async () => {
      const said = await play(question.headers.host, question, Buffer.concat(chunks).toString());
      if (!said) return question.socket.destroy();
      response.writeHead(said[0], JSON_BODY).end(said[1]);
    });
  });
  await new Promise((ready) => server.listen(443, "127.0.0.1", ready));
  t.atEnd(() => (server.close(), server.closeAllConnections()));
}

// What the chain's own client answers to the same question.
export async function passOn(url, { method, url: route, headers }, body) {
  const answer = await request(url + (route === "/" ? "" : route), { method, body: method === "POST" ? body : undefined, headers: { ...JSON_BODY, accept: headers.accept ?? "*/*" } });
  return [answer.status, answer.text];
}

// A node at the ports of the documents, not started yet; the scenario's end ends it.
export function node(t, name, options) {
  const made = new Node({ program: path.join(t.world.build, "kettle"), dir: path.join(t.world.tmp, name), setupPort: 40080, apiPort: 3032, options });
  t.atEnd(() => made.kill());
  return made;
}

// What a line prints that somebody typed, while the servers of this process go on.
export const typed = async (line, options = {}) => (await promisify(execFile)("bash", ["-euo", "pipefail", "-c", line], options)).stdout;
