// The libraries that wallets and dapps are made of, unmodified; see packages.
export { createPublicClient, createWalletClient, defineChain, http, webSocket, BaseError, ContractFunctionRevertedError } from "viem";
export { privateKeyToAccount } from "viem/accounts";
export { default as Web3 } from "web3";
