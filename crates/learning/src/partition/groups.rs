//! Rows grouped by label: by class, or in groups of similar value where the label is a number.

use std::collections::BTreeMap;

use parity_protocol::spec::NUMERIC_GROUPS;

use super::parts::parts;
use crate::table::Labels;

/// Row indices by class, classes ascending; numeric labels by value in groups of nearly equal size. No group is empty; the
/// rows of each are ascending.
pub(super) fn groups(labels: &Labels) -> Vec<Vec<usize>> {
    match labels {
        Labels::Classes(classes) => {
            let mut groups: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
            for (row, class) in classes.iter().enumerate() {
                groups.entry(*class).or_default().push(row);
            }
            groups.into_values().collect()
        }
        Labels::Numbers(numbers) => {
            let mut rows: Vec<usize> = (0..numbers.len()).collect();
            rows.sort_by(|a, b| numbers[*a].total_cmp(&numbers[*b]).then(a.cmp(b)));
            let mut groups = parts(&rows, NUMERIC_GROUPS.min(rows.len()).max(1));
            groups.iter_mut().for_each(|group| group.sort_unstable());
            groups
        }
    }
}
