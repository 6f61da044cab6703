// ---- the elements of a file, and the chain along them; lightclient/exec/{stock,history,logs}.c and node/query/statements_past.c have the same

const HISTORY = fromHex("0x0000f90827f1c53a10cb7a02335b175320002935"); // EIP-2935
const HISTORY_WINDOW = 8191n;
const HISTORY_MAX = 8192n;
const LINKED_MAX = 4n; // headers between an anchor and the newest block that stand there without a proof
const WALKED_MAX = 4096n; // … where the contract does not know the block
const JUMPS_MAX = 16n;
const TOGETHER_MAX = 4; // blocks of which receipts and transactions are there at the same time
const LOGS_RECEIPTS_MAX = 128;
const LOGS_MAX = 20000;
const CODE_MAX = 128 << 10;
const FILTER_VALUES_MAX = 1000;
const FILTER_TOPICS = 4;

const notRun = (why) => refuseGround("not-run", "", why);

/** Numbers, or hashes as digits, that have to rise; the first that is not in its place is named. */
function inOrder(list, code, name) {
  const sorted = [...list].sort((x, y) => (x < y ? -1 : 1));
  const at = list.findIndex((one, i) => one !== sorted[i]);
  if (at >= 0) refuseGround(code, `${name}[${at}]`);
}

/** All elements by their hashes, and which of them were needed. */
class Stock {
  constructor() {
    for (const kind of ["headers", "blocks", "nodes", "codes", "receipts", "numbers"]) this[kind] = new Map();
  }

  #put(map, hash, item) {
    const key = digits(hash);
    if (map.has(key)) malformed("is there already");
    map.set(key, { ...item, used: false });
  }

  /** One block has a number. */
  #number({ number, hash }) {
    const known = this.numbers.get(number);
    if (known && !same(known, hash)) malformed("another block has its number");
    this.numbers.set(number, hash);
  }

  addHeader(bytes) {
    const header = decodeExecutionHeader(bytes);
    this.#number(header);
    this.#put(this.headers, header.hash, { header });
  }

  addBlock(bytes) {
    const block = decodeBlock(bytes);
    this.#number(block.header);
    this.#put(this.blocks, block.header.hash, block);
  }

  addReceipts(list) {
    this.#put(this.receipts, listRoot(list), { list });
  }

  addNode(bytes) {
    this.#put(this.nodes, keccak256(bytes), { bytes });
  }

  addCode(bytes) {
    this.#put(this.codes, keccak256(bytes), { bytes });
  }

  /** Where a header stands: in its whole block, or alone. */
  #headerItem(hash) {
    const key = hash && digits(hash);
    return (key && (this.blocks.get(key) ?? this.headers.get(key))) || refuseGround("missing-header");
  }

  header(hash) {
    const item = this.#headerItem(hash);
    item.used = true;
    return item.header;
  }

  block(hash) {
    const item = (hash && this.blocks.get(digits(hash))) || refuseGround("missing-block");
    item.used = true;
    return item;
  }

  receiptsOf(hash) {
    const item = this.receipts.get(digits(this.#headerItem(hash).header.receiptsRoot)) ?? refuseGround("missing-receipts");
    item.used = true;
    return item.list;
  }

  /** The number of the block that has a transaction. */
  where(txHash) {
    for (const { header, transactions } of this.blocks.values())
      if (transactions.some((raw) => same(keccak256(raw), txHash))) return header.number;
    return refuseGround("missing-block");
  }

  #walk(root, name) {
    return walkTrie((hash) => this.nodes.get(digits(hash)) ?? refuseGround("missing-node"), root, keccak256(name));
  }

  /** An account under a state root, and the value of a slot of it if one is named. Nodes count as needed once both are there. */
  prove(stateRoot, address, slot) {
    const found = this.#walk(stateRoot, address);
    const account = accountOf(found.value);
    const inside = slot ? this.#walk(account?.storageRoot ?? EMPTY_TRIE, slot) : { path: [] };
    const value = slot && slotValue(inside.value);
    for (const node of [...found.path, ...inside.path]) node.used = true;
    return { account, value };
  }

  /** Marks all that hangs on a state root: what a run of its own might need. */
  reach(stateRoot) {
    const seen = new Set();
    const open = [{ child: { hash: stateRoot }, at: 0, storage: false }];
    for (let next; (next = open.pop()); ) {
      const { child, at, storage } = next;
      const key = child.hash && digits(child.hash);
      const entry = child.inside ? undefined : this.nodes.get(key);
      if (!child.inside && (!entry || seen.has(`${storage}${key}${at}`))) continue;
      if (entry) seen.add(`${storage}${key}${at}`);
      const node = nodeOf(child.inside ?? rlpOf(entry.bytes), at);
      if (entry) entry.used = true;
      for (const one of node.children ?? []) if (one) open.push({ child: one, at: at + 1, storage });
      if (node.child) open.push({ child: node.child, at: at + node.nibbles.length, storage });
      if (!node.value || storage) continue;
      const account = accountOf(node.value);
      open.push({ child: { hash: account.storageRoot }, at: 0, storage: true });
      const code = this.codes.get(digits(account.codeHash));
      if (code) code.used = true;
    }
  }

  /** Marks the 256 blocks before one, as far as they are there: BLOCKHASH reads them. */
  reachAncestors(header) {
    for (let hash = header.parentHash, n = 0; n < 256; n++) {
      const item = this.headers.get(digits(hash));
      if (!item) return;
      item.used = true;
      hash = item.header.parentHash;
    }
  }

  checkUnused() {
    const codes = { headers: "header", nodes: "node", codes: "code", blocks: "block", receipts: "receipts" };
    for (const [kind, word] of Object.entries(codes))
      for (const { used } of this[kind].values()) if (!used) refuseGround(`unused-${word}`);
  }

  /** All was used, and nothing is there twice: what is left is where it stands. */
  checkOrder() {
    const numbers = (map, code, name) => inOrder([...map.values()].map(({ header }) => header.number), code, name);
    numbers(this.headers, "bad-header", "headers");
    numbers(this.blocks, "bad-block", "blocks");
    inOrder([...this.receipts.keys()], "bad-receipts", "receipts");
  }
}

// ---- blocks of the past: linked by their parents' hashes, or by what the history contract says in a proven state

/** Where the newest of the blocks hangs: {top, hash}, or {top} where the contract must say it, or {top, jump: true} one window further. */
function locate(base, to) {
  if (to === base.number) return { top: to, hash: base.hash };
  if (base.number - 1n - to <= LINKED_MAX) return { top: base.number - 1n, hash: base.parentHash };
  if (base.number - to <= HISTORY_WINDOW) return { top: to };
  if (base.number - to > JUMPS_MAX * HISTORY_WINDOW) notRun("pruned history unavailable");
  return { top: base.number - HISTORY_WINDOW, jump: true };
}

/** The hash of a block as the contract in the state of a later one has it; undefined: it does not. */
function hashInHistory(stock, base, number) {
  const { value } = stock.prove(base.stateRoot, HISTORY, numberBytes(number % HISTORY_WINDOW, 32));
  return value ? numberBytes(value, 32) : undefined;
}

/** The base that is at most a window above the newest of the blocks, and where that hangs on it. */
function anchor(stock, head, from, to) {
  for (let base = head; ; ) {
    const at = locate(base, to);
    if (at.hash) return at;
    const hash = hashInHistory(stock, base, at.top);
    if (!at.jump && hash) return { ...at, hash, proven: true };
    if (!at.jump && base.number - 1n - from <= WALKED_MAX) return { top: base.number - 1n, hash: base.parentHash };
    const older = stock.numbers.get(at.top) ?? refuseGround("missing-header");
    if (!hash) notRun("pruned history unavailable");
    if (!same(older, hash)) refuseGround("missing-header");
    base = stock.header(hash);
  }
}

/** Fills in what is wanted of blocks, newest first; `named` has the hashes that were known before this round. */
function fetchRound(stock, blocks, named) {
  for (let i = blocks.length - 1; i >= 0; i--) {
    const b = blocks[i];
    const hash = b.header?.hash ?? blocks[i + 1]?.header.parentHash ?? named.topHash;
    const byHash = b.header !== undefined || (i === blocks.length - 1 && !named.proven);
    const lookup = byHash ? hash : stock.numbers.get(b.number);
    if (b.wantsBody && !b.body) {
      const body = stock.block(lookup);
      if (!same(body.header.hash, hash)) refuseGround("missing-block");
      if (!bodyHolds(body)) byHash ? notRun("another root of its body") : refuseGround("missing-block");
      Object.assign(b, { header: body.header, body });
    } else if (!b.header) {
      if (!lookup) refuseGround("missing-header");
      const header = stock.header(lookup);
      if (!same(header.hash, hash)) refuseGround("missing-header");
      b.header = header;
    }
    if (b.wantsReceipts && !b.receipts) b.receipts = decodeReceipts(stock.receiptsOf(b.header.hash), b.header);
  }
}

/**
 * The blocks from one number to another as ancestors of a head, each with what is wanted of it.
 * @param {function(object[]): void} plan  looks at them when all is there, and may want more
 */
function chainOf(stock, head, from, to, wants, plan = () => {}) {
  const { top, hash, proven } = anchor(stock, head, from, to);
  const blocks = [];
  for (let number = from; number <= top; number++) blocks.push({ number, ...(number <= to ? wants : {}) });
  const asked = blocks.slice(0, Number(to - from) + 1);
  const lacks = (b) => !b.header || (b.wantsBody && !b.body) || (b.wantsReceipts && !b.receipts);
  for (let named = { topHash: hash, proven }; ; named = { topHash: hash }) {
    if (blocks.some(lacks)) fetchRound(stock, blocks, named);
    plan(asked);
    if (!blocks.some(lacks)) return asked;
  }
}

/** The block of a hash as an ancestor of a head; undefined: it is none. */
function ancestorOf(stock, head, hash) {
  if (same(hash, head.hash)) return chainOf(stock, head, head.number, head.number, {})[0].header;
  if (allZero(hash)) return undefined;
  const { number } = stock.header(hash);
  if (number > head.number) return undefined;
  const [block] = chainOf(stock, head, number, number, {});
  return same(block.header.hash, hash) ? block.header : undefined;
}

// ---- logs

const OPTIONAL_HEX = (value, length) => {
  const bytes = bytesFrom(value);
  return bytes?.length === length ? bytes : malformed("not bytes of that length");
};

/** Criteria as eth_getLogs takes them. */
function readFilter(criteria) {
  const values = (value, length) => {
    const list = Array.isArray(value) ? value : [value];
    if (list.length > FILTER_VALUES_MAX) malformed("too many values");
    return list.map((one) => (one === null ? null : OPTIONAL_HEX(one, length)));
  };
  const topics = criteria.get("topics") ?? [];
  const addresses = criteria.get("address") ?? [];
  if (!Array.isArray(topics) || topics.length > FILTER_TOPICS) malformed("no list of topics");
  const places = topics.map((place) => (place === null ? [] : values(place, 32)));
  const filter = { addresses: values(addresses, 20), topics: places.map((some) => (some.includes(null) ? [] : some)) };
  return filter.addresses.includes(null) ? malformed("null is no address") : filter;
}

function mayFind({ addresses, topics }, bloom) {
  if (addresses.length ? !addresses.some((one) => bloomHas(bloom, one)) : allZero(bloom)) return false;
  return topics.every((some) => !some.length || some.some((one) => bloomHas(bloom, one)));
}

function finds({ addresses, topics }, log) {
  if (log.topics.length < topics.length || (addresses.length && !addresses.some((one) => same(one, log.address)))) return false;
  return topics.every((some, i) => !some.length || some.some((one) => same(one, log.topics[i])));
}

/** What has to be there of blocks: receipts where the bloom may have it, then transactions where a log was found. */
function logsPlan(filter) {
  return (blocks) => {
    const may = blocks.filter(({ header }) => mayFind(filter, header.logsBloom));
    if (may.length > LOGS_RECEIPTS_MAX) notRun("more blocks than a filter may have");
    const missing = may.filter((b) => !b.receipts).length;
    let count = 0;
    for (const b of may) {
      const found = (b.receipts ?? []).flatMap(({ logs }) => logs).filter((log) => finds(filter, log)).length;
      if (found || (missing && missing <= TOGETHER_MAX && !b.receipts)) b.wantsBody = true;
      b.wantsReceipts = true;
      count += found;
      if (count > LOGS_MAX) notRun("more logs than a filter may find");
    }
  };
}

/** All logs of a filter from a number to the block at the end, as eth_getLogs lists them. */
function logsOf(stock, head, from, to, filter) {
  if (from > to || to > head.number) notRun("a range that is none");
  if (to - from >= HISTORY_MAX) notRun("a range of too many blocks");
  const out = [];
  for (const b of chainOf(stock, head, from, to, {}, logsPlan(filter))) {
    let index = 0;
    if (!mayFind(filter, b.header.logsBloom)) continue;
    for (const [i, { logs }] of b.receipts.entries())
      for (const log of logs) {
        const logIndex = index++;
        if (!finds(filter, log)) continue;
        const raw = b.body.transactions[i] ?? notRun("a block has more receipts than transactions");
        out.push(logObject(log, b.header, keccak256(raw), i, logIndex));
      }
  }
  return out;
}

// ---- receipts

/** The receipt of a transaction, and the header of its block. */
function receiptOf(net, stock, head, txHash) {
  const number = stock.where(txHash);
  if (number > head.number) notRun("the block is younger than the head");
  const [b] = chainOf(stock, head, number, number, { wantsBody: true, wantsReceipts: true });
  const i = b.body.transactions.findIndex((raw) => same(keccak256(raw), txHash));
  if (i < 0) notRun("the transaction is not in the block");
  if (b.receipts.length !== b.body.transactions.length) notRun("another number of receipts than of transactions");
  return { header: b.header, receipt: receiptObject(net, b.body, b.receipts, i) };
}
