// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// Heads of append-only logs, as their publisher has committed to them. A head can only be followed by a larger one, so
/// nothing that was anchored can be replaced.
contract CheckpointAnchor {
    struct Head {
        uint64 size;
        uint64 blockNumber;
        bytes32 root;
    }

    /// The only account that may anchor: otherwise anybody could end a log with a size that it never reaches.
    address public immutable publisher;

    mapping(bytes32 originHash => Head) private heads;

    event Anchored(bytes32 indexed originHash, uint64 indexed size, bytes32 root);

    error NotThePublisher();
    error SizeMustGrow(uint64 last, uint64 size);

    constructor(address publisher_) {
        publisher = publisher_;
    }

    /// @param originHash SHA-256 of the log's origin line
    /// @param size number of leaves
    /// @param root RFC 6962 root of the tree of that size
    function anchor(bytes32 originHash, uint64 size, bytes32 root) external {
        if (msg.sender != publisher) revert NotThePublisher();
        Head storage head = heads[originHash];
        if (size <= head.size) revert SizeMustGrow(head.size, size);
        head.size = size;
        head.blockNumber = uint64(block.number);
        head.root = root;
        emit Anchored(originHash, size, root);
    }

    /// The newest head of a log and the block that holds it; zeros before the first.
    function last(bytes32 originHash) external view returns (uint64 size, uint64 blockNumber, bytes32 root) {
        Head storage head = heads[originHash];
        return (head.size, head.blockNumber, head.root);
    }
}
