// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

/// @title Checks the signature chain of dstack's GetKey: KMS root -> app key -> derived key
/// @notice The app key signs keccak-256 of "<purpose>:" and the hex of the derived key, the KMS root signs keccak-256 of
///         "dstack-kms-issued:", the app's id and the app key; keys are compressed, hashes are raw. The chain has no time and no
///         nonce: whoever saw it can show it again, so it is of use only together with who sends it.
library DstackChain {
    uint256 private constant HALF_ORDER = 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0;
    uint256 private constant FIELD = 0xfffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f;
    bytes16 private constant DIGITS = "0123456789abcdef";

    /// @notice A key is not 64 bytes x and y, or not 33 bytes of a point of the curve.
    error BadKey();
    /// @notice Not 65 bytes r, s, v with v 0, 1, 27 or 28 and s in the lower half.
    error BadSignature();
    /// @notice Somebody else signed the derived key than the app key.
    /// @param signer who signed
    error WrongAppKey(address signer);
    /// @notice Somebody else signed the app key for this app than the KMS.
    /// @param signer who signed
    error WrongKmsRoot(address signer);

    /// @notice Reverts unless the chain leads from the KMS root to the derived key.
    /// @param root address of the KMS root key, not zero
    /// @param appId the app's id
    /// @param purpose what the derived key was asked for
    /// @param derived the derived key, compressed
    /// @param app the app key, compressed
    /// @param appAddress the address of the same app key
    /// @param appSig by the app key over purpose and derived key
    /// @param kmsSig by the KMS root over the app's id and the app key
    function check(
        address root,
        bytes20 appId,
        bytes memory purpose,
        bytes memory derived,
        bytes memory app,
        address appAddress,
        bytes calldata appSig,
        bytes calldata kmsSig
    ) internal pure {
        address signer = recover(keccak256(abi.encodePacked(purpose, ":", hexOf(derived))), appSig);
        require(signer == appAddress, WrongAppKey(signer));
        signer = recover(keccak256(abi.encodePacked("dstack-kms-issued:", appId, app)), kmsSig);
        require(signer == root, WrongKmsRoot(signer));
    }

    /// @notice Who signed a hash.
    /// @param hash what was signed
    /// @param sig 65 bytes r, s, v
    /// @return signer its address, never zero
    function recover(bytes32 hash, bytes calldata sig) internal pure returns (address signer) {
        require(sig.length == 65, BadSignature());
        uint8 v = uint8(sig[64]);
        if (v < 27) v += 27;
        require((v == 27 || v == 28) && uint256(bytes32(sig[32:64])) <= HALF_ORDER, BadSignature());
        signer = ecrecover(hash, v, bytes32(sig[:32]), bytes32(sig[32:64]));
        require(signer != address(0), BadSignature());
    }

    /// @notice The compressed form of a key.
    /// @param xy the point, 64 bytes
    /// @return 33 bytes
    function compress(bytes calldata xy) internal pure returns (bytes memory) {
        require(xy.length == 64, BadKey());
        return abi.encodePacked(uint8(xy[63]) & 1 == 0 ? bytes1(0x02) : bytes1(0x03), xy[:32]);
    }

    /// @notice The address of a key.
    /// @param xy the point, 64 bytes
    /// @return its address
    function addressOf(bytes calldata xy) internal pure returns (address) {
        require(xy.length == 64, BadKey());
        return address(uint160(uint256(keccak256(xy))));
    }

    /// @notice The address of a compressed key.
    /// @param key 33 bytes
    /// @return its address
    function addressOfCompressed(bytes calldata key) internal view returns (address) {
        require(key.length == 33 && (key[0] == 0x02 || key[0] == 0x03), BadKey());
        uint256 x = uint256(bytes32(key[1:33]));
        require(x < FIELD, BadKey());
        uint256 square = addmod(mulmod(mulmod(x, x, FIELD), x, FIELD), 7, FIELD);
        (bool ok, bytes memory root) =
            address(0x05).staticcall(abi.encode(32, 32, 32, square, (FIELD + 1) / 4, FIELD));
        require(ok && root.length == 32, BadKey());
        uint256 y = uint256(bytes32(root));
        require(mulmod(y, y, FIELD) == square, BadKey());
        if (y & 1 != uint8(key[0]) & 1) y = FIELD - y;
        return address(uint160(uint256(keccak256(abi.encode(x, y)))));
    }

    /// @notice Bytes as lower-case hex without 0x.
    /// @param data the bytes
    /// @return text twice as long
    function hexOf(bytes memory data) internal pure returns (bytes memory text) {
        text = new bytes(2 * data.length);
        for (uint256 i = 0; i < data.length; i++) {
            text[2 * i] = DIGITS[uint8(data[i]) >> 4];
            text[2 * i + 1] = DIGITS[uint8(data[i]) & 15];
        }
    }
}
