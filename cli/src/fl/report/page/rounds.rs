//! Every round and every update, as tables.

use maud::{Markup, html};

use crate::fl::{figures, report::facts::Round};

/// Most lines of a table, the newest ones: a page of a long session must still open on a phone.
const MOST_LINES: usize = 2000;

/// What became of every round.
pub(super) fn rounds(rounds: &[Round]) -> Markup {
    if rounds.is_empty() {
        return html! {};
    }
    let on_chain = rounds.iter().any(|round| round.block.is_some());
    html! {
        section {
            h2 { "Round by round" }
            @if rounds.len() > MOST_LINES { p { "The last " (MOST_LINES) " of " (rounds.len()) " rounds." } }
            div.scroll { table {
                thead { tr {
                    th.number { "round" } th { "result" } th.number { "updates" } th { "dropped" }
                    @if on_chain { th { "final" } th { "proposed by" } th { "aggregate" } th { "model" } }
                } }
                tbody { @for round in rounds.iter().skip(rounds.len().saturating_sub(MOST_LINES)) { tr {
                    td.number { (round.round) }
                    td { (figures::all(round.evaluation.as_ref())) }
                    td.number { (round.contributions.len()) }
                    td.long { (round.rejected.join("; ")) }
                    @if on_chain {
                        td { (round.time.as_deref().unwrap_or("")) @if let Some(block) = round.block { ", block " (block) } }
                        td.id { (round.proposer.as_deref().unwrap_or("")) }
                        td.id { (round.aggregate.as_deref().unwrap_or("")) }
                        td.id { (round.model.as_deref().unwrap_or("")) }
                    }
                } } }
            } }
        }
    }
}

/// What every accepted update was worth.
pub(super) fn updates(rounds: &[Round]) -> Markup {
    let all: Vec<_> =
        rounds.iter().flat_map(|round| round.contributions.iter().map(|one| (round.round, one))).collect();
    if all.is_empty() {
        return html! {};
    }
    html! {
        section {
            h2 { "Update by update" }
            p { "Score of the contribution, 0 to 10000, and the reward of the round; the completion bonus comes on top." }
            @if all.len() > MOST_LINES { p { "The last " (MOST_LINES) " of " (all.len()) " updates." } }
            div.scroll { table {
                thead { tr {
                    th.number { "round" } th { "runner" } th.number { "seat" } th.number { "rows" } th.number { "score" }
                    th.number { "reward USDFC" }
                } }
                tbody { @for (round, one) in all.iter().skip(all.len().saturating_sub(MOST_LINES)) { tr {
                    td.number { (round) }
                    td.id { (one.runner) }
                    td.number { (one.seat) }
                    td.number { (one.samples) }
                    td.number { (one.score) }
                    td.number { (one.reward) }
                } } }
            } }
        }
    }
}
