//! Groups of ONNX operators that a plan executes as one, a file each. A group may come as a
//! single fused operator or spread over a dozen small ones: both end in the same row operator.

pub(crate) mod attention;
pub(crate) mod convolution;
pub(crate) mod embedding;
pub(crate) mod experts;
pub(crate) mod gated_mlp;
pub(crate) mod group_query;
pub(crate) mod layer_norm;
pub(crate) mod linear;
pub(crate) mod linear_blocks;
pub(crate) mod mixture;
pub(crate) mod position;
pub(crate) mod recurrence;
pub(crate) mod residual;
pub(crate) mod rms_norm;
pub(crate) mod rotary;
pub(crate) mod rotary_table;
pub(crate) mod route;
pub(crate) mod route_fused;
pub(crate) mod route_groups;
pub(crate) mod scaled;
pub(crate) mod sinks;
pub(crate) mod softcap;
pub(crate) mod standard_attention;
pub(crate) mod weighed;
