// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IKettleSigners} from "./IKettleSigners.sol";

/// @title Accepted pairs of signer and setup, kept by an owner
/// @notice The owner (best a multisig) checks a node's quote outside the chain, once, and adds the pair that the quote binds.
contract KettleSigners is IKettleSigners {
    /// @notice Who may set pairs.
    address public owner;
    /// @notice Who has been offered the ownership and may take it, or zero.
    address public pendingOwner;
    /// @inheritdoc IKettleSigners
    mapping(address signer => mapping(bytes32 setup => bool)) public override accepts;

    /// @notice A pair was accepted, or is no longer.
    /// @param signer the address of the key
    /// @param setup SHA-256 of its cluster statement
    /// @param accepted what holds from now on
    event PairSet(address indexed signer, bytes32 indexed setup, bool accepted);
    /// @notice The ownership was offered.
    /// @param to who may take it
    event OwnershipOffered(address indexed to);
    /// @notice The ownership changed.
    /// @param from the owner until now
    /// @param to the owner from now on
    event OwnershipTaken(address indexed from, address indexed to);

    /// @notice The caller is not the one who may do this.
    /// @param caller who called
    error NotAllowed(address caller);
    /// @notice No key has the address zero: ecrecover gives it for a bad signature.
    error ZeroSigner();

    /// @param firstOwner who may set pairs at first
    constructor(address firstOwner) {
        owner = firstOwner;
        emit OwnershipTaken(address(0), firstOwner);
    }

    /// @notice Accepts a pair, or stops accepting it.
    /// @param signer the address of the key, not zero
    /// @param setup SHA-256 of its cluster statement
    /// @param accepted what holds from now on
    function setPair(address signer, bytes32 setup, bool accepted) external {
        require(msg.sender == owner, NotAllowed(msg.sender));
        require(signer != address(0), ZeroSigner());
        accepts[signer][setup] = accepted;
        emit PairSet(signer, setup, accepted);
    }

    /// @notice Offers the ownership; it changes when the other takes it.
    /// @param to who may take it; zero withdraws an offer
    function offerOwnership(address to) external {
        require(msg.sender == owner, NotAllowed(msg.sender));
        pendingOwner = to;
        emit OwnershipOffered(to);
    }

    /// @notice Takes the ownership that was offered to the caller.
    function takeOwnership() external {
        require(msg.sender == pendingOwner, NotAllowed(msg.sender));
        emit OwnershipTaken(owner, msg.sender);
        owner = msg.sender;
        pendingOwner = address(0);
    }
}
