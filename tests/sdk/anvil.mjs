// A chain of our own for the contracts: anvil on a free port, what is deployed there, calls at a given time.
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { createPublicClient, createWalletClient, decodeErrorResult, encodeFunctionData, http } from "viem";
import { mnemonicToAccount } from "viem/accounts";

const program = createRequire(createRequire(import.meta.url).resolve("@foundry-rs/anvil/package.json")).resolve(
  `@foundry-rs/anvil-${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}/bin/anvil`,
);
const account = mnemonicToAccount("test test test test test test test test test test test junk");

/** Starts anvil; `stop` ends it. */
export async function startAnvil() {
  const child = spawn(
    program,
    ["--port", "0", "--chain-id", "31337", "--mnemonic", "test test test test test test test test test test test junk"],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const url = await new Promise((resolve, reject) => {
    let out = "";
    child.on("error", reject).on("exit", (code) => reject(new Error(`anvil ended with ${code}: ${out}`)));
    child.stdout.setEncoding("utf8").on("data", (text) => {
      out += text;
      const port = /Listening on 127\.0\.0\.1:(\d+)/.exec(out)?.[1];
      if (port) resolve(`http://127.0.0.1:${port}`);
    });
  });
  const chain = {
    id: 31337,
    name: "anvil",
    nativeCurrency: { name: "Ether", symbol: "ETH", decimals: 18 },
    rpcUrls: { default: { http: [url] } },
  };
  const client = createPublicClient({
    chain,
    transport: http(url, { timeout: 60_000 }),
    pollingInterval: 20,
    cacheTime: 0,
  });
  const wallet = createWalletClient({ account, chain, transport: http(url, { timeout: 60_000 }) });
  return { url, chain, client, wallet, account, stop: () => child.kill() };
}

/** Deploys a compiled contract; gives {address, abi}. */
export async function deploy({ client, wallet }, { abi, bytecode }, args = []) {
  const hash = await wallet.deployContract({ abi, bytecode, args });
  const { contractAddress, status } = await client.waitForTransactionReceipt({ hash });
  if (status !== "success") throw new Error("not deployed");
  return { address: contractAddress, abi };
}

/** Sends a transaction and gives its receipt, or throws when it failed. */
export async function send({ client, wallet }, { address, abi }, functionName, args, as = wallet.account) {
  const { request } = await client.simulateContract({ address, abi, functionName, args, account: as });
  const receipt = await client.waitForTransactionReceipt({ hash: await wallet.writeContract(request) });
  if (receipt.status !== "success") throw new Error(`${functionName} failed`);
  return receipt;
}

/** eth_call of raw data in a block of that time; gives {result} or {error: name of the contract's error, args}. */
export async function callAt({ client }, { address, abi }, data, time) {
  try {
    return {
      result: await client.request({
        method: "eth_call",
        params: [{ to: address, data }, "latest", {}, { time: `0x${time.toString(16)}` }],
      }),
    };
  } catch (error) {
    const revert = error.walk?.((e) => typeof e.data === "string")?.data;
    if (revert === undefined) throw error;
    if (revert === "0x") return { error: "nothing" };
    const { errorName, args } = decodeErrorResult({ abi, data: revert });
    return { error: errorName, args };
  }
}

export { encodeFunctionData };
