// The libraries of this folder, for tests elsewhere (tests/e2e) that resolve none of their own.
export * as ethers from "ethers";
export * as viem from "viem";
