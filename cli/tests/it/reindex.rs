//! The tables of an indexer that lived through everything against those of one that sees only the result.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use parity_testkit::{
    child::{TiedChild, tied_command},
    port::free_port,
};
use serde_json::json;

use crate::{chain::Chain, command::PARITY, devnet::Devnet, wait};

/// How long an indexer may take to catch up.
const PATIENCE: Duration = Duration::from_secs(120);
/// Tables that remember the way and not the result: how orphaned blocks would be undone, which migrations ran.
const WAY: [&str; 2] = ["undo_entries", "_sqlx_migrations"];

/// Stops the clock of the chain, indexes it anew beside the old indexer, and compares all tables row by row. The clock
/// stays stopped.
pub(crate) fn check(devnet: &Devnet, chain: &Chain) {
    chain.call("evm_setIntervalMining", json!([0]));
    let head = settled_head(chain);
    let url = devnet.descriptor_text("database_url");
    let (server, _) = url.rsplit_once('/').unwrap();
    let fresh_url = format!("{server}/fresh");
    program("createdb", &[&format!("--maintenance-db={url}"), "fresh"]);
    let _fresh = start(devnet, &fresh_url);
    let hash = chain.hash_at(head).as_str().unwrap().trim_start_matches("0x").to_owned();
    for url in [&url, &fresh_url] {
        wait::until(&format!("{url} is at block {head}"), PATIENCE, || {
            let cursor = query(url, "select number, encode(block_hash, 'hex') from cursors").ok()?;
            (cursor == [format!("{head}\t{hash}")]).then_some(())
        });
    }
    let (old, new) = (tables(&url), tables(&fresh_url));
    assert_eq!(old.keys().collect::<Vec<_>>(), new.keys().collect::<Vec<_>>());
    let mut rows = 0;
    for (table, lived) in &old {
        let missing: Vec<_> = new[table].iter().filter(|row| !lived.contains(row)).collect();
        let surplus: Vec<_> = lived.iter().filter(|row| !new[table].contains(row)).collect();
        assert!(missing.is_empty() && surplus.is_empty(), "{table} lacks {missing:#?}\nand has {surplus:#?}");
        assert_eq!(lived.len(), new[table].len(), "{table}");
        rows += lived.len();
    }
    println!("{} tables with {rows} rows equal those of a fresh index at block {head}", old.len());
    for table in ["sessions", "rounds", "updates", "payouts", "transfers"] {
        assert!(!old[table].is_empty(), "{table} is empty, which proves nothing");
    }
}

/// The height at which the chain stands still.
fn settled_head(chain: &Chain) -> u64 {
    let mut last = chain.height();
    wait::until("the chain stands still", PATIENCE, || {
        std::thread::sleep(Duration::from_millis(1500));
        let now = chain.height();
        (std::mem::replace(&mut last, now) == now).then_some(now)
    })
}

fn start(devnet: &Devnet, database_url: &str) -> TiedChild {
    let mut command = tied_command(PARITY);
    command
        .args(["indexer", "start", "--database-url", database_url])
        .args(["--listen", &format!("127.0.0.1:{}", free_port().unwrap())]);
    devnet.home().set_up(&mut command);
    TiedChild::spawn("the fresh indexer", command, &devnet.folder().join("logs/fresh-indexer.log")).unwrap()
}

/// All rows of all tables as text, sorted; of blocks and logs those of the chain as it is.
fn tables(url: &str) -> BTreeMap<String, Vec<String>> {
    let names = query(url, "select table_name from information_schema.tables where table_schema = 'public'").unwrap();
    let orphans =
        "select table_name from information_schema.columns where table_schema = 'public' and column_name = 'canonical'";
    let with_orphans = query(url, orphans).unwrap();
    let rows = |table: &String| {
        let condition = if with_orphans.contains(table) { "where canonical" } else { "" };
        let mut rows = query(url, &format!("select * from {table} {condition}")).unwrap();
        rows.sort();
        rows
    };
    names.iter().filter(|name| !WAY.contains(&name.as_str())).map(|name| (name.clone(), rows(name))).collect()
}

/// Rows of a query, columns separated by tabs.
fn query(url: &str, sql: &str) -> Result<Vec<String>, String> {
    let copy = format!("copy ({sql}) to stdout");
    let output =
        Command::new(binary("psql")).args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-c", &copy, url]).output().unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect())
}

fn program(name: &str, arguments: &[&str]) {
    let output = Command::new(binary(name)).args(arguments).output().unwrap();
    assert!(output.status.success(), "{name} {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A program of Postgres, from `PARITY_PG_BIN` or Debian's folder.
fn binary(name: &str) -> PathBuf {
    let folder = std::env::var_os("PARITY_PG_BIN").unwrap_or_else(|| "/usr/lib/postgresql/15/bin".into());
    Path::new(&folder).join(name)
}
