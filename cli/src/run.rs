//! From the command tree to the module that does it.

use std::io::{self, Write};

use clap::CommandFactory;

use crate::{
    args::{Cli, Command},
    content, daemons, devnet, doctor, fl, reputation, stake, wallet,
};

/// Runs a command.
pub(crate) async fn run(cli: Cli) -> anyhow::Result<()> {
    let global = cli.global;
    match cli.command {
        Command::Wallet(command) => wallet::run(command, &global).await,
        Command::Fl(command) => fl::run(*command, &global).await,
        Command::Stake(command) => stake::run(command, &global).await,
        Command::Reputation(command) => reputation::run(command, &global).await,
        Command::Content(command) => content::run(command, &global).await,
        Command::Runner(command) => daemons::runner(command, &global).await,
        Command::Keeper(command) => daemons::keeper(command, &global).await,
        Command::Indexer(command) => daemons::indexer(command, &global).await,
        Command::Devnet(args) => devnet::run(args, &global).await,
        Command::Doctor => doctor::run(&global).await,
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "parity", &mut io::stdout().lock());
            Ok(())
        }
    }
}

/// Prints an error with its causes, once.
pub(crate) fn report(error: &anyhow::Error) {
    // A closed standard error leaves nobody to tell.
    let _ = writeln!(io::stderr().lock(), "error: {error:#}");
}
