// A js-libp2p node on loopback, over QUIC and TCP, with identify and ping; see packages.
import { generateKeyPair } from "@libp2p/crypto/keys";
import { identify } from "@libp2p/identify";
import { ping } from "@libp2p/ping";
import { tcp } from "@libp2p/tcp";
import { multiaddr } from "@multiformats/multiaddr";
import { noise } from "@chainsafe/libp2p-noise";
import { quic } from "@chainsafe/libp2p-quic";
import { yamux } from "@chainsafe/libp2p-yamux";
import { createLibp2p } from "libp2p";

// Node 20 has no such function yet.
Promise.withResolvers ??= function () {
  let resolve, reject;
  const promise = new this((ok, no) => ([resolve, reject] = [ok, no]));
  return { promise, resolve, reject };
};

// key: "Ed25519" or "secp256k1".
export async function startPeer(key) {
  return createLibp2p({
    privateKey: await generateKeyPair(key),
    addresses: { listen: ["/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0"] },
    transports: [quic(), tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), ping: ping() },
  });
}

export const address = (text) => multiaddr(text);
