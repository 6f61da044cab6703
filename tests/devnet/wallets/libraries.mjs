// The libraries that wallets and dapps are made of, unmodified; see packages.
export { createPublicClient, createWalletClient, defineChain, http, webSocket, BaseError, ContractFunctionRevertedError } from "viem";
export { privateKeyToAccount } from "viem/accounts";
export { default as Web3 } from "web3";

// An older major version of each.
export { createPublicClient as createPublicClient1, http as http1, webSocket as webSocket1, ContractFunctionRevertedError as ContractFunctionRevertedError1 } from "viem1";
export { ethers as ethers5 } from "ethers5";
export { default as Web31 } from "web31";
