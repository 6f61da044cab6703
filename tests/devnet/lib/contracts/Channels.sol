// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.20;

// Payment channels as trusted pods' contract keeps them, without a token: what a provider has proven.
contract Channels {
    struct Channel {
        uint256 investedByPublisher;
        uint256 withdrawnByProvider;
        uint256 unlockTime;
        uint256 unlockedAt;
    }

    mapping(address => mapping(address => mapping(bytes32 => Channel))) public channels;

    function createChannel(address provider, bytes32 podId, uint256 unlockTime, uint256 amount) external {
        channels[msg.sender][provider][podId] = Channel(amount, 0, unlockTime, 0);
    }

    function unlock(address provider, bytes32 podId) external {
        Channel storage c = channels[msg.sender][provider][podId];
        c.unlockedAt = block.timestamp + c.unlockTime;
    }

    function withdraw(address publisher, bytes32 podId, uint256 amount) external {
        channels[publisher][msg.sender][podId].withdrawnByProvider += amount;
    }
}
