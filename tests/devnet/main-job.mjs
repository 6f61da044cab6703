// What ./run does once everything is built: starts a local chain of real clients (or takes a real network), starts one node,
// performs its setup, waits until it is ready, shows three signed answers with their curl lines and has a fourth one checked by
// kettle verify, and stays until Ctrl-C. Whatever of it ends by itself is told with the end of its log, and the folder is kept.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const root = path.join(here, "../..");
const HELP = `usage: ./run [OPTIONS]
Without options: a local chain of real clients, one node with the simulated TEE, three signed answers and what kettle verify says of the
node; stays until Ctrl-C.

  --network NAME         mainnet, sepolia or hoodi instead of the local chain; needs --execution-rpc
  --execution-rpc URL    execution RPC; it needs no trust, but must serve eth_getProof; several with commas
  --consensus-rpc URL    beacon API; it needs no trust; several with commas (default: the program's own, where it has one)
  --checkpoint ROOT      recent finalized beacon block root from a source that you trust
  --checkpoint-urls A,B,C  instead of it: independent servers, of which more than half have to name the same root
  --tee WHICH            auto, dstack, tdx or simulator (default: simulator, whose quotes prove nothing)
  --state-dir DIR        keeps what the node verified there, with --network; without it nothing is kept
  --nodes N              N nodes of one cluster on the local chain, 1 to 8: the later ones join the first and get its key
  --setup-port N         port of POST /setup    (default 40080; of more nodes the next ones)
  --api-port N           port of the API        (default 3032; of more nodes the next ones)
  --overlay-port N       port for peers         (default 4001; of more nodes the next ones)
  --base-port N          first port of the local chain's clients (default 18500)
  --once                 stop after the answers
  --build-only           build all, tests and benches too, and stop
`;

function parse(argv) {
  const o = { nodes: 1, tee: "simulator", setupPort: 40080, apiPort: 3032, overlayPort: 4001, basePort: 18500, once: process.env.KETTLE_RUN_ONCE === "1" };
  const names = { "--network": "network", "--execution-rpc": "executionRpc", "--consensus-rpc": "consensusRpc", "--checkpoint": "checkpoint",
    "--checkpoint-urls": "checkpointUrls", "--tee": "tee", "--state-dir": "stateDir" };
  const numbers = { "--nodes": "nodes", "--setup-port": "setupPort", "--api-port": "apiPort", "--overlay-port": "overlayPort", "--base-port": "basePort" };
  for (let i = 0; i < argv.length; i++) { // ./run has checked them
    const a = argv[i];
    if (a === "--once") o.once = true;
    else if (names[a]) o[names[a]] = argv[++i];
    else if (numbers[a]) o[numbers[a]] = Number(argv[++i]);
    else fail(`unknown option ${a}`);
  }
  return o;
}

function fail(text) {
  console.error(`run: ${text}`);
  process.exit(2);
}

const say = (text) => console.log(`\n== ${text}`);
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const portFree = (port) =>
  new Promise((done) => {
    const s = net.connect(port, "127.0.0.1");
    s.on("connect", () => (s.destroy(), done(false)));
    s.on("error", () => done(true));
  });

const nodes = [];
let work, chainDir, starter, workload, deployed = false, stopping = false;

const tail = (file) => fs.existsSync(file) && fs.readFileSync(file, "utf8").trimEnd().split("\n").slice(-12).join("\n");

// A child that ended by itself: what it was, and the end of its log.
function ended(what, file) {
  if (stopping) return;
  console.error(`\nrun: ${what}; the end of ${file}:\n${tail(file) || "(empty)"}`);
  stop(1);
}

async function stop(status) {
  if (stopping) return;
  stopping = true;
  const living = () => nodes.filter((node) => node.exitCode === null);
  for (const node of living()) node.kill("SIGTERM");
  for (let i = 0; i < 60 && living().length; i++) await sleep(100);
  for (const node of living()) node.kill("SIGKILL");
  for (const child of [starter, workload]) child?.kill("SIGTERM");
  spawnSync(path.join(here, "stop"), ["--dir", chainDir], { stdio: "ignore" });
  if (status) console.error(`run: all logs are in ${work}`);
  else fs.rmSync(work, { recursive: true, force: true });
  process.exit(status);
}

async function startChain(o) {
  say("a local chain of real clients: @ethereumjs/client and Lodestar's packages (first start installs them)");
  const log = fs.openSync(path.join(work, "chain.log"), "w");
  starter = spawn(path.join(here, "start"), ["--dir", chainDir, "--base-port", String(o.basePort), "--history-slots", "100"],
    { stdio: ["ignore", "ignore", log] });
  let status = null;
  starter.on("exit", (code) => (status = code ?? 1));
  await wait("starting the chain", 900, () => status !== null);
  if (stopping) return;
  if (status !== 0) throw new Error(`the local chain did not start:\n${tail(path.join(work, "chain.log"))}`);
  const log2 = path.join(work, "workload.log"), out = fs.openSync(log2, "w");
  workload = spawn(path.join(here, "workload"), ["--dir", chainDir], { stdio: ["ignore", out, out] });
  workload.on("exit", (code) => (code === 0 ? (deployed = true) : ended(`the contracts were not deployed (status ${code})`, log2)));
  watchChain();
  const summary = JSON.parse(fs.readFileSync(path.join(chainDir, "devnet.json")));
  const network = JSON.parse(fs.readFileSync(path.join(chainDir, "network.json")));
  fs.writeFileSync(path.join(root, "build/network.json"), JSON.stringify({ network }) + "\n"); // for kettle verify --evidence
  const setup = { peers: [], port: o.overlayPort, execution_rpc: summary.execution_rpc, consensus_rpc: summary.beacon_api, network,
    checkpoint: summary.trusted_checkpoint_root };
  const further = { ...setup, port: o.overlayPort + o.nodes }; // of a node that somebody starts beside these
  fs.writeFileSync(path.join(root, "build/setup.json"), JSON.stringify(further) + "\n");
  return setup;
}

// The chain's processes, which are nobody's children: its two clients, and once the contracts are there what makes transactions.
function watchChain() {
  const names = { el: "the execution client", cl: "the beacon node", workload: "what makes transactions" };
  const rows = () => fs.readFileSync(path.join(chainDir, "pids"), "utf8").trim().split("\n").map((row) => row.split(" "));
  setInterval(() => {
    for (const [name, pid] of stopping ? [] : rows())
      if (!fs.existsSync(`/proc/${pid}`) && (deployed || name !== "workload"))
        ended(`${names[name] ?? name} has ended`, path.join(chainDir, `${name}.log`));
  }, 2000).unref();
}

// Waits until done gives something, and shows that the time is spent on something: a clock on a terminal, else a line now and then.
async function wait(what, limitS, done) {
  const began = Date.now(), tty = process.stdout.isTTY;
  let shown = 0, found;
  while (!(found = await done()) && !stopping) {
    const s = Math.floor((Date.now() - began) / 1000);
    if (s > limitS) throw new Error(`${what}: not within ${limitS} s`);
    if (s > shown && tty) process.stdout.write(`\r\x1b[K${what}: ${s} s`);
    else if (s >= shown + 15) console.log(`${what}: ${s} s`);
    else await sleep(100);
    if (tty || s >= shown + 15) shown = s;
  }
  if (tty) process.stdout.write("\r\x1b[K");
  return found;
}

function setupOf(o) {
  const setup = { peers: [], port: o.overlayPort, execution_rpc: o.executionRpc.split(","), network: o.network };
  if (o.consensusRpc) setup.consensus_rpc = o.consensusRpc.split(",");
  if (o.checkpoint) setup.checkpoint = o.checkpoint;
  if (o.checkpointUrls) {
    const of = o.checkpointUrls.split(",");
    setup.checkpoint = { quorum: Math.floor(of.length / 2) + 1, of };
  }
  return setup;
}

const statusOf = async (o) => (await fetch(`http://127.0.0.1:${o.apiPort}/v1/status`)).json();

// The same chain for a node of a cluster: its peers are all before it, and its policy admits what it is itself.
async function clusterSetup(o, setup, i) {
  const { simulator_root } = (await statusOf(o)).tee;
  const policy = { version: 1, mode: "same-as-self", simulator_root };
  const peers = Array.from({ length: i }, (_, k) => `127.0.0.1:${setup.port + k}`);
  const { checkpoint, ...rest } = setup;
  return { ...rest, ...(i ? {} : { checkpoint }), policy, peers, port: setup.port + i };
}

// The node's log goes to the terminal as it is, and to a file.
function spawnNode(o, i) {
  const args = ["run", "--development", "--setup-port", o.setupPort, "--api-port", o.apiPort, "--tee", o.tee].map(String);
  if (o.nodes > 1) args.push("--simulator-seed", "run");
  if (o.stateDir) args.push("--state-dir", o.stateDir);
  if (process.stderr.isTTY) args.push("--log-format", "text");
  const file = path.join(work, `node-${i + 1}.log`), log = fs.createWriteStream(file);
  const node = spawn(path.join(root, "build/kettle"), args, { stdio: ["ignore", "pipe", "pipe"] });
  for (const stream of [node.stdout, node.stderr])
    stream.on("data", (text) => (log.write(text), process.stderr.write(text)));
  node.on("close", (code) => log.end(() => ended(`node ${i + 1} ended with status ${code}`, file)));
  nodes.push(node);
}

async function postSetup(o, setup) {
  const answer = await fetch(`http://127.0.0.1:${o.setupPort}/setup`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(setup),
  });
  return { ...(await answer.json()), http: answer.status };
}

async function startNode(o, setup, i) {
  say(`${o.nodes === 1 ? "one node" : `node ${i + 1} of ${o.nodes}`}, TEE: ${o.tee}` + (o.tee === "simulator" ? " (its quotes prove nothing)" : ""));
  spawnNode(o, i);
  await wait("the node starts", 120, async () => !(await portFree(o.apiPort)));
  if (o.stateDir && (await statusOf(o)).state !== "awaiting-setup") return console.log(`the setup was found in ${o.stateDir}`);
  await wait("the setup port opens", 60, async () => !(await portFree(o.setupPort)));
  const own = o.nodes > 1 ? await clusterSetup(o, setup, i) : setup;
  let said;
  await wait("the setup is tried", o.network ? 60 : 240, async () => {
    said = await postSetup(o, own);
    if (said.http === 200) return true;
    const text = `setup refused: ${said.field ? said.field + ": " : ""}${said.error}`;
    if (o.network) throw new Error(text);
    console.log(`${text}; again`); // the local chain is right, and this machine may be slow
    return sleep(2000);
  });
  if (said.http === 200) console.log(`POST /setup -> {"status":"${said.status}"}`);
}

async function waitReady(o) {
  const began = Date.now();
  let last = "";
  const status = await wait("until it is ready", o.network ? 3600 : 600, async () => {
    const status = await statusOf(o);
    const line = `${status.state}: ${status.reason}`;
    if (status.state !== "ready" && line !== last) console.log(line);
    last = line;
    return status.state === "ready" && status;
  });
  if (status)
    console.log(`ready ${((Date.now() - began) / 1000).toFixed(2)} s after the setup, in ${status.sync.round_trips} sequential round trips to the beacon API`);
  return status;
}

// The contract call that is shown, and what it asks: of the local chain's token, or on a real network of a contract that everybody knows.
async function callOf(o) {
  const totalSupply = "0x18160ddd";
  if (o.network) {
    const weth = { mainnet: "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", sepolia: "0xfff9976782d46cc05630d1f6ebab18b2324d6b14" }[o.network];
    return weth
      ? { call: { to: weth, data: totalSupply }, what: `totalSupply() of wrapped ether on ${o.network}, in wei` }
      : { call: { to: "0x0000000000000000000000000000000000000004", data: "0x6b6574746c65" }, what: "the identity precompile: the bytes that it was given" };
  }
  await wait("the local chain's contracts", 600, () => deployed);
  if (stopping) return {};
  const contracts = JSON.parse(fs.readFileSync(path.join(chainDir, "contracts.json")));
  return { call: { to: contracts.addresses.token, data: totalSupply }, what: "totalSupply() of the local chain's test token, in its least unit" };
}

const shorten = (text) => (text.length > 420 ? text.slice(0, 400) + "…" + text.slice(-20) : text);

// What is wrong with an answer; null: nothing. The contract of the local chain may be younger than the node's head.
const wrong = (o, status, text) =>
  status !== 200 ? `answered ${status}` : !o.network && /"Error|Success\\":\\"0x\\"/.test(text) ? "no such contract yet" : null;

async function ask(o, route, body) {
  let status, text;
  const good = await wait(`${route} is asked`, o.network ? 40 : 240, async () => {
    const answer = await fetch(`http://127.0.0.1:${o.apiPort}${route}`, body ? { method: "POST", body } : {});
    [status, text] = [answer.status, await answer.text()];
    return !wrong(o, status, text) || sleep(500);
  }).catch((error) => error);
  if (stopping) return;
  console.log(`\n$ curl ${body ? `-d '${body}' ` : ""}http://127.0.0.1:${o.apiPort}${route}\n${shorten(text)}`);
  if (good !== true && !o.network) throw new Error(`${route}: ${wrong(o, status, text)}`);
  if (good !== true) console.log(`(${route} ${wrong(o, status, text)}: the node goes on)`);
}

// A policy that admits this node and what measures the same; with --development, since nobody measured its configuration.
function writePolicy(o) {
  const quote = spawnSync(path.join(root, "build/kettle"), ["quote", "--policy", `http://127.0.0.1:${o.apiPort}`], { encoding: "utf8" });
  if (quote.status !== 0) throw new Error(`kettle quote: ${quote.stderr.trim()}`);
  fs.writeFileSync(path.join(root, "build/policy.json"), quote.stdout);
}

// The fourth answer: what a consumer does before it believes the others.
function verify(o, status) {
  writePolicy(o);
  const args = ["verify", "--policy", "build/policy.json", "--network", status.network, "--development", `http://127.0.0.1:${o.apiPort}`];
  console.log(`\n$ build/kettle ${args.join(" ")}`);
  const done = spawnSync("build/kettle", args, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });
  if (done.status !== 0 && !o.network) throw new Error("kettle verify: the node does not hold");
  if (done.status !== 0) console.log("(it does not hold, for the reason above: the node goes on)");
}

async function show(o, status) {
  const { call, what } = await callOf(o);
  await ask(o, "/block");
  await ask(o, "/call", JSON.stringify(call));
  if (!stopping) console.log(`(${what})`);
  await ask(o, "/attest");
  if (stopping) return;
  verify(o, status);
  if (status.tee.simulated)
    console.log("\nThe evidence is SIMULATED: it shows how the node is checked, and proves nothing about this machine.");
}

const options = parse(process.argv.slice(2));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(0));
try {
  const each = Array.from({ length: options.nodes }, (_, i) => ({ ...options, setupPort: options.setupPort + i, apiPort: options.apiPort + i }));
  for (const [i, o] of each.entries())
    for (const [option, port] of [["--setup-port", o.setupPort], ["--api-port", o.apiPort], ["--overlay-port", o.overlayPort + i]])
      if (!(await portFree(port))) fail(`port ${port} is taken; choose another with ${option}`);
  work = fs.mkdtempSync(path.join(os.tmpdir(), "kettle-run-"));
  chainDir = path.join(work, "chain");
  const setup = options.network ? setupOf(options) : await startChain(options);
  for (const [i, o] of each.entries()) {
    if (stopping) break;
    await startNode(o, setup, i);
    const status = await waitReady(o);
    if (!status) break; // it is stopping
    say(`ready: chain head slot ${status.head.slot}, block ${status.head.block_number} ${status.head.block_hash}, ` +
      `signed by ${status.head.participants} of ${status.head.committee_size}` + (options.nodes > 1 ? `; key ${status.pubkey}` : ""));
    await show(o, status);
  }
  if (options.once || stopping) await stop(0);
  else {
    say(`where to look next: curl http://127.0.0.1:${options.apiPort}/v1/status; the log above; README.md` +
      (options.network ? "" : `; the chain's logs in ${chainDir}`));
    console.log("running until Ctrl-C");
  }
} catch (error) {
  if (!stopping) console.error(`run: ${error.message}`);
  await stop(1);
}
