// Random numbers that depend on a seed and a case's number only, so that each case can be made again by itself.

const MASK64 = (1n << 64n) - 1n;

function splitmix(state) {
  let z = (state + 0x9e3779b97f4a7c15n) & MASK64;
  z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & MASK64;
  z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & MASK64;
  return z ^ (z >> 31n);
}

export class Random {
  constructor(seed, stream) {
    const a = splitmix(BigInt(seed));
    const b = splitmix(a ^ splitmix(BigInt(stream)));
    const c = splitmix(b);
    this.s = [Number(b & 0xffffffffn) | 1, Number(b >> 32n), Number(c & 0xffffffffn), Number(c >> 32n)];
  }
  next() { // xorshift128, 32 bits
    const s = this.s;
    let t = s[3];
    t ^= t << 11;
    t ^= t >>> 8;
    s[3] = s[2]; s[2] = s[1]; s[1] = s[0];
    t ^= s[0];
    t ^= s[0] >>> 19;
    s[0] = t;
    return t >>> 0;
  }
  below(n) { return Math.floor((this.next() / 4294967296) * n); }
  between(a, b) { return a + this.below(b - a + 1); }
  chance(p) { return this.next() / 4294967296 < p; }
  pick(list) { return list[this.below(list.length)]; }
  weighted(pairs) { // [[weight, item], ...]
    let at = this.below(pairs.reduce((sum, [w]) => sum + w, 0));
    for (const [w, item] of pairs) if ((at -= w) < 0) return item;
    throw new Error('weights');
  }
  bytes(n) { return Uint8Array.from({ length: n }, () => this.next() >>> 24); }
}
