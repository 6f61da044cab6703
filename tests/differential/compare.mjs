// What differs between the reference's result and ours.
import { keccak, hex, unhex } from './common.mjs';

// The state before with our changes, in the form of the reference's dump.
function applied(world, changes) {
  const out = new Map();
  for (const [address, a] of world) out.set(address, { ...a, code: hex(a.code), storage: new Map(a.storage) });
  const wrong = [];
  for (const c of changes) {
    const before = out.get(c.address);
    if (c.deleted) { out.delete(c.address); continue; }
    const code = c.code ?? before?.code ?? '0x';
    if (hex(keccak(unhex(code))) !== c.codeHash) wrong.push(`${c.address}: our code is not what our code hash says`);
    const storage = new Map(c.cleared ? [] : before?.storage);
    for (const [key, value] of c.storage)
      if (BigInt(value)) storage.set(BigInt(key), BigInt(value)); else storage.delete(BigInt(key));
    out.set(c.address, { nonce: BigInt(c.nonce), balance: BigInt(c.balance), code, storage });
  }
  return { state: out, wrong };
}

function compareAccounts(found, address, theirs, ours) {
  if (!theirs || !ours) return void found.push(`${address}: exists ${!!theirs}, ours ${!!ours}`);
  for (const field of ['nonce', 'balance', 'code'])
    if (theirs[field] !== ours[field]) found.push(`${address}: ${field} ${theirs[field]}, ours ${ours[field]}`);
  for (const key of new Set([...theirs.storage.keys(), ...ours.storage.keys()])) {
    const a = theirs.storage.get(key) ?? 0n, b = ours.storage.get(key) ?? 0n;
    if (a !== b) found.push(`${address}: slot 0x${key.toString(16)} is 0x${a.toString(16)}, ours 0x${b.toString(16)}`);
  }
}

// A list of texts, empty when both sides agree.
export function differences(world, theirs, ours) {
  const told = r => `${r.rc} (${r.why ?? r.status})`;
  if (theirs.rc !== ours.rc) return [`${told(theirs)}, ours ${told(ours)}`];
  if (theirs.rc !== 'ok') return [];
  const found = [];
  if (theirs.status !== ours.status)
    found.push(`${theirs.status} (${theirs.why ?? ''}), ours ${ours.status} ${ours.halt}`);
  if (theirs.gas !== BigInt(ours.gas)) found.push(`gas ${theirs.gas}, ours ${BigInt(ours.gas)}`);
  for (const kind of theirs.block ? ['execution', 'state'] : [])
    if (theirs.block[kind] !== BigInt(ours.block[kind]))
      found.push(`${kind} gas of the block ${theirs.block[kind]}, ours ${BigInt(ours.block[kind])}`);
  for (const field of ['output', 'created'])
    if (theirs[field] !== ours[field]) found.push(`${field} ${theirs[field]}, ours ${ours[field]}`);
  const logs = [theirs.logs, ours.logs].map(list => JSON.stringify(list));
  if (logs[0] !== logs[1]) found.push(`logs ${logs[0]}, ours ${logs[1]}`);
  const { state, wrong } = applied(world, ours.changes);
  found.push(...wrong);
  for (const address of new Set([...theirs.state.keys(), ...state.keys()]))
    compareAccounts(found, address, theirs.state.get(address), state.get(address));
  return found;
}
