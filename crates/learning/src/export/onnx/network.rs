//! Linear models and networks: standardisation, then layer by layer. What is left out in training (dropout) is not there.

use parity_protocol::model::{Activation, LayerKind, Volume};

use super::{
    Said,
    graph::{Graph, Kind, attribute, tensor, whole},
};
use crate::{Result, card::ModelCard, export::check_finite, model, tensors::Tensors};

/// Adds a network; `tensors` are those of the card's model.
pub(super) fn add(graph: &mut Graph, card: &ModelCard, tensors: &Tensors) -> Result<Said> {
    check_finite(tensors)?;
    let scaled = graph.standardise(&card.scaling);
    graph.cast(scaled, "standardised", Kind::F32);
    let mut values = "standardised".to_owned();
    let mut is_image = false;
    let layers = card.model.layers(card.schema.features(), card.schema.outputs());
    for (index, layer) in layers.iter().enumerate() {
        let (weight, bias) = (model::weight_name(index), model::bias_name(index));
        for name in [&weight, &bias] {
            let tensor = &tensors.0[name];
            graph.constant(tensor::f32s(name, &tensor.shape, &tensor.data));
        }
        let step = |name: &str| format!("layers.{index}.{name}");
        if let LayerKind::Convolution { input, .. } = layer.kind
            && !is_image
        {
            values = reshape(graph, &values, input);
            is_image = true;
        }
        if matches!(layer.kind, LayerKind::Dense { .. }) && is_image {
            graph.add("Flatten", &[&values], &step("flat"), vec![attribute::int("axis", 1)]);
            values = step("flat");
            is_image = false;
        }
        let (operator, attributes) = match layer.kind {
            LayerKind::Dense { .. } => ("Gemm", vec![attribute::int("transB", 1)]),
            LayerKind::Convolution { kernel, .. } => ("Conv", square("kernel_shape", kernel, kernel / 2)),
        };
        graph.add(operator, &[&values, &weight, &bias], &step("sum"), attributes);
        values = step("sum");
        if let Some(activation) = layer.activation {
            activate(graph, &values, &step("activation"), activation);
            values = step("activation");
        }
        if let LayerKind::Convolution { pool: pool @ 2.., .. } = layer.kind {
            let sides = vec![whole(pool); 2];
            let attributes = vec![attribute::ints("kernel_shape", sides.clone()), attribute::ints("strides", sides)];
            graph.add("MaxPool", &[&values], &step("pool"), attributes);
            values = step("pool");
        }
    }
    graph.add("Identity", &[&values], "outputs", vec![]);
    graph.cast("outputs", "outputs_f64", Kind::F64);
    if card.schema.outputs() == 1 {
        return Ok(Said { scores: "outputs", answers: "outputs_f64" });
    }
    graph.add("Softmax", &["outputs_f64"], "shares", vec![attribute::int("axis", 1)]);
    Ok(Said { scores: "outputs", answers: "shares" })
}

/// Rows as images.
fn reshape(graph: &mut Graph, values: &str, image: Volume) -> String {
    // 0 stands for the size that the input has there.
    let sides = [0, image.channels.into(), image.height.into(), image.width.into()];
    graph.constant(tensor::i64s("image_shape", &sides));
    graph.add("Reshape", &[values, "image_shape"], "images", vec![]);
    "images".to_owned()
}

/// A square kernel with so many zeros on every side of the image.
fn square(name: &str, side: usize, zeros: usize) -> Vec<super::proto::Attribute> {
    vec![attribute::ints(name, vec![whole(side); 2]), attribute::ints("pads", vec![whole(zeros); 4])]
}

fn activate(graph: &mut Graph, input: &str, output: &str, activation: Activation) {
    let (operator, attributes) = match activation {
        Activation::Relu => ("Relu", vec![]),
        Activation::LeakyRelu => ("LeakyRelu", vec![attribute::float("alpha", Activation::LEAK)]),
        Activation::Tanh => ("Tanh", vec![]),
        Activation::Sigmoid => ("Sigmoid", vec![]),
    };
    graph.add(operator, &[input], output, attributes);
}
