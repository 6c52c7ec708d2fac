//! Which rules explain which operator, by domain and name. The first that applies wins.

use super::Rule;
use crate::fold::{arithmetic, constant, logic, pick, shape};
use crate::groups::{
    attention, convolution, embedding, experts, gated_mlp, group_query, layer_norm, linear,
    linear_blocks, mixture, position, recurrence, residual, rms_norm, rotary, rotary_table, route,
    route_fused, route_groups, scaled, sinks, softcap, standard_attention, weighed,
};
use crate::onnx::Node;

/// Microsoft's domain of operators for onnxruntime.
const MICROSOFT: &str = "com.microsoft";

/// The rules for a node's operator; `None` if nobody knows it.
pub(super) fn of(node: &Node) -> Option<&'static [Rule]> {
    let rules = RULES
        .iter()
        .find(|(domain, op, _)| *domain == node.domain && *op == node.op);
    rules.map(|(_, _, rules)| *rules)
}

#[rustfmt::skip]
const RULES: &[(&str, &str, &[Rule])] = &[
    ("", "Add", &[
        arithmetic::ints, arithmetic::floats, rms_norm::shift, rotary::add, linear::bias,
        gated_mlp::add, route::add, route::bias, attention::mask, layer_norm::add, position::add, residual::add, arithmetic::grids, experts::add,
    ]),
    ("", "And", &[logic::both]),
    ("", "Attention", &[standard_attention::rule]),
    ("", "Cast", &[rotary_table::cast, route_groups::cast, shape::cast]),
    ("", "Clip", &[route_fused::clip, experts::clip]),
    ("", "Concat", &[pick::concat, attention::keep, sinks::join, convolution::join, rotary::concat]),
    ("", "Constant", &[constant::constant]),
    ("", "ConstantOfShape", &[constant::constant_of_shape]),
    ("", "Conv", &[convolution::conv]),
    ("", "Cos", &[rotary_table::wave]),
    ("", "CumSum", &[constant::cumulative_sum]),
    ("", "DequantizeLinear", &[
        embedding::dequantize, position::dequantize, scaled::dequantize, scaled::restore,
    ]),
    ("", "Div", &[
        arithmetic::ints, arithmetic::floats, rms_norm::inverse, layer_norm::divide, attention::scale, route::normalize, route_fused::fraction,
    ]),
    ("", "DynamicQuantizeLinear", &[linear::quantize]),
    ("", "Equal", &[logic::equal, logic::padding, logic::compare]),
    ("", "Erf", &[gated_mlp::erf]),
    ("", "Exp", &[gated_mlp::exponential]),
    ("", "Expand", &[route_groups::expand, sinks::expand, shape::expand, weighed::fixed]),
    ("", "Flatten", &[shape::flatten]),
    ("", "Gather", &[embedding::gather, rotary_table::gather, position::gather, pick::gather]),
    ("", "GatherElements", &[route::scores_of]),
    ("", "GatherND", &[rotary_table::gather_nd, pick::gather_nd]),
    ("", "Gelu", &[gated_mlp::gelu]),
    ("", "Gemm", &[linear::gemm]),
    ("", "Greater", &[logic::compare]),
    ("", "GreaterOrEqual", &[logic::compare]),
    ("", "Identity", &[shape::identity]),
    ("", "If", &[logic::by_length]),
    ("", "IsNaN", &[attention::is_nan]),
    ("", "LayerNormalization", &[layer_norm::fused]),
    ("", "Less", &[logic::compare]),
    ("", "LessOrEqual", &[logic::compare]),
    ("", "Log", &[route_fused::log]),
    ("", "LpNormalization", &[recurrence::length]),
    ("", "MatMul", &[
        rotary_table::angles, linear::matmul, experts::matmul, attention::matmul,
    ]),
    ("", "MatMulInteger", &[linear::matmul_integer]),
    ("", "Max", &[logic::max]),
    ("", "Mul", &[
        arithmetic::ints, arithmetic::floats, rms_norm::multiply, gated_mlp::multiply, gated_mlp::scale, softcap::cap,
        rotary_table::angles, rotary::multiply, linear::rescale, embedding::scale, attention::scale,
        rms_norm::square, layer_norm::weigh, layer_norm::square, arithmetic::grids, route::scale, experts::multiply,
        experts::shared, convolution::gate, route_fused::scale, route_fused::rescale, weighed::rate, weighed::by_head,
        experts::scale,
    ]),
    ("", "NonZero", &[logic::non_zero]),
    ("", "Neg", &[arithmetic::unary, rotary::negate]),
    ("", "Not", &[route_groups::not, logic::not]),
    ("", "Or", &[logic::both]),
    ("", "Pow", &[arithmetic::floats, rms_norm::square, layer_norm::square, gated_mlp::cube]),
    ("", "QLinearMatMul", &[scaled::matmul]),
    ("", "QuantizeLinear", &[scaled::round]),
    ("", "RMSNormalization", &[rms_norm::fused]),
    ("", "Range", &[constant::range]),
    ("", "Reciprocal", &[arithmetic::unary, rms_norm::inverse, gated_mlp::reciprocal]),
    ("", "ReduceMax", &[constant::reduce_max, sinks::greatest]),
    ("", "ReduceMean", &[rms_norm::mean, layer_norm::mean]),
    ("", "ReduceSum", &[constant::reduce_sum, route::total, route_groups::sum, experts::sum]),
    ("", "Reshape", &[route_groups::reshape, route_fused::reshape, shape::reshape]),
    ("", "RotaryEmbedding", &[rotary::standard]),
    ("", "ScatterElements", &[route::scatter, route_groups::mark, route_fused::scatter]),
    ("", "Shape", &[constant::shape]),
    ("", "Sigmoid", &[gated_mlp::sigmoid, experts::sigmoid]),
    ("", "SimplifiedLayerNormalization", &[rms_norm::fused]),
    ("", "Sin", &[rotary_table::wave]),
    ("", "Slice", &[pick::slice]),
    ("", "Softmax", &[attention::softmax, route::score, route_fused::softmax]),
    ("", "Split", &[pick::split]),
    ("", "Sqrt", &[arithmetic::unary, rms_norm::root, layer_norm::root]),
    ("", "Squeeze", &[shape::unsqueeze]),
    ("", "Sub", &[
        arithmetic::ints, arithmetic::floats, layer_norm::centre, arithmetic::grids, rotary::subtract, sinks::subtract,
    ]),
    ("", "Swish", &[gated_mlp::silu]),
    ("", "Tanh", &[gated_mlp::tanh, attention::bend, softcap::bend]),
    ("", "TopK", &[route::choose, route_groups::choose]),
    ("", "Transpose", &[shape::transpose]),
    ("", "Unsqueeze", &[route_groups::unsqueeze, shape::unsqueeze]),
    ("", "Where", &[logic::pick, route_groups::select, attention::select, logic::select, logic::by_length]),
    (MICROSOFT, "CausalConvWithState", &[convolution::fused]),
    (MICROSOFT, "FastGelu", &[gated_mlp::gelu]),
    (MICROSOFT, "GatherBlockQuantized", &[embedding::gather_blocks]),
    (MICROSOFT, "GatedAdd", &[experts::gated_add]),
    (MICROSOFT, "GatedRMSNorm", &[recurrence::gated_norm]),
    (MICROSOFT, "Gelu", &[gated_mlp::gelu]),
    (MICROSOFT, "GroupQueryAttention", &[group_query::rule]),
    (MICROSOFT, "LinearAttention", &[recurrence::attend]),
    (MICROSOFT, "LinearAttentionGate", &[recurrence::gate]),
    (MICROSOFT, "MRotaryEmbedding", &[rotary::fused]),
    (MICROSOFT, "MatMulBnb4", &[linear_blocks::matmul_bnb4]),
    (MICROSOFT, "MatMulNBits", &[linear_blocks::matmul_nbits]),
    (MICROSOFT, "MoE", &[mixture::rule]),
    (MICROSOFT, "QMoE", &[mixture::rule]),
    (MICROSOFT, "QuickGelu", &[gated_mlp::silu]),
    (MICROSOFT, "RotaryEmbedding", &[rotary::fused]),
    (MICROSOFT, "SimplifiedLayerNormalization", &[rms_norm::fused]),
    (MICROSOFT, "SkipSimplifiedLayerNormalization", &[rms_norm::skip]),
];
