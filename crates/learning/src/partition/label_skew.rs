//! Quantity-based label skew: every seat has the rows of exactly so many classes (Li et al. 2022, "#C=k"; the "shards"
//! of McMahan et al. 2017 are its ancestor).
//!
//! As there, a class's rows are divided at random and evenly among the seats that have it. Which seats these are is drawn
//! with one condition more: classes have the same number of seats, to within one (fewer only where a class has fewer rows
//! than that). So no class is left without a seat, and every row is dealt.

use super::{
    counts::{Counts, Holders},
    groups::groups,
    parts::part_size,
};
use crate::{
    Error, Result,
    random::{Purpose, Stream},
    table::Labels,
};

/// Most seats that a remedy speaks of.
const MOST_SEATS: usize = 256;

/// The rows of every seat.
pub(super) fn deal(labels: &Labels, classes: u32, seats: usize, least: usize, seed: u64) -> Result<Vec<Vec<usize>>> {
    let groups = groups(labels);
    let sizes: Vec<usize> = groups.iter().map(Vec::len).collect();
    let classes = usize::try_from(classes).unwrap_or(usize::MAX);
    check(&sizes, classes, seats)?;
    let Some(counts) = draw(&sizes, classes, seats, least, seed) else {
        // Halving finds a minimum that is reached, though perhaps not the highest one.
        let (mut works, mut fails) = (1, least);
        while fails - works > 1 {
            let middle = works.midpoint(fails);
            if draw(&sizes, classes, seats, middle, seed).is_some() { works = middle } else { fails = middle }
        }
        return Err(Error::Split(format!(
            "label-skew:{classes} on {seats} seats with seed {seed} cannot give every seat {least} rows, because a seat gets \
             rows of its classes alone; use a minimum of at most {works}, more classes per seat or fewer seats"
        )));
    };
    Ok(counts.deal(groups, seed))
}

/// Counts in which every seat has `least` rows, if there are such.
fn draw(sizes: &[usize], classes: usize, seats: usize, least: usize, seed: u64) -> Option<Counts> {
    Counts::draw(least, Holders::Fixed, |attempt| {
        share_out(sizes, classes, seats, &mut Stream::new(Purpose::Shares, seed, 0, attempt))
    })
}

/// Draws the seats of every class and divides its rows among them.
fn share_out(sizes: &[usize], classes: usize, seats: usize, stream: &mut Stream) -> Counts {
    let mut counts = Counts(vec![vec![0; seats]; sizes.len()]);
    for (group, mut holders) in holders(sizes, classes, seats, stream).into_iter().enumerate() {
        // Otherwise the first seats would get the rows that do not divide evenly.
        stream.shuffle(&mut holders);
        for (part, seat) in holders.iter().enumerate() {
            counts.0[group][*seat] = part_size(sizes[group], holders.len(), part);
        }
    }
    counts
}

/// The seats of every class: `classes` different classes for each seat.
fn holders(sizes: &[usize], classes: usize, seats: usize, stream: &mut Stream) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..sizes.len()).collect();
    stream.shuffle(&mut order);
    // How many seats each class has: one more for each class in turn, until every place is taken.
    let mut open = vec![0; sizes.len()];
    let mut places = seats * classes;
    while places > 0 {
        for &group in &order {
            if places > 0 && open[group] < sizes[group].min(seats) {
                open[group] += 1;
                places -= 1;
            }
        }
    }
    // Seat by seat: the classes that need every seat that is left, then others by the places they have left. This never ends
    // with a seat that would need a class twice, for no class has more places left than there are seats.
    let mut holders = vec![Vec::new(); sizes.len()];
    for seat in 0..seats {
        let mut chosen: Vec<usize> = (0..sizes.len()).filter(|group| open[*group] == seats - seat).collect();
        while chosen.len() < classes {
            let places = |group: usize| if chosen.contains(&group) { 0 } else { open[group] };
            let total: usize = (0..sizes.len()).map(places).sum();
            let mut place = below(total, stream);
            let group = (0..sizes.len()).find(|group| {
                let passed = place >= places(*group);
                place -= if passed { places(*group) } else { 0 };
                !passed
            });
            chosen.push(group.expect("a place below their number belongs to a class"));
        }
        for group in chosen {
            open[group] -= 1;
            holders[group].push(seat);
        }
    }
    holders
}

/// Uniform in `0..bound`.
fn below(bound: usize, stream: &mut Stream) -> usize {
    usize::try_from(stream.below(u64::try_from(bound).expect("64 bits"))).expect("below a bound of this type")
}

/// Refuses what no draw can give.
fn check(sizes: &[usize], classes: usize, seats: usize) -> Result<()> {
    let (groups, places) = (sizes.len(), places(sizes, seats));
    let reason = if classes > groups {
        format!("the training rows have {groups} classes")
    } else if seats * classes < groups {
        format!("that is {} places for {groups} classes, so some would have no seat", seats * classes)
    } else if places < seats * classes {
        format!("that is {} places, but the rows of small classes fill no more than {places}", seats * classes)
    } else {
        return Ok(());
    };
    let near = |wanted: usize| move |candidate: &usize| (candidate.abs_diff(wanted), *candidate);
    let other_classes = (1..=groups).filter(|other| fits(sizes, *other, seats)).min_by_key(near(classes));
    let other_seats = (1..=MOST_SEATS).filter(|other| fits(sizes, classes, *other)).min_by_key(near(seats));
    let remedies: Vec<String> = [
        other_classes.map(|classes| format!("label-skew:{classes}")),
        other_seats.map(|seats| if seats == 1 { "1 seat".to_owned() } else { format!("{seats} seats") }),
        Some("another partition".to_owned()),
    ]
    .into_iter()
    .flatten()
    .collect();
    Err(Error::Split(format!("label-skew:{classes} on {seats} seats: {reason}; use {}", remedies.join(" or "))))
}

/// Seats that classes can have together, if each seat of a class has a row.
fn places(sizes: &[usize], seats: usize) -> usize {
    sizes.iter().map(|size| *size.min(&seats)).sum()
}

fn fits(sizes: &[usize], classes: usize, seats: usize) -> bool {
    classes <= sizes.len() && seats * classes >= sizes.len() && places(sizes, seats) >= seats * classes
}
