//! `parity stake`: bond, unbond, withdraw.

use anyhow::bail;
use parity_protocol::{Address, TokenAmount, U256};
use serde::Serialize;

use crate::{
    app::{App, action},
    args::{GlobalArgs, StakeCommand},
    output::facts,
};

/// Runs a stake command.
pub(crate) async fn run(command: StakeCommand, args: &GlobalArgs) -> anyhow::Result<()> {
    let app = App::connect(args).await?;
    match command {
        StakeCommand::Deposit { amount } => {
            let outbox = app.outbox().await?;
            app.confirm(&format!("bond {amount} USDFC?"))?;
            deposit(&app, &outbox, amount).await?;
            status(&app, outbox.address()).await
        }
        StakeCommand::Unbond { amount } => {
            let outbox = app.outbox().await?;
            let active = app.stake(outbox.address()).await?.active;
            if active < amount {
                bail!("{active} USDFC are bonded, less than the {amount} to unbond");
            }
            app.confirm(&format!("start to unbond {amount} USDFC?"))?;
            outbox.send(&action("stake/unbond"), &app.client.stakes().requestUnbond(amount.base_units())).await?;
            status(&app, outbox.address()).await
        }
        StakeCommand::Withdraw => {
            let outbox = app.outbox().await?;
            outbox.send(&action("stake/withdraw"), &app.client.stakes().withdraw(outbox.address())).await?;
            status(&app, outbox.address()).await
        }
        StakeCommand::Status { account } => {
            let account = app.account(account)?;
            status(&app, account).await
        }
    }
}

/// Approves and bonds `amount`.
pub(crate) async fn deposit(app: &App, outbox: &parity_chain::Outbox, amount: TokenAmount) -> anyhow::Result<()> {
    let held = app.client.usdfc_balance(outbox.address()).await?;
    if held < amount {
        bail!("the wallet holds {held} USDFC, less than the {amount} to bond");
    }
    let units = U256::from(amount.base_units());
    let stakes = app.client.deployments().stakes;
    outbox.send(&action("stake/approve"), &app.client.usdfc().approve(stakes, units)).await?;
    outbox.send(&action("stake/deposit"), &app.client.stakes().deposit(units)).await?;
    Ok(())
}

#[derive(Serialize)]
struct Status {
    account: Address,
    active: TokenAmount,
    unbonding: TokenAmount,
    withdrawable_from: Option<u64>,
    block: u64,
}

async fn status(app: &App, account: Address) -> anyhow::Result<()> {
    let stake = app.stake(account).await?;
    let document = Status {
        account,
        active: stake.active,
        unbonding: stake.unbonding,
        withdrawable_from: (!stake.unbonding.is_zero()).then_some(stake.withdrawable_from),
        block: app.client.block_number().await?,
    };
    app.output.result(&document, |s| {
        let mut rows = vec![
            ("account", s.account.to_string()),
            ("network", app.network.name.clone()),
            ("active USDFC", s.active.to_string()),
        ];
        if let Some(epoch) = s.withdrawable_from {
            rows.push((
                "unbonding USDFC",
                format!("{}, withdrawable from epoch {epoch} (now {})", s.unbonding, s.block),
            ));
        }
        facts(rows)
    })
}
