//! Building blocks of a graph: operators in the order in which they are computed, constants, attributes.

use parity_protocol::schema::Scaling;

use super::{
    FEATURES, ROWS,
    proto::{self, Dimension, Node, Shape, Tensor, TensorType, Type, ValueInfo},
};

/// Domain of the operators for trees.
pub(super) const TREES: &str = "ai.onnx.ml";

/// Element types, by their numbers in `TensorProto.DataType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// float32.
    F32,
    /// int64.
    I64,
    /// float64.
    F64,
}

impl Kind {
    /// The number of the type.
    pub(super) fn number(self) -> i32 {
        match self {
            Self::F32 => 1,
            Self::I64 => 7,
            Self::F64 => 11,
        }
    }
}

/// A graph under construction. Values go by their names, which must differ.
#[derive(Debug, Default)]
pub(super) struct Graph {
    nodes: Vec<Node>,
    constants: Vec<Tensor>,
}

impl Graph {
    /// Adds a constant.
    pub(super) fn constant(&mut self, tensor: Tensor) {
        self.constants.push(tensor);
    }

    /// Adds an operator of ai.onnx with one output.
    pub(super) fn add(&mut self, operator: &str, inputs: &[&str], output: &str, attributes: Vec<proto::Attribute>) {
        self.add_of("", operator, inputs, output, attributes);
    }

    /// Adds an operator for trees with one output.
    pub(super) fn add_trees(&mut self, operator: &str, inputs: &[&str], output: &str, of: Vec<proto::Attribute>) {
        self.add_of(TREES, operator, inputs, output, of);
    }

    fn add_of(&mut self, domain: &str, operator: &str, inputs: &[&str], output: &str, of: Vec<proto::Attribute>) {
        self.nodes.push(Node {
            inputs: inputs.iter().map(|name| (*name).to_owned()).collect(),
            outputs: vec![output.to_owned()],
            name: output.to_owned(),
            operator: operator.to_owned(),
            attributes: of,
            domain: domain.to_owned(),
        });
    }

    /// Adds a cast.
    pub(super) fn cast(&mut self, input: &str, output: &str, to: Kind) {
        self.add("Cast", &[input], output, vec![attribute::int("to", to.number().into())]);
    }

    /// Adds `(x - mean) / deviation` of the features in f64, within the limit if there is one; the answer is the name of its value.
    pub(super) fn standardise(&mut self, scaling: &Scaling) -> &'static str {
        let features = scaling.mean.len();
        self.constant(tensor::f64s("mean", &[features], &scaling.mean));
        self.constant(tensor::f64s("deviation", &[features], &scaling.deviation));
        self.cast(FEATURES, "features_f64", Kind::F64);
        self.add("Sub", &["features_f64", "mean"], "centred", vec![]);
        self.add("Div", &["centred", "deviation"], "standardised_f64", vec![]);
        let Some(limit) = scaling.limit else { return "standardised_f64" };
        self.constant(tensor::f64s("least", &[], &[-limit]));
        self.constant(tensor::f64s("most", &[], &[limit]));
        self.add("Clip", &["standardised_f64", "least", "most"], "limited_f64", vec![]);
        "limited_f64"
    }

    /// The graph with its inputs and outputs.
    pub(super) fn finish(self, name: &str, inputs: Vec<ValueInfo>, outputs: Vec<ValueInfo>) -> proto::Graph {
        proto::Graph { nodes: self.nodes, name: name.to_owned(), constants: self.constants, inputs, outputs }
    }
}

/// An input or output; a size that is not given is the number of rows.
pub(super) fn value_info(name: &str, kind: Kind, shape: &[Option<usize>]) -> ValueInfo {
    let dimension = |size: &Option<usize>| match size {
        Some(size) => Dimension { size: Some(whole(*size)), name: None },
        None => Dimension { size: None, name: Some(ROWS.to_owned()) },
    };
    let shape = Shape { dimensions: shape.iter().map(dimension).collect() };
    let tensor = TensorType { kind: kind.number(), shape: Some(shape) };
    ValueInfo { name: name.to_owned(), kind: Some(Type { tensor: Some(tensor) }) }
}

/// A length as ONNX counts.
pub(super) fn whole(length: usize) -> i64 {
    i64::try_from(length).expect("a length fits 63 bits")
}

/// Constants.
pub(super) mod tensor {
    use super::{Kind, Tensor, whole};

    fn of(name: &str, kind: Kind, shape: &[usize], data: Vec<u8>) -> Tensor {
        let shape = shape.iter().map(|size| whole(*size)).collect();
        Tensor { shape, kind: kind.number(), name: name.to_owned(), data }
    }

    /// float32 of a shape.
    pub(in super::super) fn f32s(name: &str, shape: &[usize], values: &[f32]) -> Tensor {
        of(name, Kind::F32, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// float64 of a shape.
    pub(in super::super) fn f64s(name: &str, shape: &[usize], values: &[f64]) -> Tensor {
        of(name, Kind::F64, shape, values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }

    /// A list of int64.
    pub(in super::super) fn i64s(name: &str, values: &[i64]) -> Tensor {
        of(name, Kind::I64, &[values.len()], values.iter().flat_map(|value| value.to_le_bytes()).collect())
    }
}

/// Attributes of operators.
pub(super) mod attribute {
    use super::proto::{Attribute, Graph, Tensor};

    /// An attribute, by the number of its type in `AttributeProto.AttributeType`.
    fn of(name: &str, kind: i32) -> Attribute {
        Attribute { name: name.to_owned(), kind, ..Attribute::default() }
    }

    /// A float32.
    pub(in super::super) fn float(name: &str, value: f32) -> Attribute {
        Attribute { float: Some(value), ..of(name, 1) }
    }

    /// A whole number.
    pub(in super::super) fn int(name: &str, value: i64) -> Attribute {
        Attribute { int: Some(value), ..of(name, 2) }
    }

    /// A text.
    pub(in super::super) fn text(name: &str, value: &str) -> Attribute {
        Attribute { text: Some(value.as_bytes().to_vec()), ..of(name, 3) }
    }

    /// A tensor.
    pub(in super::super) fn tensor(name: &str, value: Tensor) -> Attribute {
        Attribute { tensor: Some(value), ..of(name, 4) }
    }

    /// A graph: the body of a loop.
    pub(in super::super) fn graph(name: &str, value: Graph) -> Attribute {
        Attribute { graph: Some(value), ..of(name, 5) }
    }

    /// float32s.
    pub(in super::super) fn floats(name: &str, values: Vec<f32>) -> Attribute {
        Attribute { floats: values, ..of(name, 6) }
    }

    /// Whole numbers.
    pub(in super::super) fn ints(name: &str, values: Vec<i64>) -> Attribute {
        Attribute { ints: values, ..of(name, 7) }
    }

    /// Texts.
    pub(in super::super) fn texts(name: &str, values: Vec<Vec<u8>>) -> Attribute {
        Attribute { texts: values, ..of(name, 8) }
    }
}
