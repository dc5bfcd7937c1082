//! Forests: every tree finds a leaf, and what the leaves say is added up.
//!
//! `TreeEnsembleRegressor` adds up what leaves say in f32, in an order of the runtime's choice, so that ties fall as they like.
//! Here it only tells which leaf a row ends in (f32 compares thresholds as we do, and holds the number of a leaf exactly); a
//! `Scan` over the trees then adds what that leaf says, in f64, in the order of the trees. Leaves that say the same are
//! one row of the table: pure leaves, most of all, are as many as there are classes.

use super::{
    FEATURES, Said,
    graph::{Graph, Kind, attribute, tensor, value_info, whole},
    proto::Attribute,
};
use crate::{
    Error, Result,
    forest::{Forest, LeafTable, Node},
};

/// Adds a forest.
pub(super) fn add(graph: &mut Graph, forest: &Forest) -> Result<Said> {
    if forest.trees().is_empty() {
        return Err(Error::Export("the forest has no tree yet; take the model of a later round".into()));
    }
    let outputs = forest.outputs();
    let leaves = LeafTable::of(forest)?;
    let width = outputs + 2;
    find_leaves(graph, forest, &leaves)?;
    graph.constant(tensor::f64s("leaves", &[leaves.rows.len() / width, width], &leaves.rows));
    add_up(graph, width);
    let column = |graph: &mut Graph, from: usize, to: usize, name: &str| {
        let (start, end) = (format!("{name}_start"), format!("{name}_end"));
        graph.constant(tensor::i64s(&start, &[whole(from)]));
        graph.constant(tensor::i64s(&end, &[whole(to)]));
        graph.add("Slice", &["said", &start, &end, "columns"], name, vec![]);
    };
    graph.constant(tensor::i64s("columns", &[1]));
    column(graph, 0, outputs, "sums");
    column(graph, outputs, outputs + 1, "votes");
    let answer = if leaves.multiplies {
        column(graph, outputs + 1, width, "speaking");
        graph.add("Div", &["speaking", "votes"], "vote", vec![]);
        graph.add("ReduceMax", &["sums"], "largest", vec![attribute::ints("axes", vec![1])]);
        graph.add("Sub", &["sums", "largest"], "below_largest", vec![]);
        graph.add("Mul", &["below_largest", "vote"], "logarithms", vec![]);
        graph.add("Softmax", &["logarithms"], "pooled", vec![attribute::int("axis", 1)]);
        "pooled"
    } else {
        graph.add("Div", &["sums", "votes"], "average", vec![]);
        "average"
    };
    graph.constant(tensor::f64s("none", &[], &[0.0]));
    graph.constant(tensor::f64s("undecided", &[], &[leaves.undecided]));
    graph.add("Equal", &["votes", "none"], "nobody_knows", vec![]);
    graph.add("Where", &["nobody_knows", "undecided", answer], "shares", vec![]);
    Ok(Said { scores: "shares", answers: "shares" })
}

/// `leaf`: int64 `[rows, trees]`, rows of the table.
fn find_leaves(graph: &mut Graph, forest: &Forest, leaves: &LeafTable) -> Result<()> {
    let mut nodes = Nodes::default();
    let mut numbers = leaves.numbers.iter();
    for (tree, of) in (0_i64..).zip(forest.trees()) {
        for (index, node) in (0_i64..).zip(of.nodes()) {
            match *node {
                Node::Split { feature, threshold, right } => {
                    nodes.push(tree, index, [feature.into(), index + 1, right.into()], threshold, "BRANCH_LEQ");
                }
                Node::Leaf(_) => {
                    nodes.push(tree, index, [0; 3], 0.0, "LEAF");
                    let number = *numbers.next().expect("every leaf has a number");
                    nodes.leaf(tree, index, exact(number)?);
                }
            }
        }
    }
    graph.add_trees("TreeEnsembleRegressor", &[FEATURES], "leaf_f32", nodes.attributes(forest.trees().len()));
    graph.cast("leaf_f32", "leaf", Kind::I64);
    Ok(())
}

/// A number of a leaf as f32, which holds whole numbers below 2^24.
fn exact(number: usize) -> Result<f32> {
    let too_many = || Error::Export("more than 2^24 different leaves; export as safetensors or json".into());
    let (high, low) = (u8::try_from(number >> 16).map_err(|_| too_many())?, number & 0xffff);
    let low = u16::try_from(low).expect("16 bits");
    Ok(f32::from(high) * 65_536.0 + f32::from(low))
}

/// `said`: f64 `[rows, width]`, the sum over the trees in their order.
fn add_up(graph: &mut Graph, width: usize) {
    let mut body = Graph::default();
    body.add("Gather", &["leaves", "tree_leaf"], "tree_said", vec![attribute::int("axis", 0)]);
    body.add("Add", &["said_before", "tree_said"], "said_after", vec![]);
    let sums = |name| value_info(name, Kind::F64, &[None, Some(width)]);
    let inputs = vec![sums("said_before"), value_info("tree_leaf", Kind::I64, &[None])];
    let body = body.finish("one tree", inputs, vec![sums("said_after")]);

    graph.constant(tensor::i64s("width", &[whole(width)]));
    let rows = vec![attribute::int("start", 0), attribute::int("end", 1)];
    graph.add("Shape", &[FEATURES], "row_count", rows);
    graph.add("Concat", &["row_count", "width"], "said_shape", vec![attribute::int("axis", 0)]);
    let zero = attribute::tensor("value", tensor::f64s("zero", &[1], &[0.0]));
    graph.add("ConstantOfShape", &["said_shape"], "nothing_said", vec![zero]);
    let scan = vec![
        attribute::graph("body", body),
        attribute::int("num_scan_inputs", 1),
        attribute::ints("scan_input_axes", vec![1]),
    ];
    graph.add("Scan", &["nothing_said", "leaf"], "said", scan);
}

/// Nodes of all trees, as the operator wants them: a list for each of their properties.
#[derive(Default)]
struct Nodes {
    trees: Vec<i64>,
    indices: Vec<i64>,
    features: Vec<i64>,
    lefts: Vec<i64>,
    rights: Vec<i64>,
    thresholds: Vec<f32>,
    modes: Vec<Vec<u8>>,
    leaf_trees: Vec<i64>,
    leaf_indices: Vec<i64>,
    leaf_numbers: Vec<f32>,
}

impl Nodes {
    fn push(&mut self, tree: i64, index: i64, [feature, left, right]: [i64; 3], threshold: f32, mode: &str) {
        self.trees.push(tree);
        self.indices.push(index);
        self.features.push(feature);
        self.lefts.push(left);
        self.rights.push(right);
        self.thresholds.push(threshold);
        self.modes.push(mode.as_bytes().to_vec());
    }

    fn leaf(&mut self, tree: i64, index: i64, number: f32) {
        self.leaf_trees.push(tree);
        self.leaf_indices.push(index);
        self.leaf_numbers.push(number);
    }

    /// A target for every tree, so that each has one leaf and nothing is added.
    fn attributes(self, trees: usize) -> Vec<Attribute> {
        vec![
            attribute::text("aggregate_function", "SUM"),
            attribute::text("post_transform", "NONE"),
            attribute::int("n_targets", whole(trees)),
            attribute::ints("nodes_treeids", self.trees),
            attribute::ints("nodes_nodeids", self.indices),
            attribute::ints("nodes_featureids", self.features),
            attribute::ints("nodes_truenodeids", self.lefts),
            attribute::ints("nodes_falsenodeids", self.rights),
            attribute::floats("nodes_values", self.thresholds),
            attribute::texts("nodes_modes", self.modes),
            attribute::ints("target_ids", self.leaf_trees.clone()),
            attribute::ints("target_treeids", self.leaf_trees),
            attribute::ints("target_nodeids", self.leaf_indices),
            attribute::floats("target_weights", self.leaf_numbers),
        ]
    }
}
