//! `parity wallet`: keys, balances and transfers.

use std::{fs, io::Read, path::Path};

use anyhow::{Context, bail};
use parity_chain::Wallet;
use parity_protocol::{Address, TokenAmount};
use serde::Serialize;

use crate::{
    app::{App, action},
    args::{GlobalArgs, WalletCommand},
    history,
    network::Network,
    output::{Output, facts, table},
    paths, prompt,
};

/// Runs a wallet command.
pub(crate) async fn run(command: WalletCommand, args: &GlobalArgs) -> anyhow::Result<()> {
    match command {
        WalletCommand::New { name } => create(args, &name),
        WalletCommand::Import { name, key_file } => import(args, &name, key_file.as_deref()),
        WalletCommand::List => list(args),
        WalletCommand::Balance { account } => balance(&App::connect(args).await?, account).await,
        WalletCommand::History { account, limit } => history::show(&App::connect(args).await?, account, limit).await,
        WalletCommand::Transfer { to, amount } => transfer(&App::connect(args).await?, to, amount).await,
        WalletCommand::Withdraw => withdraw(&App::connect(args).await?).await,
    }
}

#[derive(Serialize)]
struct Entry {
    name: String,
    address: Option<Address>,
    keystore: String,
}

fn folder(args: &GlobalArgs) -> anyhow::Result<std::path::PathBuf> {
    // A user's own wallets are kept apart from those of a devnet that happens to run.
    args.keystore_dir.clone().map_or_else(paths::wallets, Ok)
}

fn create(args: &GlobalArgs, name: &str) -> anyhow::Result<()> {
    let folder = folder(args)?;
    let password = new_password(args)?;
    let wallet = Wallet::create(&folder, checked_name(&folder, name)?, &password)?;
    written(args, &folder, name, &wallet)
}

fn import(args: &GlobalArgs, name: &str, key_file: Option<&Path>) -> anyhow::Result<()> {
    let folder = folder(args)?;
    let mut key = String::new();
    match key_file {
        Some(file) => {
            key = fs::read_to_string(file).with_context(|| format!("reading key file {}", file.display()))?;
        }
        None => {
            std::io::stdin().read_to_string(&mut key).context("reading the private key from standard input")?;
        }
    }
    let password = new_password(args)?;
    let wallet = Wallet::import(&folder, checked_name(&folder, name)?, key.trim(), &password)?;
    written(args, &folder, name, &wallet)
}

fn checked_name<'a>(folder: &Path, name: &'a str) -> anyhow::Result<&'a str> {
    if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c)) || name.starts_with('.')
    {
        bail!("'{name}' is no wallet name; use letters, digits, '-', '_' and '.'");
    }
    if folder.join(name).exists() {
        bail!("a wallet '{name}' exists already in {}; choose another name", folder.display());
    }
    fs::create_dir_all(folder).with_context(|| format!("creating {}", folder.display()))?;
    Ok(name)
}

fn new_password(args: &GlobalArgs) -> anyhow::Result<String> {
    if args.password_file.is_some() {
        return prompt::password_or_file(args.password_file.as_deref(), "");
    }
    let first = prompt::password("Password of the new wallet")?;
    if prompt::password("The same again")? != first {
        bail!("the two passwords differ; nothing was written");
    }
    Ok(first)
}

fn written(args: &GlobalArgs, folder: &Path, name: &str, wallet: &Wallet) -> anyhow::Result<()> {
    let entry = Entry {
        name: name.to_owned(),
        address: Some(wallet.address()),
        keystore: folder.join(name).display().to_string(),
    };
    Output::new(args.json).result(&entry, |entry| {
        facts([
            ("wallet", entry.name.clone()),
            ("address", wallet.address().to_string()),
            ("keystore", entry.keystore.clone()),
        ])
    })
}

fn list(args: &GlobalArgs) -> anyhow::Result<()> {
    let mut folders = vec![folder(args)?];
    if let Ok(network) = Network::resolve(args) {
        folders.push(network.wallets);
    }
    folders.dedup();
    let mut entries = Vec::new();
    for folder in folders {
        for file in Wallet::list(&folder)? {
            let keystore = file.path.display().to_string();
            entries.push(Entry { name: file.name, address: file.address, keystore });
        }
    }
    Output::new(args.json).result(&entries, |entries| {
        if entries.is_empty() {
            return "no wallets yet; create one with 'parity wallet new'".to_owned();
        }
        table(["wallet", "keystore"], entries.iter().map(|e| [e.name.clone(), e.keystore.clone()]))
    })
}

#[derive(Serialize)]
struct Balance {
    account: Address,
    network: String,
    usdfc: TokenAmount,
    gas: String,
    staked: TokenAmount,
    unbonding: TokenAmount,
    credit: TokenAmount,
}

async fn balance(app: &App, account: Option<Address>) -> anyhow::Result<()> {
    let account = app.account(account)?;
    let stake = app.stake(account).await?;
    let balance = Balance {
        account,
        network: app.network.name.clone(),
        usdfc: app.client.usdfc_balance(account).await?,
        gas: app.client.gas_balance(account).await?.to_string(),
        staked: stake.active,
        unbonding: stake.unbonding,
        credit: app.credit(account).await?,
    };
    app.output.result(&balance, |b| {
        let mut rows = vec![
            ("account", b.account.to_string()),
            ("network", b.network.clone()),
            ("USDFC", b.usdfc.to_string()),
            ("tFIL for gas", format!("{:.6}", TokenAmount::from_base_units(b.gas.parse().unwrap_or(u128::MAX)))),
            ("staked USDFC", b.staked.to_string()),
        ];
        if !b.unbonding.is_zero() {
            rows.push(("unbonding USDFC", b.unbonding.to_string()));
        }
        if !b.credit.is_zero() {
            rows.push(("refunds in escrow", format!("{} (pull with 'parity wallet withdraw')", b.credit)));
        }
        facts(rows)
    })
}

#[derive(Serialize)]
struct Sent {
    transaction: String,
    amount: TokenAmount,
}

fn sent(app: &App, receipt: &parity_chain::Receipt, amount: TokenAmount, what: &str) -> anyhow::Result<()> {
    let document = Sent { transaction: receipt.tx_hash.to_string(), amount };
    app.output.result(&document, |sent| format!("{what} {} USDFC in transaction {}", sent.amount, sent.transaction))
}

async fn transfer(app: &App, to: Address, amount: TokenAmount) -> anyhow::Result<()> {
    let outbox = app.outbox().await?;
    let held = app.client.usdfc_balance(outbox.address()).await?;
    if held < amount {
        bail!("the wallet holds {held} USDFC, less than the {amount} to send");
    }
    app.confirm(&format!("send {amount} USDFC to {to}?"))?;
    let units = parity_protocol::U256::from(amount.base_units());
    let receipt = outbox.send(&action("wallet/transfer"), &app.client.usdfc().transfer(to, units)).await?;
    sent(app, &receipt, amount, "sent")
}

async fn withdraw(app: &App) -> anyhow::Result<()> {
    let outbox = app.outbox().await?;
    let credit = app.credit(outbox.address()).await?;
    if credit.is_zero() {
        bail!("no refunds wait in escrow for {}", outbox.address());
    }
    let receipt = outbox.send(&action("wallet/withdraw"), &app.client.escrow().withdraw(outbox.address())).await?;
    sent(app, &receipt, credit, "withdrew")
}
