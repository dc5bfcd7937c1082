//! `parity`: everything a person does with the network, and the front of every daemon.

mod app;
mod args;
mod content;
mod daemons;
mod devnet;
mod doctor;
mod fl;
mod history;
mod network;
mod output;
mod paths;
mod plot;
mod prompt;
mod reads;
mod reputation;
mod run;
mod stake;
mod wallet;

use std::process::ExitCode;

use clap::Parser;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = args::Cli::parse();
    match run::run(cli).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            run::report(&error);
            ExitCode::FAILURE
        }
    }
}
