//! Consecutive parts of nearly equal size.

/// Consecutive parts; the first ones have one more where it does not come out even.
pub(super) fn parts(rows: &[usize], parts: usize) -> Vec<Vec<usize>> {
    let mut rest = rows;
    (0..parts)
        .map(|part| {
            let (head, tail) = rest.split_at(part_size(rows.len(), parts, part));
            rest = tail;
            head.to_vec()
        })
        .collect()
}

/// How many of `rows` the part with this index has.
pub(super) fn part_size(rows: usize, parts: usize, part: usize) -> usize {
    rows / parts + usize::from(part < rows % parts)
}
