// SPDX-License-Identifier: MIT
pragma solidity 0.8.30;

/// @title Draw: which seats take part in a round.
/// @notice Selection sampling (Knuth, The Art of Computer Programming 2, section 3.4.2, algorithm S): seats are looked at in order, and
/// each is taken with the probability that the rest of the places has among the rest of the seats. Every set of `count` seats is
/// as likely as any other, up to 2^-56. The same draw exists in Rust and in tools/make_vectors.py.
library Draw {
    /// @dev Numbers in one hash.
    uint256 private constant NUMBERS = 4;

    /// @dev `count` of `seats`, by bit: at most 256, and no more are drawn than there are.
    function drawn(uint64 seed, uint16 round, uint16 seats, uint16 count) internal pure returns (uint256 bits) {
        uint256 numbers;
        // Unchecked: when as many places are left as seats, every seat is taken, so that `count` is 0 before `seat` is `seats`; a
        // product of 64 and 16 bits fits 256.
        unchecked {
            for (uint256 seat = 0; count != 0; ++seat) {
                if (seat % NUMBERS == 0) {
                    numbers = uint256(keccak256(abi.encodePacked(seed, round, uint16(seat / NUMBERS))));
                }
                if ((uint64(numbers) * (seats - seat)) >> 64 < count) {
                    bits |= 1 << seat;
                    --count;
                }
                numbers >>= 64;
            }
        }
    }

    /// @dev Number of seats in a draw.
    function size(uint256 bits) internal pure returns (uint16 count) {
        unchecked {
            for (; bits != 0; bits &= bits - 1) {
                ++count;
            }
        }
    }
}
