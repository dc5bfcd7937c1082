//! Sessions on local data: every agent brings its own file, and nothing of it leaves.

use std::{fs, path::Path};

use parity_abi::State;
use parity_learning::csv::InferOptions;
use parity_protocol::spec::{Data, Privacy};
use parity_runner::data;

use crate::{
    hostile::HONEST,
    pilot,
    world::{World, spec, terms},
};

const ROWS: u32 = 20;

/// A file whose numbers occur nowhere else.
fn file(folder: &Path, agent: u32) -> (std::path::PathBuf, Vec<String>) {
    let numbers: Vec<String> = (0..ROWS * 2).map(|cell| format!("{}.{:04}", 7000 + agent, 1013 + cell * 37)).collect();
    let mut text = "height,weight,state\n".to_owned();
    for (row, cells) in numbers.chunks(2).enumerate() {
        text += &format!("{},{},{}\n", cells[0], cells[1], if row % 2 == 0 { "sick" } else { "well" });
    }
    let path = folder.join(format!("patients-{agent}.csv"));
    fs::write(&path, text).unwrap();
    (path, numbers)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_on_local_data_completes_and_no_byte_of_it_is_in_the_store() {
    let world = World::start().await;
    let spec = spec(Data::Private { max_samples: 1000 }, Privacy::None);
    let mut agents = Vec::new();
    let mut secrets = Vec::new();
    for index in [10, 11, 12] {
        let agent = world.agent(index, HONEST).await;
        let (path, numbers) = file(world.network.folder(), index);
        let added = data::add(agent.state(), &path, None, Some(spec.schema.clone()), &InferOptions::default()).unwrap();
        assert_eq!(added.data.rows, u64::from(ROWS));
        agents.push(agent);
        secrets.extend(numbers);
    }
    let session = world.create(&spec, terms(&spec, 3, 2)).await;
    for agent in &mut agents {
        agent.start();
    }
    pilot::fly(&world, session, &spec).await;
    assert_eq!(world.session(session).await.state, State::Completed.number());

    for update in world.posted(session).await {
        let manifest = world.manifest(update.digest).await;
        // A fifth is kept back and measures the model the round started from.
        assert_eq!((manifest.samples, update.samples), (16, 16));
        assert_eq!(manifest.holdout.unwrap().samples, 4);
    }
    let blocks = blocks(&world.network.folder().join("store"));
    assert!(blocks.len() > 6, "{} blocks", blocks.len());
    for secret in &secrets {
        let number: f32 = secret.parse().unwrap();
        let forms =
            [secret.as_bytes().to_vec(), number.to_le_bytes().to_vec(), f64::from(number).to_le_bytes().to_vec()];
        for form in forms {
            assert!(!blocks.iter().any(|block| contains(block, &form)), "{secret} is in the store");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_without_fitting_data_stays_away() {
    let world = World::start().await;
    let spec = spec(Data::Private { max_samples: 1000 }, Privacy::None);
    let mut unfit = world.agent(10, HONEST).await;
    let other = world.network.folder().join("other.csv");
    fs::write(&other, "age,state\n1,sick\n2,well\n3,sick\n4,well\n").unwrap();
    data::add(unfit.state(), &other, None, None, &InferOptions::default()).unwrap();
    unfit.start();
    let session = world.create(&spec, terms(&spec, 1, 1)).await;
    world.client().wait_for_block(world.client().block_number().await.unwrap() + 15).await.unwrap();
    assert_eq!(world.session(session).await.claimed, 0);
    let mut fit = world.agent(11, HONEST).await;
    let (path, _) = file(world.network.folder(), 11);
    data::add(fit.state(), &path, None, None, &InferOptions::default()).unwrap();
    fit.start();
    pilot::fly(&world, session, &spec).await;
    assert_eq!(world.posted(session).await[0].operator, fit.wallet.address());
}

/// All blocks of a folder store.
fn blocks(folder: &Path) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if entry.file_type().unwrap().is_dir() {
            found.extend(blocks(&entry.path()));
        } else {
            found.push(fs::read(entry.path()).unwrap());
        }
    }
    found
}

fn contains(block: &[u8], form: &[u8]) -> bool {
    block.windows(form.len()).any(|window| window == form)
}
