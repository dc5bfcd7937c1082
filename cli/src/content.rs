//! `parity content`: content-addressed files.

use anyhow::Context;
use parity_protocol::Link;
use serde::Serialize;

use crate::{
    args::{ContentCommand, GlobalArgs},
    network::Network,
    output::Output,
    paths,
};

/// Largest file that `get` writes.
const MAX_FILE_BYTES: u64 = 1 << 40;

#[derive(Serialize)]
struct FileEntry {
    cid: String,
    bytes: u64,
}

/// Runs a content command.
pub(crate) async fn run(command: ContentCommand, args: &GlobalArgs) -> anyhow::Result<()> {
    let output = Output::new(args.json);
    let entry = match command {
        ContentCommand::Cid { file } => {
            let bar = output.byte_progress(size_of(&file)?, "hashing");
            let worker = bar.clone();
            let hashing = tokio::task::spawn_blocking(move || {
                parity_content::cid_of_file(&file, |bytes| worker.inc(bytes)).map_err(anyhow::Error::from)
            });
            let link = hashing.await??;
            bar.finish_and_clear();
            FileEntry { cid: link.link.to_string(), bytes: link.bytes }
        }
        ContentCommand::Add { file } => {
            let store = parity_content::open(&stores(args)?)?;
            let bar = output.byte_progress(size_of(&file)?, "storing");
            let link = parity_content::put_file(&*store, &file, |bytes| bar.inc(bytes)).await?;
            bar.finish_and_clear();
            FileEntry { cid: link.link.to_string(), bytes: link.bytes }
        }
        ContentCommand::Get { cid, output: target } => {
            let link: Link = cid.parse()?;
            let store = parity_content::open(&stores(args)?)?;
            let bar = output.byte_progress(0, "fetching");
            let bytes =
                parity_content::get_file(&*store, &link, &target, MAX_FILE_BYTES, &|bytes| bar.inc(bytes)).await?;
            bar.finish_and_clear();
            FileEntry { cid, bytes }
        }
    };
    output.result(&entry, |entry| entry.cid.clone())
}

fn size_of(file: &std::path::Path) -> anyhow::Result<u64> {
    Ok(std::fs::metadata(file).with_context(|| format!("reading {}", file.display()))?.len())
}

/// The stores of the flags, else of the network, else a folder of this user: content needs no chain.
fn stores(args: &GlobalArgs) -> anyhow::Result<Vec<String>> {
    if !args.stores.is_empty() {
        return Ok(args.stores.clone());
    }
    match Network::resolve(args) {
        Ok(network) => Ok(network.stores),
        Err(_) => Ok(vec![format!("folder:{}", paths::home()?.join("content").display())]),
    }
}
