// Transactions of the devnet's own wallet.
import assert from "node:assert";
import { ContractFactory, Interface, Wallet, getCreateAddress } from "ethers";
import { WALLET_KEY } from "../../devnet/lib/accounts.mjs";
import { until } from "./node.mjs";

export class Sender {
  #chain;
  #owner = new Wallet(WALLET_KEY);
  #nonce;

  static async start(chain) {
    const s = new Sender();
    s.#chain = chain;
    s.address = s.#owner.address;
    s.#nonce = Number(await chain.ask("eth_getTransactionCount", s.address, "latest"));
    return s;
  }

  // Sends a contract's creation: {address, face, hash}.
  async deploy(abi, bytecode, ...args) {
    const address = getCreateAddress({ from: this.address, nonce: this.#nonce });
    const { data } = await new ContractFactory(abi, bytecode).getDeployTransaction(...args);
    return { address, face: new Interface(abi), hash: await this.send({ data, gasLimit: 5_000_000 }) };
  }

  // Its hash.
  async send(tx) {
    const { baseFeePerGas } = await this.#chain.ask("eth_getBlockByNumber", "latest", false);
    const fees = { type: 2, maxFeePerGas: 4n * BigInt(baseFeePerGas) + 3_000_000_000n, maxPriorityFeePerGas: 2_000_000_000n };
    const chainId = BigInt(await this.#chain.ask("eth_chainId"));
    return this.#chain.ask("eth_sendRawTransaction", await this.#owner.signTransaction({ ...tx, ...fees, chainId, nonce: this.#nonce++ }));
  }

  // Waits until it has succeeded in a block; its receipt.
  async done(hash) {
    const receipt = await until(`a receipt of ${hash}`, 60000, () => this.#chain.ask("eth_getTransactionReceipt", hash), 250);
    assert.strictEqual(Number(receipt.status), 1, hash);
    return receipt;
  }
}
