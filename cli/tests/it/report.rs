//! The report of a session: one page that loads nothing, says what chain and content say, and escapes what strangers wrote.

use std::fs;

use crate::{chain::Chain, devnet::Devnet, settlement};

/// A name that a page must not take for its own.
pub(crate) const HOSTILE_NAME: &str = "<script src=//evil.example>alert('1')</script>";

/// Writes and checks the report of a completed and settled session with that name.
pub(crate) fn check(devnet: &Devnet, chain: &Chain, session: u64) {
    let id = session.to_string();
    let details = devnet.json(&["fl", "get", &id]);
    let file = devnet.home().path().join(format!("report-{id}.html"));
    let holdout = details["local"]["holdout"].as_str().unwrap();
    let report = devnet.json(&["fl", "report", &id, "-o", file.to_str().unwrap(), "--data", holdout, "--verify"]);

    // Money: what the contracts say, for everybody.
    let budget = chain.budget(session);
    let participants = report["participants"].as_array().unwrap();
    let sum = |field: &str| participants.iter().map(|one| settlement::units(&one[field])).sum::<u128>();
    assert_eq!((sum("earned"), sum("paid")), (budget.committed, budget.claimed), "{report}");
    for participant in participants {
        let paid = chain.claimed_by(session, settlement::address(&participant["name"]));
        assert_eq!(settlement::units(&participant["paid"]), paid, "{participant}");
    }

    // The keeper measured on the same rows as this machine just did.
    let confusion = &details["confusion"];
    assert!(confusion.is_array(), "{details}");
    assert_eq!((confusion, confusion), (&report["confusion"], &report["examination"]["confusion"]), "{report}");
    let importances = report["examination"]["importances"].as_array().unwrap();
    assert!(importances.len() == 4 && importances[0]["value"].as_f64().unwrap() > 0.1, "{importances:?}");

    let page = fs::read_to_string(file).unwrap();
    let rounds = report["rounds"].as_array().unwrap();
    let names = rounds.iter().flat_map(|round| [&round["aggregate"], &round["model"], &round["proposer"]]);
    for name in names.chain(participants.iter().map(|one| &one["name"])).chain([&details["spec"]]) {
        assert!(page.contains(name.as_str().unwrap()), "{name} is not on the page");
    }
    assert!(
        page.contains(&format!("all {} rounds are equal to the chain", rounds.len())),
        "it says what --verify found"
    );

    assert!(page.contains("&lt;script src=//evil.example&gt;"), "the name is shown");
    let page = page.replace("http-equiv", "").replace("&lt;script src=//evil.example&gt;", "");
    for load in ["<script", "<link", "<img", "<iframe", "src=", "href=", "url(", "@import", "http", "//evil"] {
        assert!(!page.contains(load), "the page has {load}");
    }
}
