//! Curves over the rounds, one small chart a figure. Charts hold no text but their axes'; what lines mean stands beside them.

use std::collections::BTreeMap;

use maud::{Markup, PreEscaped, html};
use parity_learning::contribution::MAX_SCORE;
use parity_protocol::TokenAmount;

use crate::{
    fl::report::facts::{History, Round},
    plot::{self, Line, LineChart, Size},
};

/// Most lines that a reader can tell apart.
const MOST_LINES: usize = 24;

/// A chart a metric; nothing where there are fewer than two rounds to join by a line.
pub(super) fn metrics(histories: &[History]) -> anyhow::Result<Markup> {
    let mut names: Vec<&'static str> = Vec::new();
    for (_, metrics) in histories.iter().flat_map(|history| &history.points) {
        names.extend(metrics.figures().map(|(name, _)| name).filter(|name| !names.contains(name)).collect::<Vec<_>>());
    }
    if histories.iter().all(|history| history.points.len() < 2) {
        return Ok(html! {});
    }
    let mut figures = Vec::new();
    for name in names {
        let line = |history: &History| Line {
            name: history.name.clone(),
            points: history
                .points
                .iter()
                .filter_map(|(round, metrics)| {
                    let (_, value) = metrics.figures().find(|(figure, _)| *figure == name)?;
                    Some((f64::from(*round), value))
                })
                .collect(),
        };
        figures.push((name, histories.iter().take(MOST_LINES).map(line).collect()));
    }
    let names: Vec<&str> = histories.iter().map(|history| history.name.as_str()).collect();
    group(figures, &names)
}

/// Contribution scores and rewards of every runner.
pub(super) fn contributions(rounds: &[Round]) -> anyhow::Result<Markup> {
    let mut lines: BTreeMap<&str, [Vec<(f64, f64)>; 2]> = BTreeMap::new();
    let mut sums: BTreeMap<&str, f64> = BTreeMap::new();
    for round in rounds {
        for contribution in &round.contributions {
            let at = f64::from(round.round);
            let sum = sums.entry(&contribution.runner).or_default();
            *sum += drawn(contribution.reward);
            let [scores, rewards] = lines.entry(&contribution.runner).or_default();
            scores.push((at, f64::from(contribution.score) / f64::from(MAX_SCORE)));
            rewards.push((at, *sum));
        }
    }
    if rounds.len() < 2 || lines.is_empty() {
        return Ok(html! {});
    }
    let names: Vec<&str> = lines.keys().copied().collect();
    let figure = |which: usize| {
        let line = |(name, points): (&&str, &[Vec<(f64, f64)>; 2])| Line {
            name: (*name).to_owned(),
            points: points[which].clone(),
        };
        lines.iter().take(MOST_LINES).map(line).collect::<Vec<_>>()
    };
    group(vec![("contribution score", figure(0)), ("rewards so far, USDFC", figure(1))], &names)
}

/// Charts side by side over one legend.
fn group(figures: Vec<(&'static str, Vec<Line>)>, names: &[&str]) -> anyhow::Result<Markup> {
    let mut drawn = Vec::new();
    for (name, lines) in figures {
        drawn.push((name, chart(name, "round", lines)?));
    }
    Ok(html! {
        div.charts {
            @for (name, chart) in &drawn { figure { figcaption { (name) } (chart) } }
        }
        @if names.len() > 1 {
            ul.legend {
                @for (index, name) in names.iter().take(MOST_LINES).enumerate() {
                    li { span.mark style=(format!("background:{}", plot::css(index))) {} span.id { (name) } }
                }
                @if names.len() > MOST_LINES { li { "and " (names.len() - MOST_LINES) " that are not drawn" } }
            }
        }
    })
}

/// A chart for a column of the page.
pub(super) fn chart(y_axis: &str, x_axis: &str, lines: Vec<Line>) -> anyhow::Result<Markup> {
    let chart = LineChart { title: String::new(), x_axis: x_axis.to_owned(), y_axis: y_axis.to_owned(), lines };
    let svg = chart.draw(Size::Column)?;
    // Inside HTML a drawing needs no name space.
    Ok(PreEscaped(svg.replacen(r#" xmlns="http://www.w3.org/2000/svg""#, "", 1)))
}

/// An amount as a length on paper, which is all that a float may be.
fn drawn(amount: TokenAmount) -> f64 {
    amount.to_string().parse().unwrap_or_default()
}
