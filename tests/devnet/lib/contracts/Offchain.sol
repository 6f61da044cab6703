// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// A price that a gateway tells (EIP-3668), and what was asked for added to it.
contract Offchain {
    string[] urls;
    error OffchainLookup(address sender, string[] urls, bytes callData, bytes4 callbackFunction, bytes extraData);

    constructor(string memory url) { urls.push(url); }
    function price(uint256 n) external view returns (uint256) { revert OffchainLookup(address(this), urls, abi.encode(n), this.priceWith.selector, abi.encode(n)); }
    function priceWith(bytes calldata response, bytes calldata extra) external pure returns (uint256) { return abi.decode(response, (uint256)) + abi.decode(extra, (uint256)); }
}
