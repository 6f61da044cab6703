// The devnet's execution client as a reference: its answers in the form that execution-apis describes. What has to be done
// to them is listed in docs/rpc.md, "Beside the devnet's execution client".
import { keccak256, toBeHex } from "ethers";

export const hex = (n) => "0x" + BigInt(n).toString(16);
const least = (a, b) => (BigInt(a) < BigInt(b) ? BigInt(a) : BigInt(b));

// It gives no blockTimestamp, and the most that a transaction would pay as its gasPrice.
export function transaction(tx, block) {
  if (!tx) return tx;
  const given = Object.fromEntries(Object.entries(tx).filter(([, value]) => value !== undefined && value !== null));
  const said = { ...given, to: tx.to, type: hex(tx.type), blockTimestamp: block.timestamp, gasPrice: price(tx, block) };
  if (!Number(tx.type)) delete said.accessList;
  return said;
}

function price(tx, block) {
  if (tx.maxFeePerGas === undefined) return tx.gasPrice;
  return hex(least(tx.maxFeePerGas, BigInt(block.baseFeePerGas) + BigInt(tx.maxPriorityFeePerGas)));
}

// With totalDifficulty, which is no more.
export function block({ totalDifficulty, ...rest }, full) {
  return { ...rest, transactions: full ? rest.transactions.map((tx) => transaction(tx, rest)) : rest.transactions.map((tx) => tx.hash ?? tx) };
}

const NOT_IN_HEADERS = ["size", "transactions", "uncles", "withdrawals"];
export const header = (b) => Object.fromEntries(Object.entries(block(b, false)).filter(([name]) => !NOT_IN_HEADERS.includes(name)));

// It numbers the logs of a block's receipts from each receipt's own place, and its effective price is the tip.
export function receipts(list, b) {
  let index = 0;
  return list.map((receipt, i) => {
    const logs = receipt.logs.map((log) => ({ ...log, logIndex: hex(index++), blockTimestamp: b.timestamp }));
    const given = Object.fromEntries(Object.entries(receipt).filter(([, value]) => value !== undefined));
    return { ...given, logs, effectiveGasPrice: price(b.transactions[i], b) };
  });
}

export const log = (one, b) => ({ ...one, blockTimestamp: b.timestamp });

// Names of slots and numbers as they are meant; of an absent account, hashes of nothing or of an empty trie.
export function proof(result) {
  const { codeHash, storageHash, storageProof, ...rest } = result;
  const hashes = BigInt(result.nonce) + BigInt(result.balance) + BigInt(storageProof.length) ? [codeHash, storageHash] : [];
  return { ...rest, hashes, storageProof: storageProof.map((slot) => ({ ...slot, key: BigInt(slot.key), value: BigInt(slot.value) })) };
}

export const word = (n) => toBeHex(n, 32);
export const hashOf = keccak256;
