//! Forests grown by one party and by many: the same, good, and independent of threads and of who holds which rows.

use parity_learning::{
    forest::{
        Forest, Histograms, Recipe, fit, grow, histograms, impurity_importances, leaf_counts, out_of_bag, refit, share,
        start, unite,
    },
    importance::permutation_importances,
    random::{Purpose, Stream},
    table::{Labels, Table},
    weights::AnyPredictor,
};
use parity_protocol::{
    forest::{Bootstrap, ClassWeight, ForestShape, MaxFeatures},
    model::Model,
    schema::Task,
};

/// Six features: two say which of three classes a row has, one is constant, one has few values, two say nothing.
pub(crate) fn table(rows: usize, numbers: bool) -> Table {
    let mut stream = Stream::new(Purpose::Shuffle, 1, 2, 3);
    let (mut x, mut classes, mut labels) = (vec![], vec![], vec![]);
    for _ in 0..rows {
        let (a, b) = (stream.unit() * 4.0 - 2.0, stream.unit() * 4.0 - 2.0);
        let few = u8::try_from(stream.below(5)).unwrap();
        x.extend([a, 7.0, f32::from(few), b, stream.unit(), stream.unit().powi(8)]);
        let noise = stream.unit() < 0.05;
        classes.push(if noise { 2 } else { i64::from(a > 0.0) + i64::from(a > 0.0 && b > 0.5) });
        labels.push(10.0 + 3.0 * a - 2.0 * b * b + 0.1 * stream.unit());
    }
    Table { features: 6, x, labels: if numbers { Labels::Numbers(labels) } else { Labels::Classes(classes) } }
}

pub(crate) fn task(numbers: bool) -> Task {
    if numbers {
        Task::Regression { mean: 10.0, deviation: 4.0 }
    } else {
        Task::Classification { classes: vec!["a".into(), "b".into(), "c".into()] }
    }
}

pub(crate) fn recipe(extra: bool, numbers: bool, change: impl FnOnce(&mut ForestShape)) -> Recipe {
    let mut shape = ForestShape { trees: 12, bins: 60, ..ForestShape::random_forest(false) };
    change(&mut shape);
    let model = if extra { Model::ExtraTrees(shape) } else { Model::RandomForest(shape) };
    Recipe::new(&model, 6, &task(numbers), 5).unwrap()
}

/// Grows level by level from what seats tell; returns the forest and the most bytes that a seat sent in a round.
fn together(recipe: &Recipe, seats: &[Table]) -> (Forest, usize) {
    let mut forest = start(recipe);
    let mut most = 0;
    while !forest.is_finished() {
        let told: Vec<Histograms> = seats
            .iter()
            .map(|seat| {
                let told = histograms(&forest, recipe, seat).unwrap();
                most = most.max(told.as_bytes().len());
                assert_eq!(Histograms::from_bytes(told.as_bytes(), &forest, recipe).unwrap(), told);
                told
            })
            .collect();
        forest = grow(&forest, recipe, &told).unwrap();
        assert_eq!(Forest::from_bytes(&forest.to_bytes(), 1 << 24).unwrap(), forest);
    }
    (forest, most)
}

/// Rows dealt to seats: all to one, in turn, by class (or range of the label), one seat with a single row.
fn deals(table: &Table) -> Vec<Vec<Table>> {
    let deal = |seat: &dyn Fn(usize) -> usize| {
        let rows = |wanted| (0..table.rows()).filter(|row| seat(*row) == wanted).collect::<Vec<_>>();
        (0..4).map(rows).filter(|rows| !rows.is_empty()).map(|rows| table.select(&rows)).collect::<Vec<_>>()
    };
    let by_label = |row: usize| match &table.labels {
        Labels::Classes(classes) => usize::try_from(classes[row]).unwrap(),
        Labels::Numbers(numbers) => usize::from(numbers[row] > 8.0) + usize::from(numbers[row] > 11.0),
    };
    vec![deal(&|_| 0), deal(&|row| row % 4), deal(&by_label), deal(&|row| usize::from(row == 17))]
}

fn assert_same_whoever_has_the_rows(recipe: &Recipe, numbers: bool) {
    let table = table(400, numbers);
    let alone = fit(recipe, &table).unwrap().to_bytes();
    for seats in deals(&table) {
        let (forest, _) = together(recipe, &seats);
        assert_eq!(forest.to_bytes(), alone, "{} seats", seats.len());
    }
    let mut order: Vec<usize> = (0..400).collect();
    Stream::new(Purpose::Shuffle, 9, 9, 9).shuffle(&mut order);
    assert_eq!(fit(recipe, &table.select(&order)).unwrap().to_bytes(), alone);
}

#[test]
fn the_forest_is_the_same_whoever_has_which_rows() {
    for extra in [false, true] {
        for numbers in [false, true] {
            assert_same_whoever_has_the_rows(&recipe(extra, numbers, |_| {}), numbers);
        }
    }
}

#[test]
fn every_limit_of_growth_holds_alone_and_together() {
    for (extra, numbers) in [(false, false), (true, false), (false, true), (true, true)] {
        let same = |change: &dyn Fn(&mut ForestShape)| {
            assert_same_whoever_has_the_rows(&recipe(extra, numbers, |shape| change(shape)), numbers);
        };
        same(&|shape| shape.max_depth = Some(3));
        same(&|shape| shape.min_samples_split = 20);
        same(&|shape| shape.min_samples_leaf = 9);
        same(&|shape| shape.max_features = MaxFeatures::Number { features: 1 });
        same(&|shape| shape.max_features = MaxFeatures::All {});
        same(&|shape| shape.bootstrap = Bootstrap::None {});
        same(&|shape| shape.bootstrap = Bootstrap::WithoutReplacement { share: 0.5 });
        same(&|shape| shape.class_weight = ClassWeight::Balanced);
    }
}

#[test]
fn leaves_keep_as_many_rows_as_asked() {
    let table = table(300, true);
    let recipe = recipe(false, true, |shape| {
        shape.min_samples_leaf = 25;
        shape.bootstrap = Bootstrap::None {};
    });
    let forest = fit(&recipe, &table).unwrap();
    // 300 rows make at most 12 leaves of 25.
    assert!(forest.trees().iter().all(|tree| (3..=23).contains(&tree.nodes().len())));
}

#[test]
fn rows_unlike_in_nothing_but_the_label_end_in_one_leaf() {
    let table = Table {
        features: 6,
        x: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].repeat(8),
        labels: Labels::Classes(vec![0, 1, 0, 1, 0, 1, 0, 1]),
    };
    let recipe = recipe(false, false, |shape| shape.bootstrap = Bootstrap::None {});
    let forest = fit(&recipe, &table).unwrap();
    assert_eq!(forest.nodes(), 12);
    assert_eq!(forest.predict(&table.x[..6]).unwrap(), [0.5, 0.5, 0.0]);
    let (together, _) = together(&recipe, std::slice::from_ref(&table));
    assert_eq!(together.predict(&table.x[..6]).unwrap(), [1.0 / 3.0; 3]);
}

fn accuracy(said: &[f64], table: &Table) -> f64 {
    let Labels::Classes(classes) = &table.labels else { panic!("classes expected") };
    let likeliest =
        |said: &[f64]| (1..said.len()).fold(0, |best, class| if said[class] > said[best] { class } else { best });
    let right = said.chunks(3).zip(classes).filter(|(said, class)| i64::try_from(likeliest(said)).unwrap() == **class);
    f64::from(u32::try_from(right.count()).unwrap()) / f64::from(u32::try_from(classes.len()).unwrap())
}

#[test]
fn a_forest_learns_classes_and_knows_how_well() {
    let all = table(1500, false);
    let (train, test) = (all.select(&(0..1000).collect::<Vec<_>>()), all.select(&(1000..1500).collect::<Vec<_>>()));
    for extra in [false, true] {
        let recipe = recipe(extra, false, |shape| shape.trees = 100);
        let forest = fit(&recipe, &train).unwrap();
        let measured = accuracy(&forest.predict(&test.x).unwrap(), &test);
        // One label in twenty is noise.
        assert!(measured > 0.92, "{measured}");
        let unseen = out_of_bag(&forest, &recipe, &train).unwrap();
        assert!(unseen.rows.len() == 1000, "{}", unseen.rows.len());
        let estimated = unseen.evaluate(&task(false), &train.labels).unwrap().unwrap().metrics.accuracy.unwrap();
        assert!((estimated - measured).abs() < 0.03, "{estimated} against {measured}");
        // What the forest says of rows it has seen is far too good to be an estimate.
        assert!(accuracy(&forest.predict(&train.x).unwrap(), &train) > estimated);
    }
}

#[test]
fn a_forest_learns_numbers() {
    let all = table(1500, true);
    let (train, test) = (all.select(&(0..1000).collect::<Vec<_>>()), all.select(&(1000..1500).collect::<Vec<_>>()));
    let recipe = recipe(false, true, |shape| {
        shape.trees = 60;
        shape.max_features = MaxFeatures::All {};
    });
    let said = fit(&recipe, &train).unwrap().predict(&test.x).unwrap();
    let Labels::Numbers(numbers) = &test.labels else { unreachable!() };
    let error: f64 =
        said.iter().zip(numbers).map(|(said, y)| (said * 4.0 + 10.0 - f64::from(*y)).powi(2)).sum::<f64>() / 500.0;
    // The label's variance is about 18.
    assert!(error < 0.5, "{error}");
}

#[test]
fn without_rows_outside_the_bag_there_is_no_estimate() {
    let table = table(50, false);
    let recipe = recipe(false, false, |shape| shape.bootstrap = Bootstrap::None {});
    let unseen = out_of_bag(&fit(&recipe, &table).unwrap(), &recipe, &table).unwrap();
    assert!(unseen.rows.is_empty() && unseen.evaluate(&task(false), &table.labels).unwrap().is_none());
}

#[test]
fn importances_point_at_the_features_that_matter() {
    let table = table(800, false);
    let recipe = recipe(false, false, |shape| shape.trees = 40);
    let forest = fit(&recipe, &table).unwrap();
    let by_impurity = impurity_importances(&forest);
    assert!((by_impurity.iter().sum::<f64>() - 1.0).abs() < 1e-12);
    assert!(by_impurity[0] > 0.3 && by_impurity[3] > 0.15 && by_impurity[1] == 0.0, "{by_impurity:?}");
    let model = AnyPredictor::Forest(forest, task(false));
    let single: Vec<_> = (0..6).map(|feature| feature..feature + 1).collect();
    let by_permutation = permutation_importances(&model, &single, &table, 1, 3).unwrap();
    let means: Vec<f64> = by_permutation.iter().map(|importance| importance.mean).collect();
    assert!(means[0] > 0.2 && means[3] > 0.05 && means[1] == 0.0, "{means:?}");
    assert!(means[2].abs() < 0.06 && by_permutation[0].deviation > 0.0, "{by_permutation:?}");
}

#[test]
fn balanced_weights_make_a_rare_class_count() {
    // 4 of 104 rows have class 1; in a tree without splits the shares are the prior.
    let table = Table {
        features: 6,
        x: (0_u8..104).flat_map(|row| [f32::from(row), 0.0, 0.0, 0.0, 0.0, 0.0]).collect(),
        labels: Labels::Classes((0..104).map(|row| i64::from(row % 26 == 0)).collect()),
    };
    let shares = |weight| {
        let recipe = recipe(false, false, |shape| {
            shape.bootstrap = Bootstrap::None {};
            shape.min_samples_split = 1000;
            shape.class_weight = weight;
        });
        fit(&recipe, &table).unwrap().predict(&table.x[..6]).unwrap()
    };
    assert!((shares(ClassWeight::None)[1] - 4.0 / 104.0).abs() < 1e-12);
    assert!((shares(ClassWeight::Balanced)[1] - 0.5).abs() < 1e-5);
    assert!(shares(ClassWeight::Balanced)[2] < 1e-12);
}

#[test]
fn threads_do_not_change_a_bit() {
    let table = table(300, false);
    let recipe = recipe(false, false, |shape| shape.trees = 70);
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let forest = fit(&recipe, &table).unwrap();
            let bare = start(&recipe);
            let told = histograms(&bare, &recipe, &table).unwrap();
            let told = histograms(&grow(&bare, &recipe, &[told]).unwrap(), &recipe, &table).unwrap();
            let unseen = out_of_bag(&forest, &recipe, &table).unwrap();
            (forest.to_bytes(), told.as_bytes().to_vec(), unseen, forest.predict(&table.x).unwrap())
        })
    };
    assert_eq!(with_threads(1), with_threads(4));
}

#[test]
fn what_does_not_fit_is_refused() {
    let recipe = recipe(false, false, |_| {});
    let refused = |table: &Table| fit(&recipe, table).unwrap_err().to_string();
    let few = table(10, false);
    assert!(refused(&few.select(&[])).contains("0 rows"));
    assert!(refused(&table(10, true)).contains("the labels are numbers"));
    assert!(refused(&Table { labels: Labels::Classes(vec![3; 10]), ..few.clone() }).contains("class 3"));
    assert!(refused(&Table { features: 3, x: vec![0.0; 30], labels: few.labels.clone() }).contains("3 features"));
    let finished = fit(&recipe, &few).unwrap();
    assert!(histograms(&finished, &recipe, &few).unwrap_err().to_string().contains("finished"));
    assert!(Recipe::new(&Model::LinearRegression {}, 6, &task(false), 1).is_err());
    let open = start(&recipe);
    assert_eq!(grow(&open, &recipe, &[]).unwrap(), open);
}

/// Rows of seats that know one or two classes each, and rows to test on.
fn skewed() -> (Vec<Table>, Table) {
    let all = table(1500, false);
    let Labels::Classes(classes) = &all.labels else { unreachable!() };
    let of = |wanted: &dyn Fn(usize) -> bool| all.select(&(0..1000).filter(|row| wanted(*row)).collect::<Vec<_>>());
    let seats = vec![
        of(&|row| classes[row] == 0),
        of(&|row| classes[row] == 1 && row % 2 == 0),
        of(&|row| classes[row] == 1 && row % 2 == 1 || classes[row] == 2),
    ];
    (seats, all.select(&(1000..1500).collect::<Vec<_>>()))
}

#[test]
fn leaves_that_all_seats_fill_make_a_good_union_of_poor_trees() {
    let (seats, test) = skewed();
    let recipe = recipe(false, false, |shape| shape.trees = 31);
    let shares: Vec<Forest> = (0..).zip(&seats).map(|(seat, rows)| share(&recipe, rows, seat, 3).unwrap()).collect();
    assert_eq!(shares.iter().map(|share| share.trees().len()).collect::<Vec<_>>(), [10, 10, 11]);
    let united = unite(&recipe, &shares).unwrap();
    let poor = accuracy(&united.predict(&test.x).unwrap(), &test);
    let mut counts: Vec<_> = seats.iter().map(|rows| leaf_counts(&united, &recipe, rows).unwrap()).collect();
    let refitted = refit(&united, &recipe, &counts).unwrap();
    let better = accuracy(&refitted.predict(&test.x).unwrap(), &test);
    assert!(better > poor && better > 0.7, "{poor}, then {better}");
    counts.reverse();
    assert_eq!(refit(&united, &recipe, &counts).unwrap(), refitted);
    assert_eq!(refit(&united, &recipe, &[]).unwrap(), united);
    assert_eq!(Forest::from_bytes(&refitted.to_bytes(), 1 << 24).unwrap(), refitted);
}

#[test]
fn shares_of_all_seats_with_the_same_rows_are_the_forest_of_one() {
    let (rows, recipe) = (table(200, true), recipe(true, true, |shape| shape.trees = 70));
    let shares: Vec<Forest> = (0..3).map(|seat| share(&recipe, &rows, seat, 3).unwrap()).collect();
    assert_eq!(unite(&recipe, &shares).unwrap(), fit(&recipe, &rows).unwrap());
}

#[test]
fn numbers_are_refitted_to_the_mean_of_all_seats() {
    let all = table(1200, true);
    let (low, high): (Vec<usize>, Vec<usize>) = (0..1000).partition(|row| all.row(*row)[0] < 0.0);
    let (seats, test) = ([all.select(&low), all.select(&high)], all.select(&(1000..1200).collect::<Vec<_>>()));
    let recipe = recipe(false, true, |shape| shape.trees = 40);
    let united =
        unite(&recipe, &[0, 1].map(|seat| share(&recipe, &seats[usize::from(seat)], seat, 2).unwrap())).unwrap();
    let refitted =
        refit(&united, &recipe, &seats.each_ref().map(|rows| leaf_counts(&united, &recipe, rows).unwrap())).unwrap();
    let Labels::Numbers(numbers) = &test.labels else { unreachable!() };
    let error = |forest: &Forest| {
        let said = forest.predict(&test.x).unwrap();
        said.iter().zip(numbers).map(|(said, y)| (said * 4.0 + 10.0 - f64::from(*y)).powi(2)).sum::<f64>() / 200.0
    };
    assert!(error(&refitted) < error(&united), "{} against {}", error(&refitted), error(&united));
}

#[test]
fn a_union_of_strangers_is_refused() {
    let rows = table(40, false);
    let recipe = recipe(false, false, |_| {});
    assert!(share(&recipe, &rows, 3, 3).unwrap_err().to_string().contains("seat 3 of 3"));
    let whole = fit(&recipe, &rows).unwrap();
    assert!(unite(&recipe, &[whole.clone(), whole.clone()]).unwrap_err().to_string().contains("24 trees"));
    assert!(unite(&recipe, &[start(&recipe)]).is_err());
    let refitted = refit(&whole, &recipe, &[leaf_counts(&whole, &recipe, &rows).unwrap()]).unwrap();
    assert!(unite(&recipe, &[refitted]).is_err());
    assert!(leaf_counts(&start(&recipe), &recipe, &rows).is_err());
}
