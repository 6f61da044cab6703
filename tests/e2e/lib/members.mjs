// What the scenario of members needs: the KMS and guest agents of dstack, the contract, and Python's three calls.
import assert from "node:assert";
import { spawn } from "node:child_process";
import fs from "node:fs";
import http from "node:http";
import path from "node:path";
import readline from "node:readline";
import { AbiCoder, ContractFactory, Interface, SigningKey, Wallet, computeAddress, concat, getCreateAddress, keccak256, toUtf8Bytes } from "ethers";
import { WALLET_KEY } from "../../devnet/lib/accounts.mjs";
import { sleep, until } from "./node.mjs";

const REPORT_DATA_AT = 568;
const APP_ID = "ea549f02e1a25fabd1cb788380e033ec5461b2ff";
const secretOf = (name) => new SigningKey(keccak256(toUtf8Bytes(name)));
const DAY = "62015180"; // PUSH3 86400
const KMS = secretOf("kms root"), APP = secretOf("app");

// 65 bytes r, s, recovery id, as dstack writes them.
function signed(key, message) {
  const { r, s, yParity } = key.sign(keccak256(message));
  return (r + s.slice(2) + (yParity ? "01" : "00")).slice(2);
}

// What GetKey answers: the key of a path, and the chain from it to the KMS's root.
function keyOf(path, purpose) {
  const derived = secretOf(path);
  const issued = concat([toUtf8Bytes("dstack-kms-issued:"), `0x${APP_ID}`, APP.compressedPublicKey]);
  const over = toUtf8Bytes(`${purpose}:${derived.compressedPublicKey.slice(2)}`);
  return { key: derived.privateKey.slice(2), signature_chain: [signed(APP, over), signed(KMS, issued)] };
}

// The address that the node of an instance sends from.
export const addressOf = (instance) => computeAddress(secretOf(`kettle/p2p/${instance}`).publicKey);

// What the guest agent of an instance says of itself, and which keys it gives.
export const instanceAnswers = (instance) => ({
  "/Info": () => ({ app_id: APP_ID, instance_id: instance }),
  "/GetKey": ({ path, purpose }) => keyOf(path, purpose),
});

// A guest agent of an instance. quote: of a simulated node, whose report data is replaced.
export function startAgent(port, instance, quote) {
  const answers = {
    "/GetQuote": ({ report_data }) => {
      const bytes = Buffer.from(quote, "hex");
      Buffer.from(report_data, "hex").copy(bytes, REPORT_DATA_AT);
      return { quote: bytes.toString("hex"), event_log: "[]", report_data, vm_config: "" };
    },
    ...instanceAnswers(instance),
  };
  const server = http.createServer(async (request, answer) => {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    const text = Buffer.concat(chunks).toString();
    if (!answers[request.url]) return answer.writeHead(404).end("{}");
    answer.end(JSON.stringify(answers[request.url](text ? JSON.parse(text) : {})));
  });
  return new Promise((done) => server.listen(port, "127.0.0.1", () => done(server)));
}

// The contract with its owner, and what it says at a block by the execution client's own word.
export class Contract {
  #chain;
  #owner = new Wallet(WALLET_KEY);
  static #nonce = 0; // of the owner, who has all of them

  // notice: how many seconds a cluster's key is announced, in place of a day.
  static async deploy(t, chain, { timeout, instances, notice }) {
    const file = path.join(t.world.root, "sdk/solidity/DstackP2PMembership.json");
    const c = new Contract();
    c.#chain = chain;
    const { abi, bytecode } = JSON.parse(fs.readFileSync(file));
    c.face = new Interface(abi);
    const count = Number(await chain.ask("eth_getTransactionCount", c.#owner.address, "latest"));
    Contract.#nonce = Math.max(Contract.#nonce, count);
    c.address = getCreateAddress({ from: c.#owner.address, nonce: Contract.#nonce });
    const code = notice ? bytecode.replaceAll(DAY, `62${notice.toString(16).padStart(6, "0")}`) : bytecode;
    assert(!notice || code !== bytecode, "no day in the contract's code");
    const { data } = await new ContractFactory(abi, code).getDeployTransaction(computeAddress(KMS.publicKey));
    const hashes = [await c.#send({ data, gasLimit: 5_000_000 })];
    hashes.push(await c.does("setAppAllowed", `0x${APP_ID}`, true), await c.does("addBaseDomain", "dstack.example"));
    hashes.push(await c.does("setGateway", "dstack.example", "-s"), await c.does("setNetwork", 0, timeout));
    for (const instance of instances) {
      hashes.push(await c.does("mintNodeAccess", addressOf(instance), ""));
      hashes.push(await c.#send({ to: addressOf(instance), value: 10n ** 18n, gasLimit: 21000 }));
    }
    for (const hash of hashes) await c.#receipt(hash);
    return c;
  }

  // Registers an instance with the key that its node would have.
  async enrol(instance) {
    const path = `kettle/p2p/${instance}`, wallet = new Wallet(secretOf(path).privateKey);
    const xy = ({ publicKey }) => `0x${publicKey.slice(4)}`;
    const signatures = keyOf(path, "kettle-p2p").signature_chain.map((bytes) => `0x${bytes}`);
    const steps = [["registerInstance", instance], ["bindInstance", instance, xy(secretOf(path)), xy(APP), ...signatures, `0x${APP_ID}`], ["registerPeer()"]];
    for (const [nonce, [name, ...args]] of steps.entries())
      await this.#receipt(await this.#send({ to: this.address, data: this.face.encodeFunctionData(name, args), gasLimit: 400_000 }, wallet, nonce));
  }

  // Announces the cluster's key and confirms it.
  async setKey(key) {
    await this.#receipt(await this.does("setClusterKey", key));
    await sleep(4000); // a notice of a second, and a slot
    await this.#receipt(await this.does("confirmClusterKey", key));
  }

  does(name, ...args) {
    return this.#send({ to: this.address, data: this.face.encodeFunctionData(name, args), gasLimit: 300_000 });
  }

  async #send(tx, from = this.#owner, nonce = Contract.#nonce++) {
    const { baseFeePerGas } = await this.#chain.ask("eth_getBlockByNumber", "latest", false);
    const fees = { type: 2, maxFeePerGas: 4n * BigInt(baseFeePerGas) + 3_000_000_000n, maxPriorityFeePerGas: 2_000_000_000n };
    const chainId = BigInt(await this.#chain.ask("eth_chainId"));
    return this.#chain.ask("eth_sendRawTransaction", await from.signTransaction({ ...tx, ...fees, chainId, nonce }));
  }

  async #receipt(hash) {
    const receipt = await until(`a receipt of ${hash}`, 60000, () => this.#chain.ask("eth_getTransactionReceipt", hash), 250);
    assert.strictEqual(Number(receipt.status), 1, hash);
  }

  // The list at a block, as the execution client runs it there.
  async listAt(number) {
    const { Success } = await this.#chain.call({ to: this.address, data: this.face.encodeFunctionData("getPeerEndpoints") }, number);
    return [...AbiCoder.defaultAbiCoder().decode(["string[]"], Success)[0]];
  }
}

// Runs lines of Python with the SDK against a node; gives what they print, as JSON, one line each.
export class Python {
  lines = [];

  constructor(t, socket, contract, lines) {
    const text = `import asyncio, json, sys, time
from dstack_p2p import DStackP2PSDK
def tell(what):
    print(json.dumps(what), flush=True)
async def main():
    sdk = DStackP2PSDK("${contract}", "tls")
${lines.map((line) => `    ${line}\n`).join("")}
asyncio.run(main())`;
    const env = { ...process.env, KETTLE_P2P_SOCKET: socket, PYTHONPATH: path.join(t.world.root, "sdk/python") };
    this.child = spawn("python3", ["-c", text], { env, stdio: ["ignore", "pipe", "inherit"] });
    t.atEnd(() => this.child.kill("SIGKILL"));
    readline.createInterface({ input: this.child.stdout }).on("line", (line) => this.lines.push({ told: JSON.parse(line), at: Date.now() }));
    this.ended = new Promise((done) => this.child.on("close", (code) => done(code)));
  }

  // What the last line said, of a program that ends.
  async value() {
    assert.strictEqual(await this.ended, 0);
    return this.lines.at(-1).told;
  }
}
