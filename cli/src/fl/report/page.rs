//! The page: one self-contained HTML document. No script, nothing loaded from anywhere (its own policy forbids both), readable in
//! light and dark, on a phone and printed.
//!
//! Strangers' words are escaped by the templates. What goes in unescaped is the style sheet and charts, whose only texts are
//! this program's.

mod charts;
mod quality;
mod rounds;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use parity_protocol::TokenAmount;

use super::facts::{Fact, Facts, Participant, Verification};

const STYLE: &str = include_str!("page/style.css");
/// What a browser may do with the page: show it.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'";

/// The whole document.
pub(super) fn page(facts: &Facts) -> anyhow::Result<Markup> {
    let last = facts.histories.last().and_then(|history| history.points.last());
    Ok(html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (facts.name) " - Parity" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { (facts.name) }
                    p.origin { (facts.origin) }
                    @if let Some((_, metrics)) = last { (quality::tiles(metrics)) }
                }
                main {
                    section { h2 { "What was learned" } (list(&facts.learned)) }
                    @if last.is_some() {
                        section {
                            h2 { "How well" }
                            p { (facts.measured_on) }
                            (charts::metrics(&facts.histories)?)
                            @if let Some(confusion) = &facts.confusion { (quality::confusion(confusion, &facts.classes)) }
                        }
                    }
                    @if let Some(examination) = &facts.examination { (quality::examination(examination, &facts.classes)?) }
                    @if !facts.impurity.is_empty() {
                        section {
                            h2 { "What the forest looks at" }
                            p { "Share of each column in what the splits of all trees achieved (mean decrease of impurity)." }
                            (quality::importances(&facts.impurity))
                        }
                    }
                    @if !facts.participants.is_empty() {
                        section {
                            h2 { "Who took part" }
                            (participants(&facts.participants))
                            (charts::contributions(&facts.rounds)?)
                        }
                    }
                    @if !facts.costs.is_empty() { section { h2 { "What it cost" } (list(&facts.costs)) } }
                    @if !facts.times.is_empty() { section { h2 { "When" } (list(&facts.times)) } }
                    @if !facts.content.is_empty() { section { h2 { "Where it is" } (list(&facts.content)) } }
                    @if let Some(verification) = &facts.verification { (verify(verification)) }
                    (rounds::rounds(&facts.rounds))
                    (rounds::updates(&facts.rounds))
                }
                footer { "Written by parity " (env!("CARGO_PKG_VERSION")) "." }
            }
        }
    })
}

fn list(facts: &[Fact]) -> Markup {
    html! { dl { @for fact in facts { dt { (fact.what) } dd { (fact.value) } } } }
}

fn participants(participants: &[Participant]) -> Markup {
    let paid = participants.iter().any(|participant| participant.paid.is_some());
    html! {
        div.scroll { table {
            thead { tr {
                th { "who" } th { "role" } th.number { "rounds" } th.number { "mean score" } th.number { "earned USDFC" }
                @if paid { th.number { "paid USDFC" } }
            } }
            tbody { @for participant in participants { tr {
                td.id { (participant.name) }
                td { (participant.role) }
                td.number { (participant.rounds) }
                td.number { (participant.mean_score.map_or_else(String::new, |score| format!("{score:.4}"))) }
                td.number { (participant.earned) }
                @if paid { td.number { (participant.paid.unwrap_or(TokenAmount::ZERO)) } }
            } } }
        } }
    }
}

fn verify(verification: &Verification) -> Markup {
    let Verification { command, verdict } = verification;
    html! {
        section {
            h2 { "How to verify" }
            p {
                "Anybody with access to the chain and the content can recompute every model and every payment, bit for bit, where "
                "updates are not sealed to the keepers:"
            }
            pre { code { (command) } }
            @match verdict {
                None => p { "This report was written without doing so; its pay was recomputed from the accepted updates and agrees \
                    with the chain." },
                Some(verdict) if verdict.differences.is_empty() => p.good {
                    "Verified when this report was written: all " (verdict.rounds) " rounds are equal to the chain."
                },
                Some(verdict) => {
                    p.bad { "Not verified: of " (verdict.rounds) " rounds " (verdict.differences.len()) " differ." }
                    ul { @for difference in &verdict.differences { li { (difference) } } }
                }
            }
        }
    }
}
