// KettleSigners and KettleVerifier on a chain of their own (anvil): which statements of calls a contract takes.
import path from "node:path";
import { command } from "./world.mjs";

const MAX_AGE_S = 3600n;

// {set(signer, setup, accepted), says(statement)}: the latter gives {result}, or {error}, the name of the contract's.
export async function signersOnAnvil(t) {
  await command(path.join(t.world.root, "tests/sdk/run"), ["--install"], path.join(t.world.tmp, "sdk.log"));
  const { callAt, deploy, encodeFunctionData, send, startAnvil } = await import("../../sdk/anvil.mjs");
  const compiled = (await import("../../sdk/compile.mjs")).compile();
  const chain = await startAnvil();
  t.atEnd(() => chain.stop());
  const registry = await deploy(chain, compiled.KettleSigners, [chain.account.address]);
  const verifier = await deploy(chain, compiled.KettleVerifier, [registry.address]);
  const says = async ({ domain, message, signature }) => {
    const hash = await chain.client.readContract({ ...verifier, functionName: "hashCall", args: [message.call] });
    const args = [message, signature, BigInt(domain.chainId), hash, MAX_AGE_S];
    const data = encodeFunctionData({ abi: verifier.abi, functionName: "verifyFresh", args });
    return callAt(chain, verifier, data, BigInt(Math.floor(Date.now() / 1000)));
  };
  return { set: (signer, setup, accepted) => send(chain, registry, "setPair", [signer, setup, accepted]), says };
}
