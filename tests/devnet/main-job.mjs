// What ./run does once everything is built: starts a local chain of real clients (or takes a real network), starts one node,
// performs its setup, waits until it is ready, shows three signed answers with their curl lines, and stays until Ctrl-C.
import { spawn, spawnSync } from "node:child_process";
import fs from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";

const here = import.meta.dirname ?? path.dirname(new URL(import.meta.url).pathname);
const root = path.join(here, "../..");
const HELP = `usage: ./run [OPTIONS]
Without options: a local chain of real clients, one node with the simulated TEE, three signed answers; stays until Ctrl-C.

  --network NAME         mainnet, sepolia or hoodi instead of the local chain; needs --execution-rpc
  --execution-rpc URL    execution RPC; it needs no trust, but must serve eth_getProof
  --consensus-rpc URL    beacon API; it needs no trust (default: the program's own, where it has one)
  --checkpoint ROOT      recent finalized beacon block root from a source that you trust
  --nodes N              N nodes of one cluster on the local chain, 1 to 8: the later ones join the first and get its key
  --setup-port N         port of POST /setup    (default 40080; of more nodes the next ones)
  --api-port N           port of the API        (default 3032)
  --overlay-port N       port for peers         (default 4001; of more nodes the next ones)
  --base-port N          first port of the local chain's clients (default 18500)
  --once                 stop after the three answers
  --build-only           stop after the build
`;

function parse(argv) {
  const o = { nodes: 1, setupPort: 40080, apiPort: 3032, overlayPort: 4001, basePort: 18500, once: process.env.KETTLE_RUN_ONCE === "1" };
  const names = { "--network": "network", "--execution-rpc": "executionRpc", "--consensus-rpc": "consensusRpc", "--checkpoint": "checkpoint" };
  const ports = { "--setup-port": "setupPort", "--api-port": "apiPort", "--overlay-port": "overlayPort", "--base-port": "basePort" };
  for (let i = 0; i < argv.length; i++) {
    const a = argv[i], value = () => argv[++i] ?? fail(`${a} needs a value`);
    if (a === "-h" || a === "--help") {
      process.stdout.write(HELP);
      process.exit(0);
    } else if (a === "--once") o.once = true;
    else if (a === "--nodes") {
      o.nodes = Number(value());
      if (!(o.nodes >= 1 && o.nodes <= 8)) fail("--nodes must be between 1 and 8");
    }
    else if (names[a]) o[names[a]] = value();
    else if (ports[a]) {
      o[ports[a]] = Number(value());
      if (!(o[ports[a]] >= 1 && o[ports[a]] <= 65535)) fail(`${a} must be between 1 and 65535`);
    } else fail(`unknown option ${a}`);
  }
  if (o.network && o.nodes > 1) fail("--nodes is for the local chain");
  if (o.network && !o.executionRpc) fail("--network needs --execution-rpc URL");
  if (!o.network && (o.executionRpc || o.consensusRpc || o.checkpoint)) fail("--execution-rpc, --consensus-rpc and --checkpoint need --network NAME");
  return o;
}

function fail(text) {
  console.error(`run: ${text}\ntry: ./run --help`);
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

const work = fs.mkdtempSync(path.join(os.tmpdir(), "kettle-run-"));
const chainDir = path.join(work, "chain");
const nodes = [];
let workload, stopping = false;

async function stop(status) {
  if (stopping) return;
  stopping = true;
  const living = () => nodes.filter((node) => node.exitCode === null);
  for (const node of living()) node.kill("SIGTERM");
  for (let i = 0; i < 60 && living().length; i++) await sleep(100);
  for (const node of living()) node.kill("SIGKILL");
  workload?.kill("SIGTERM");
  spawnSync(path.join(here, "stop"), ["--dir", chainDir], { stdio: "ignore" });
  fs.rmSync(work, { recursive: true, force: true });
  process.exit(status);
}

async function startChain(o) {
  say("a local chain of real clients: @ethereumjs/client and Lodestar's packages (first start installs them)");
  const log = fs.openSync(path.join(work, "chain.log"), "w");
  const child = spawn(path.join(here, "start"), ["--dir", chainDir, "--base-port", String(o.basePort), "--history-slots", "100"],
    { stdio: ["ignore", "ignore", log] });
  const status = await waitWithClock(child, "starting the chain");
  if (status !== 0) {
    console.error(fs.readFileSync(path.join(work, "chain.log"), "utf8").split("\n").slice(-12).join("\n"));
    throw new Error("the local chain did not start");
  }
  workload = spawn(path.join(here, "workload"), ["--dir", chainDir], { stdio: "ignore" });
  const summary = JSON.parse(fs.readFileSync(path.join(chainDir, "devnet.json")));
  const network = JSON.parse(fs.readFileSync(path.join(chainDir, "network.json")));
  return { peers: [], port: o.overlayPort, execution_rpc: summary.execution_rpc, consensus_rpc: summary.beacon_api, network,
    checkpoint: summary.trusted_checkpoint_root };
}

// A line that shows that the time is spent on something.
async function waitWithClock(child, what) {
  const began = Date.now(), tty = process.stdout.isTTY;
  let code = null;
  child.on("exit", (c) => (code = c ?? 1));
  while (code === null) {
    await sleep(1000);
    if (tty) process.stdout.write(`\r\x1b[K${what}: ${Math.round((Date.now() - began) / 1000)} s`);
  }
  if (tty) process.stdout.write("\r\x1b[K");
  return code;
}

function setupOf(o) {
  const setup = { peers: [], port: o.overlayPort, execution_rpc: o.executionRpc, network: o.network };
  if (o.consensusRpc) setup.consensus_rpc = o.consensusRpc;
  if (o.checkpoint) setup.checkpoint = o.checkpoint;
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

async function startNode(o, setup, i) {
  say(o.nodes === 1 ? "one node, simulated TEE (its quotes prove nothing)" : `node ${i + 1} of ${o.nodes}, simulated TEE (its quotes prove nothing)`);
  const args = ["run", "--development", "--setup-port", o.setupPort, "--api-port", o.apiPort, "--tee", "simulator"].map(String);
  if (o.nodes > 1) args.push("--simulator-seed", "run");
  const node = spawn(path.join(root, "build/kettle"), args, { stdio: ["ignore", "inherit", "inherit"] });
  nodes.push(node);
  node.on("exit", (code) => {
    if (stopping) return;
    console.error(`run: the node ended with status ${code}`);
    stop(1);
  });
  for (let i = 0; i < 100 && (await portFree(o.setupPort)); i++) await sleep(50);
  const own = o.nodes > 1 ? await clusterSetup(o, setup, i) : setup;
  const answer = await fetch(`http://127.0.0.1:${o.setupPort}/setup`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(own),
  });
  const body = await answer.json();
  if (answer.status !== 200) throw new Error(`setup refused: ${body.field ? body.field + ": " : ""}${body.error}`);
  console.log(`POST /setup -> ${JSON.stringify(body)}`);
  o.setupAt = Date.now();
}

async function waitReady(o) {
  let last = "";
  for (;;) {
    const status = await statusOf(o);
    if (status.state === "ready") {
      console.log(`ready ${((Date.now() - o.setupAt) / 1000).toFixed(2)} s after the setup, in ${status.sync.round_trips} sequential round trips to the beacon API`);
      return status;
    }
    const line = `${status.state}: ${status.reason}`;
    if (line !== last) console.log(line);
    last = line;
    await sleep(50);
  }
}

// The contract call that is shown: the local chain's token, or on a real network a contract that everybody knows.
async function callOf(o) {
  if (o.network) {
    const weth = { mainnet: "0xc02aaa39b223fe8d0a0e5c4f27ead9083c756cc2", sepolia: "0xfff9976782d46cc05630d1f6ebab18b2324d6b14" }[o.network];
    return weth ? { to: weth, data: "0x18160ddd" } : { to: "0x0000000000000000000000000000000000000004", data: "0x6b6574746c65" };
  }
  for (let i = 0; i < 120 && !fs.existsSync(path.join(chainDir, "contracts.json")); i++) await sleep(500);
  const contracts = JSON.parse(fs.readFileSync(path.join(chainDir, "contracts.json")));
  return { to: contracts.addresses.token, data: "0x18160ddd" }; // totalSupply()
}

const shorten = (text) => (text.length > 420 ? text.slice(0, 400) + "…" + text.slice(-20) : text);

async function show(o) {
  const base = `http://127.0.0.1:${o.apiPort}`, call = JSON.stringify(await callOf(o));
  const lines = [["/block"], ["/call", call], ["/attest"]];
  for (const [route, body] of lines) {
    let answer, text;
    for (let tries = 0; tries < 40; tries++) { // the contract of the local chain may be younger than the node's head
      answer = await fetch(base + route, body ? { method: "POST", body } : {});
      text = await answer.text();
      if (answer.status === 200 && (o.network || !/"Error|Success\\":\\"0x\\"/.test(text))) break;
      await sleep(500);
    }
    console.log(`\n$ curl ${body ? `-d '${body}' ` : ""}${base}${route}\n${shorten(text)}`);
    if (answer.status !== 200 || (!o.network && text.includes('"Error')))
      throw new Error(`${route} answered ${answer.status}`);
  }
}

const options = parse(process.argv.slice(2));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => stop(0));
try {
  const each = Array.from({ length: options.nodes }, (_, i) => ({ ...options, setupPort: options.setupPort + i, apiPort: options.apiPort + i }));
  for (const port of each.flatMap((o) => [o.setupPort, o.apiPort]))
    if (!(await portFree(port))) fail(`port ${port} is taken; choose others with --setup-port and --api-port`);
  const setup = options.network ? setupOf(options) : await startChain(options);
  for (const [i, o] of each.entries()) {
    await startNode(o, setup, i);
    const status = await waitReady(o);
    say(`ready: chain head slot ${status.head.slot}, block ${status.head.block_number} ${status.head.block_hash}, ` +
      `signed by ${status.head.participants} of ${status.head.committee_size}` + (options.nodes > 1 ? `; key ${status.pubkey}` : ""));
    await show(o);
  }
  say(`where to look next: curl http://127.0.0.1:${options.apiPort}/v1/status; the log above; README.md` +
    (options.network ? "" : `; the chain's logs in ${chainDir}`));
  if (options.once) await stop(0);
  console.log("running until Ctrl-C");
} catch (error) {
  console.error(`run: ${error.message}`);
  await stop(1);
}
