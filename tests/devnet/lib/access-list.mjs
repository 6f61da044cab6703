// eth_createAccessList by way of debug_traceCall, for an execution client that has only the latter. Like other clients',
// the list leaves out sender, recipient and precompiles unless they have slots. The trace runs on the state before the
// block, so the list may miss a key that the block brought: a list is only ever a hint.
const word = (hex) => "0x" + BigInt(hex).toString(16).padStart(64, "0");
const address = (hex) => "0x" + (BigInt(hex) & ((1n << 160n) - 1n)).toString(16).padStart(40, "0");
const DELEGATION = "0xef0100";

const CALLS = { CALL: true, CALLCODE: false, DELEGATECALL: false, STATICCALL: true }; // whether storage is the callee's
const TOUCHES = { BALANCE: 1, EXTCODESIZE: 1, EXTCODEHASH: 1, EXTCODECOPY: 1, SELFDESTRUCT: 1 };

export async function accessList(ask, [call, block]) {
  const trace = await ask("debug_traceCall", [
    { gas: "0x2faf080", ...call, data: call.data ?? call.input },
    block,
    { disableStorage: true },
  ]);
  const keys = new Map();
  const touch = (who) => keys.get(who) ?? keys.set(who, new Set()).get(who);
  const frames = [call.to?.toLowerCase() ?? null]; // whose storage; null: created in this call
  let next = null;
  for (const { op, depth, stack } of trace?.structLogs ?? []) {
    if (depth >= frames.length) frames.push(next);
    frames.length = depth + 1;
    const top = (n) => stack[stack.length - n];
    if ((op === "SLOAD" || op === "SSTORE") && frames[depth]) touch(frames[depth]).add(word(top(1)));
    if (TOUCHES[op]) touch(address(top(1)));
    if (op in CALLS) {
      touch(address(top(2)));
      next = CALLS[op] ? address(top(2)) : frames[depth];
    } else if (op === "CREATE" || op === "CREATE2") next = null;
  }
  for (const who of [call.to?.toLowerCase(), ...keys.keys()].filter(Boolean)) {
    const code = await ask("eth_getCode", [who, block]);
    if (code?.startsWith(DELEGATION)) touch("0x" + code.slice(DELEGATION.length));
  }
  const plain = new Set([call.to, call.from, "0x" + "00".repeat(20)].map((a) => a?.toLowerCase()));
  const list = [...keys]
    .filter(([who, slots]) => slots.size || (!plain.has(who) && BigInt(who) > 0x1ffn))
    .map(([who, slots]) => ({ address: who, storageKeys: [...slots] }));
  return { accessList: list, gasUsed: trace?.gas ?? "0x0" };
}
