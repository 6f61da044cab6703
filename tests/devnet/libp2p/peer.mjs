// js-libp2p nodes on loopback, with identify and ping; see packages.
import { circuitRelayServer, circuitRelayTransport } from "@libp2p/circuit-relay-v2";
import { generateKeyPair } from "@libp2p/crypto/keys";
import { identify } from "@libp2p/identify";
import { kadDHT, passthroughMapper } from "@libp2p/kad-dht";
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

// The same over TCP, as a relay, or as one that can be reached through the relays at these addresses.
export async function startRelayed({ relay = false, through = [] }) {
  return createLibp2p({
    privateKey: await generateKeyPair("Ed25519"),
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0", ...through.map((at) => `${at}/p2p-circuit`)] },
    transports: [tcp(), circuitRelayTransport()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: { identify: identify(), ping: ping(), ...(relay ? { relay: circuitRelayServer() } : {}) },
  });
}

// The same over TCP, as a server of the Kademlia table, or as one that answers its questions by itself.
export async function startTable(answers) {
  const peer = await createLibp2p({
    privateKey: await generateKeyPair("Ed25519"),
    addresses: { listen: ["/ip4/127.0.0.1/tcp/0"] },
    transports: [tcp()],
    connectionEncrypters: [noise()],
    streamMuxers: [yamux()],
    services: {
      identify: identify(),
      ping: ping(),
      ...(answers ? {} : { dht: kadDHT({ protocol: "/ipfs/kad/1.0.0", clientMode: false, peerInfoMapper: passthroughMapper }) }),
    },
  });
  if (answers) await peer.handle("/ipfs/kad/1.0.0", ({ stream }) => stream.sink([answers()]));
  return peer;
}

export const address = (text) => multiaddr(text);
