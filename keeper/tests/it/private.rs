//! Sessions over data that never leaves its owners.

use std::sync::Arc;

use parity_protocol::spec::Privacy;

use crate::{
    spec::{private, terms},
    updates::crowd,
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn the_report_is_the_mean_of_what_runners_measured_and_large_data_sets_are_capped() {
    let world = Arc::new(World::start().await);
    let mut keeper = world.keeper(10).await;
    keeper.start();
    let spec = private(Privacy::None);
    let session = world.create(&spec, terms(&spec, 4, 1)).await;
    world.fill(session, 20, 4).await;
    let runners = crowd(&world, session, &spec, 20, 4);
    world.until_ended(session).await;
    runners.await.unwrap();
    let mut samples: Vec<(u16, u64)> =
        world.manifest(session, 1).await.accepted.iter().map(|update| (update.seat, update.samples)).collect();
    samples.sort_unstable();
    assert_eq!(samples, [(0, 10), (1, 11), (2, 12), (3, 12)]);
    let metrics = world.report(session, 1).await.evaluation.unwrap();
    let loss = (11.0 + 2.0 * 12.0 + 3.0 * 12.0) / 45.0;
    assert!((metrics.loss - loss).abs() < 1e-12, "{metrics:?}");
    assert_eq!((metrics.samples, metrics.accuracy), (16, Some(0.75)));
}
