// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IKettleSigners} from "./IKettleSigners.sol";

/// @notice A block of the chain that a statement is about.
/// @param number the block's number
/// @param hash the block's hash
/// @param stateRoot the root of its state
/// @param timestamp the block's time, seconds since 1970
/// @param slot the beacon slot of the block
/// @param finality 0 optimistic ("latest"), 1 justified ("safe"), 2 finalized
/// @param signers how many members of the sync committee signed the aggregate that it rests on
struct Block {
    uint64 number;
    bytes32 hash;
    bytes32 stateRoot;
    uint64 timestamp;
    uint64 slot;
    uint8 finality;
    uint16 signers;
}

/// @notice What was asked: a message call against the state of a block.
/// @param from the sender, zero when none was given
/// @param to the callee
/// @param value wei sent with it
/// @param gas the gas limit that was asked for, zero when none was
/// @param data the input
/// @param overrides zero, or keccak-256 of the canonical JSON of state and block overrides
struct Call {
    address from;
    address to;
    uint256 value;
    uint64 gas;
    bytes data;
    bytes32 overrides;
}

/// @notice What a call gave, as a node signs it.
/// @param at the block in whose state the call ran
/// @param call what was asked
/// @param status 1 success, 0 revert, 2 halt
/// @param result what it returned, with status 0 the revert data, with status 2 nothing
/// @param issuedAt the slot time of the head on which the answer rests
/// @param validUntil until when the signature is to be relied upon
/// @param setup SHA-256 of the cluster statement of the node that signed
struct CallStatement {
    Block at;
    Call call;
    uint8 status;
    bytes result;
    uint64 issuedAt;
    uint64 validUntil;
    bytes32 setup;
}

/// @title Checks what Kettle nodes say about calls on another chain
/// @notice A call statement is accepted when a key signed it that `signers` accepts together with the statement's setup, it is about
///         the chain and the call that the caller names, it has not expired, and the call succeeded. Two entry points, so that neither
///         rule is forgotten: verifyFresh for "now", verifyAt for one block. Each has a twin for calls that may have failed.
///         Nothing is stored: whoever needs that an older block never replaces a newer one keeps the last number itself.
contract KettleVerifier {
    /// @notice Which signers are accepted under which setup.
    IKettleSigners public immutable signers;

    /// @notice keccak-256 of the type string of Block.
    bytes32 public constant BLOCK_TYPEHASH = keccak256(
        "Block(uint64 number,bytes32 hash,bytes32 stateRoot,uint64 timestamp,uint64 slot,uint8 finality,uint16 signers)"
    );
    /// @notice keccak-256 of the type string of Call.
    bytes32 public constant CALL_TYPEHASH =
        keccak256("Call(address from,address to,uint256 value,uint64 gas,bytes data,bytes32 overrides)");
    /// @notice keccak-256 of the type string of CallStatement, with the types that it uses.
    bytes32 public constant CALL_STATEMENT_TYPEHASH = keccak256(
        "CallStatement(Block at,Call call,uint8 status,bytes result,uint64 issuedAt,uint64 validUntil,bytes32 setup)"
        "Block(uint64 number,bytes32 hash,bytes32 stateRoot,uint64 timestamp,uint64 slot,uint8 finality,uint16 signers)"
        "Call(address from,address to,uint256 value,uint64 gas,bytes data,bytes32 overrides)"
    );
    bytes32 private constant DOMAIN_TYPEHASH = keccak256("EIP712Domain(string name,string version,uint256 chainId)");
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;

    /// @notice Not 65 bytes r, s, v with v 27 or 28 and s in the lower half, or no key gives this signature.
    error BadSignature();
    /// @notice The registry does not accept this signer under this setup: whatever of the statement was altered, or the chain
    ///         is another one, shows as another signer.
    /// @param signer who signed, if the statement is unaltered
    /// @param setup the statement's setup
    error NotAccepted(address signer, bytes32 setup);
    /// @notice The statement is about another call.
    /// @param callHash hashStruct of its call
    error WrongCall(bytes32 callHash);
    /// @notice The statement is about another block.
    /// @param number its block
    error WrongBlock(uint64 number);
    /// @notice The signature is no longer to be relied upon.
    /// @param validUntil until when it was
    error Expired(uint64 validUntil);
    /// @notice The block is older than demanded.
    /// @param timestamp its time
    error TooOld(uint64 timestamp);
    /// @notice The block's time is further ahead of this chain's than maxAge.
    /// @param timestamp its time
    error FromTheFuture(uint64 timestamp);
    /// @notice The call did not succeed, or the statement has a status that no statement has.
    /// @param status the statement's status
    error Failed(uint8 status);

    /// @param registry answers which signers are accepted
    constructor(IKettleSigners registry) {
        signers = registry;
    }

    /// @notice Reverts unless the statement says what a call returned on a block at most maxAge seconds from block.timestamp.
    /// @param statement what a node said
    /// @param signature its 65 bytes r, s, v
    /// @param chainId the chain that it must be about (not this one)
    /// @param callHash hashCall of the call that was asked
    /// @param maxAge seconds: 120 suits "latest", 1500 finalized blocks
    /// @return signer who signed
    function verifyFresh(
        CallStatement calldata statement,
        bytes calldata signature,
        uint256 chainId,
        bytes32 callHash,
        uint64 maxAge
    ) external view returns (address signer) {
        require(statement.status == 1, Failed(statement.status));
        return _verifyFresh(statement, signature, chainId, callHash, maxAge);
    }

    /// @notice As verifyFresh, and accepts calls that reverted or halted too: the caller looks at statement.status.
    /// @param statement what a node said
    /// @param signature its 65 bytes r, s, v
    /// @param chainId the chain that it must be about (not this one)
    /// @param callHash hashCall of the call that was asked
    /// @param maxAge seconds: 120 suits "latest", 1500 finalized blocks
    /// @return signer who signed
    function verifyFreshAnyStatus(
        CallStatement calldata statement,
        bytes calldata signature,
        uint256 chainId,
        bytes32 callHash,
        uint64 maxAge
    ) external view returns (address signer) {
        require(statement.status <= 2, Failed(statement.status));
        return _verifyFresh(statement, signature, chainId, callHash, maxAge);
    }

    /// @notice Reverts unless the statement says what a call returned on the block of that number.
    /// @param statement what a node said
    /// @param signature its 65 bytes r, s, v
    /// @param chainId the chain that it must be about (not this one)
    /// @param callHash hashCall of the call that was asked
    /// @param number the block that it must be about; demand statement.at.finality too where a reorganisation would hurt
    /// @return signer who signed
    function verifyAt(
        CallStatement calldata statement,
        bytes calldata signature,
        uint256 chainId,
        bytes32 callHash,
        uint64 number
    ) external view returns (address signer) {
        require(statement.status == 1, Failed(statement.status));
        return _verifyAt(statement, signature, chainId, callHash, number);
    }

    /// @notice As verifyAt, and accepts calls that reverted or halted too: the caller looks at statement.status.
    /// @param statement what a node said
    /// @param signature its 65 bytes r, s, v
    /// @param chainId the chain that it must be about (not this one)
    /// @param callHash hashCall of the call that was asked
    /// @param number the block that it must be about; demand statement.at.finality too where a reorganisation would hurt
    /// @return signer who signed
    function verifyAtAnyStatus(
        CallStatement calldata statement,
        bytes calldata signature,
        uint256 chainId,
        bytes32 callHash,
        uint64 number
    ) external view returns (address signer) {
        require(statement.status <= 2, Failed(statement.status));
        return _verifyAt(statement, signature, chainId, callHash, number);
    }

    /// @notice hashStruct of a call: what the entry points are given as callHash.
    /// @param call what is asked
    /// @return its EIP-712 hash
    function hashCall(Call calldata call) external pure returns (bytes32) {
        return _hashCall(call);
    }

    /// @notice The EIP-712 digest that is signed.
    /// @param statement what a node says
    /// @param chainId the chain that it is about
    /// @return the digest
    function digest(CallStatement calldata statement, uint256 chainId) external pure returns (bytes32) {
        return _digest(statement, chainId, _hashCall(statement.call));
    }

    function _verifyFresh(
        CallStatement calldata statement,
        bytes calldata signature,
        uint256 chainId,
        bytes32 callHash,
        uint64 maxAge
    ) private view returns (address) {
        uint256 time = statement.at.timestamp; // as 256 bits: no sum below overflows
        require(time + maxAge >= block.timestamp, TooOld(statement.at.timestamp));
        require(time <= block.timestamp + maxAge, FromTheFuture(statement.at.timestamp));
        return _verify(statement, signature, chainId, callHash);
    }

    function _verifyAt(
        CallStatement calldata statement,
        bytes calldata signature,
        uint256 chainId,
        bytes32 callHash,
        uint64 number
    ) private view returns (address) {
        require(statement.at.number == number, WrongBlock(statement.at.number));
        return _verify(statement, signature, chainId, callHash);
    }

    function _verify(CallStatement calldata statement, bytes calldata signature, uint256 chainId, bytes32 callHash)
        private
        view
        returns (address signer)
    {
        require(block.timestamp <= statement.validUntil, Expired(statement.validUntil));
        bytes32 said = _hashCall(statement.call);
        require(said == callHash, WrongCall(said));
        signer = _recover(_digest(statement, chainId, said), signature);
        require(signers.accepts(signer, statement.setup), NotAccepted(signer, statement.setup));
    }

    function _recover(bytes32 hash, bytes calldata signature) private pure returns (address signer) {
        require(signature.length == 65, BadSignature());
        uint8 v = uint8(signature[64]);
        bytes32 s = bytes32(signature[32:64]);
        require((v == 27 || v == 28) && uint256(s) <= HALF_ORDER, BadSignature());
        signer = ecrecover(hash, v, bytes32(signature[:32]), s);
        require(signer != address(0), BadSignature());
    }

    function _hashCall(Call calldata call) private pure returns (bytes32) {
        return keccak256(
            abi.encode(CALL_TYPEHASH, call.from, call.to, call.value, call.gas, keccak256(call.data), call.overrides)
        );
    }

    function _digest(CallStatement calldata statement, uint256 chainId, bytes32 callHash) private pure returns (bytes32) {
        bytes32 domain = keccak256(abi.encode(DOMAIN_TYPEHASH, keccak256("Kettle"), keccak256("1"), chainId));
        bytes32 said = keccak256(
            abi.encode(
                CALL_STATEMENT_TYPEHASH,
                keccak256(abi.encode(BLOCK_TYPEHASH, statement.at)),
                callHash,
                statement.status,
                keccak256(statement.result),
                statement.issuedAt,
                statement.validUntil,
                statement.setup
            )
        );
        return keccak256(abi.encodePacked(hex"1901", domain, said));
    }
}
