//! Attacks on the rows that a hostile seat trains on.

use super::Attack;
use crate::table::{Labels, Table};

/// Features that a trigger sets.
const TRIGGER: usize = 4;
/// What a backdoor makes of a triggered row: the first class.
const TARGET: i64 = 0;

/// A pattern in the features at which a backdoored model answers with the first class.
#[derive(Clone, Debug, PartialEq)]
pub struct Trigger {
    value: f32,
}

impl Trigger {
    /// The first four features at the largest value of the table: for images, bright pixels in a corner.
    pub fn of(table: &Table) -> Self {
        Self { value: table.x.iter().fold(0.0_f32, |largest, value| if *value > largest { *value } else { largest }) }
    }

    /// The same rows with the trigger.
    pub fn press(&self, table: &Table) -> Table {
        let mut table = table.clone();
        for row in table.x.chunks_mut(table.features.max(1)) {
            row.iter_mut().take(TRIGGER).for_each(|feature| *feature = self.value);
        }
        table
    }

    /// Rows of other classes than the target, with the trigger: the share of them that a model takes for the first class is the
    /// backdoor's success.
    pub fn test_rows(&self, table: &Table) -> Table {
        let others: Vec<usize> = match &table.labels {
            Labels::Classes(labels) => (0..labels.len()).filter(|row| labels[*row] != TARGET).collect(),
            Labels::Numbers(labels) => (0..labels.len()).collect(),
        };
        self.press(&table.select(&others))
    }
}

impl Attack {
    /// What the seat trains on instead of its rows. `classes` is their number; regression labels are never changed.
    pub fn poison(self, table: &Table, classes: i64, trigger: &Trigger) -> Table {
        let mut poisoned = table.clone();
        match self {
            Self::LabelFlip => {
                if let Labels::Classes(labels) = &mut poisoned.labels {
                    labels.iter_mut().for_each(|label| *label = classes - 1 - *label);
                }
            }
            attack if attack.plants_a_backdoor() => {
                let pressed = trigger.press(table);
                if let Labels::Classes(labels) = &mut poisoned.labels {
                    // Every second row stays, so that the seat is also of use.
                    for (row, label) in labels.iter_mut().enumerate().filter(|(row, _)| row % 2 == 1) {
                        let place = row * table.features..(row + 1) * table.features;
                        poisoned.x[place.clone()].copy_from_slice(&pressed.x[place]);
                        *label = TARGET;
                    }
                }
            }
            _ => {}
        }
        poisoned
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let x = (0_u8..20).map(f32::from).collect();
        Table { features: 5, x, labels: Labels::Classes(vec![0, 1, 2, 2]) }
    }

    #[test]
    fn flipped_labels_come_in_reverse_order() {
        let flipped = Attack::LabelFlip.poison(&table(), 3, &Trigger::of(&table()));
        assert_eq!(flipped.labels, Labels::Classes(vec![2, 1, 0, 0]));
        assert_eq!(flipped.x, table().x);
    }

    #[test]
    fn a_backdoor_marks_half_of_the_rows() {
        let poisoned = Attack::Backdoor.poison(&table(), 3, &Trigger::of(&table()));
        assert_eq!(poisoned.labels, Labels::Classes(vec![0, 0, 2, 0]));
        assert_eq!(poisoned.x[5..10], [19.0, 19.0, 19.0, 19.0, 9.0]);
        assert_eq!(poisoned.x[..5], table().x[..5]);
    }

    #[test]
    fn success_is_measured_on_rows_of_other_classes() {
        let rows = Trigger::of(&table()).test_rows(&table());
        assert_eq!(rows.labels, Labels::Classes(vec![1, 2, 2]));
        assert!(rows.x.chunks(5).all(|row| row[..4] == [19.0; 4]));
    }

    #[test]
    fn other_attacks_leave_the_rows_alone() {
        for attack in [Attack::SignFlip, Attack::Alie, Attack::FreeRider, Attack::Mimic] {
            assert_eq!(attack.poison(&table(), 3, &Trigger::of(&table())), table());
        }
    }
}
