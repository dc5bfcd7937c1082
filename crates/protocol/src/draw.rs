//! Which seats take part in a round: the draw of `contracts/src/libraries/Draw.sol`, number for number.
//!
//! Selection sampling (Knuth, The Art of Computer Programming 2, section 3.4.2, algorithm S): seats are looked at in order, and each
//! is taken with the probability that the rest of the places has among the rest of the seats. Every set of `count` seats is as
//! likely as any other, up to 2^-56.

use alloy_primitives::keccak256;

/// Numbers in one hash.
const NUMBERS: usize = 4;

/// Whether each of the seats takes part in a round, when `count` of them do: all of them where it is no less.
pub fn drawn(seed: u64, round: u16, seats: usize, count: usize) -> Vec<bool> {
    let mut places = wide(count);
    let mut numbers = [0; NUMBERS];
    (0..seats)
        .map(|seat| {
            if seat % NUMBERS == 0 {
                numbers = block(seed, round, seat / NUMBERS);
            }
            let taken = (u128::from(numbers[seat % NUMBERS]) * wide(seats - seat)) >> 64 < places;
            places -= u128::from(taken);
            taken
        })
        .collect()
}

/// The numbers of a hash, its last eight bytes first.
fn block(seed: u64, round: u16, index: usize) -> [u64; NUMBERS] {
    let index = u16::try_from(index).expect("seats are numbered by 16 bits");
    let bytes = [&seed.to_be_bytes()[..], &round.to_be_bytes(), &index.to_be_bytes()].concat();
    let hash = keccak256(bytes);
    let mut numbers = [0; NUMBERS];
    let words = hash.as_chunks::<8>().0.iter().rev();
    numbers.iter_mut().zip(words).for_each(|(number, word)| *number = u64::from_be_bytes(*word));
    numbers
}

fn wide(number: usize) -> u128 {
    u128::try_from(number).expect("a count fits 128 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_are_drawn_as_asked_for_and_all_at_most() {
        for (seats, count, expected) in [(1, 1, 1), (10, 3, 3), (1000, 999, 999), (5, 5, 5), (5, 9, 5), (0, 0, 0)] {
            let taken = drawn(3, 8, seats, count);
            assert_eq!((taken.len(), taken.iter().filter(|taken| **taken).count()), (seats, expected));
        }
    }

    #[test]
    fn every_seat_is_drawn_as_often_as_any_other() {
        // 3 of 10 seats in 2,000 rounds: 600 times each, with a standard deviation of 20.
        let mut times = [0_i32; 10];
        for round in 1..=2000 {
            times.iter_mut().zip(drawn(11, round, 10, 3)).for_each(|(times, taken)| *times += i32::from(taken));
        }
        assert!(times.iter().all(|times| (times - 600).abs() <= 100), "{times:?}");
    }
}
