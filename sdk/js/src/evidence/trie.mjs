// ---- Merkle-Patricia tries: walks along known nodes, and roots of lists; lightclient/mpt has the same

const EMPTY_TRIE = fromHex("0x56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421");
const EMPTY_CODE = fromHex("0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470");
const PATH_NODES_MAX = 65;
const NIBBLES = 64;

const nibblesOf = (bytes) => [...bytes].flatMap((byte) => [byte >> 4, byte & 15]);

/** The nibbles of a hex-prefix form, and whether they are a leaf's. */
function pathOf(item) {
  const bytes = rlpString(item);
  if (!bytes.length || bytes[0] >= 0x40 || (!(bytes[0] & 0x10) && bytes[0] & 15)) malformed("no hex-prefix form");
  return { leaf: (bytes[0] & 0x20) !== 0, nibbles: nibblesOf(bytes).slice(bytes[0] & 0x10 ? 1 : 2) };
}

/** A child: undefined, its hash, or the item of a node that stands inside its parent. */
function childOf(item) {
  if (item.list) return item.whole.length < 32 ? { inside: item } : malformed("a long node inside another");
  if (item.payload.length === 0) return undefined;
  return item.payload.length === 32 ? { hash: item.payload } : malformed("no reference");
}

/** A node to which `at` nibbles lead: a branch's children, or a path with a value or a child. */
function nodeOf(item, at) {
  const items = rlpList(item, 17);
  if (items.length === 17) {
    const children = items.slice(0, 16).map(childOf);
    if (items[16].list || items[16].payload.length || at >= NIBBLES || children.filter(Boolean).length < 2) malformed("no branch");
    return { children };
  }
  if (items.length !== 2) malformed("no node");
  const { leaf, nibbles } = pathOf(items[0]);
  if (!leaf) {
    const child = childOf(items[1]);
    if (!nibbles.length || at + nibbles.length >= NIBBLES || !child) malformed("no extension");
    return { nibbles, child };
  }
  if (at + nibbles.length !== NIBBLES || !rlpString(items[1]).length) malformed("no leaf");
  return { nibbles, value: items[1].payload };
}

/**
 * Follows a key of 32 bytes from a root: {value, path}, value undefined where it is not there, path the nodes with hashes that were passed.
 * @param {function(Uint8Array): {bytes: Uint8Array}} find  the node of a hash; does not come back when it is not known
 */
function walkTrie(find, root, key) {
  const path = [];
  const nibbles = nibblesOf(key);
  const read = (child, at) => {
    if (child.inside) return nodeOf(child.inside, at);
    const entry = find(child.hash);
    if (path.length === PATH_NODES_MAX || (path.length && entry.bytes.length < 32)) malformed("a node that should stand inside another");
    path.push(entry);
    return nodeOf(rlpOf(entry.bytes), at);
  };
  if (same(root, EMPTY_TRIE)) return { path };
  let node = read({ hash: root }, 0);
  for (let at = 0; ; ) {
    if (node.children) {
      const child = node.children[nibbles[at++]];
      if (!child) return { path };
      node = read(child, at);
      continue;
    }
    if (!node.nibbles.every((nibble, i) => nibble === nibbles[at + i])) return { path };
    if (node.value) return { path, value: node.value };
    at += node.nibbles.length;
    node = read(node.child, at);
    if (!node.children) malformed("two paths in a row");
  }
}

/** An account as the state has it; undefined: it is not there. */
function accountOf(value) {
  if (!value) return undefined;
  const [nonce, balance, storageRoot, codeHash, ...more] = rlpList(rlpOf(value), 4);
  if (!codeHash || more.length) malformed("no account");
  return {
    nonce: rlpNumber(nonce, 8),
    balance: rlpNumber(balance, 32),
    storageRoot: rlpFixed(storageRoot, 32),
    codeHash: rlpFixed(codeHash, 32),
  };
}

const slotValue = (value) => (value ? rlpNumber(rlpOf(value), 32) : 0n);

// ---- roots of lists: the trie whose keys are the indices

function hexPrefix(nibbles, leaf) {
  const odd = nibbles.length % 2;
  const all = [(leaf ? 2 : 0) + odd, ...(odd ? [] : [0]), ...nibbles];
  return Uint8Array.from({ length: all.length / 2 }, (_, i) => 16 * all[2 * i] + all[2 * i + 1]);
}

const referTo = (node) => (node.length < 32 ? node : putBytes(keccak256(node)));

/** The node below which pairs with the same first `at` nibbles stand; no key is another one's beginning. */
function buildNode(pairs, at) {
  if (pairs.length === 1) return putList(putBytes(hexPrefix(pairs[0].nibbles.slice(at), true)), putBytes(pairs[0].value));
  const [first] = pairs;
  let end = at;
  while (pairs.every(({ nibbles }) => nibbles[end] === first.nibbles[end])) end++;
  const below = Array.from({ length: 16 }, (_, nibble) => pairs.filter(({ nibbles }) => nibbles[end] === nibble));
  const children = below.map((some) => (some.length ? referTo(buildNode(some, end + 1)) : Uint8Array.of(0x80)));
  const branch = putList(...children, Uint8Array.of(0x80));
  return end === at ? branch : putList(putBytes(hexPrefix(first.nibbles.slice(at, end), false)), referTo(branch));
}

function listRoot(values) {
  if (!values.length) return EMPTY_TRIE;
  return keccak256(buildNode(values.map((value, i) => ({ nibbles: nibblesOf(putNumber(BigInt(i))), value })), 0));
}
