//! CIDs that Kubo computed, for sizes around every edge of the profile up to 2 GiB.

use std::sync::atomic::{AtomicU64, Ordering};

use parity_content::cid_of;

use crate::pattern::Pattern;

const VECTORS: &str = include_str!("../data/unixfs_v1_2025_cids.csv");

#[test]
fn every_cid_equals_the_one_that_kubo_computed() {
    let pattern = Pattern::new();
    let rows: Vec<_> = VECTORS.lines().skip(1).map(|row| row.split_once(',').unwrap()).collect();
    assert_eq!(rows.len(), 17);
    for (bytes, cid) in rows {
        let bytes = bytes.parse().unwrap();
        let done = AtomicU64::new(0);
        let file = cid_of(&pattern, bytes, |more| {
            done.fetch_add(more, Ordering::Relaxed);
        })
        .unwrap();
        assert_eq!((file.link.to_string().as_str(), file.bytes), (cid, bytes));
        assert_eq!(done.into_inner(), bytes);
    }
}
