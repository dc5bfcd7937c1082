//! Roles that `Authority` grants to contracts: keccak-256 of the role's name.

use alloy::primitives::{B256, b256};

/// May open, commit and close budgets in `Escrow`.
pub const CONTROLLER: B256 = b256!("0x70546d1c92f8c2132ae23a23f5177aa8526356051c7510df99f50e012d221529");
/// May slash in `Stakes`.
pub const SLASHER: B256 = b256!("0xb6dc46af6200c64c5055754ce63390e8c046183fef4ecfdb465ca1ed5c9c403f");
/// May write in `Reputation`.
pub const RECORDER: B256 = b256!("0x8ba9fc3edd40709d91d37844c33f6ee0983c31be70c1d14fb5b1caaedc185efb");

#[cfg(test)]
mod tests {
    use alloy::primitives::keccak256;

    use super::*;

    #[test]
    fn roles_are_hashes_of_their_names() {
        assert_eq!(CONTROLLER, keccak256("CONTROLLER"));
        assert_eq!(SLASHER, keccak256("SLASHER"));
        assert_eq!(RECORDER, keccak256("RECORDER"));
    }
}
