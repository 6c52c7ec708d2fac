//! Kernels over single rows that encoders need: LayerNorm, and activations without a gate.

use super::Isa;
use super::elementwise::gated;
use super::lanes::{Kernel, LANES, Lanes};
use super::linear_int8::DotBlocks;
use crate::math;
use crate::ops::Activation;

/// Normalizes a row in place: `fma((x − mean) · r, weight, bias)` with
/// `r = 1 / sqrt(mean((x − mean)²) + epsilon)`.
///
/// Element `i` of either sum goes into lane `i % 16`, in index order, by addition in the first and
/// by fma in the second; the lanes are summed by a tree (8, 4, 2, 1 apart).
///
/// # Panics
/// If `weight` or `bias` has another length than `x`.
pub(crate) fn layer_norm(isa: Isa, x: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    assert!(x.len() == weight.len() && x.len() == bias.len());
    isa.run(LayerNorm {
        x,
        weight,
        bias,
        epsilon,
    });
}

struct LayerNorm<'a> {
    x: &'a mut [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    epsilon: f32,
}

impl Kernel for LayerNorm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        let count = self.x.len() as f32;
        let (x, x_tail) = self.x.as_chunks_mut::<LANES>();
        let mut sum = lanes.splat(0.0);
        for x in x.iter() {
            sum = lanes.add(sum, lanes.load(x));
        }
        if !x_tail.is_empty() {
            sum = lanes.add(sum, lanes.load_some(x_tail));
        }
        let mean = lanes.sum(sum) / count;
        // What fills the last vector up has no distance from the mean.
        let mut rest = [mean; LANES];
        rest[..x_tail.len()].copy_from_slice(x_tail);
        let mean = lanes.splat(mean);
        let mut squares = lanes.splat(0.0);
        for x in x.iter() {
            let apart = lanes.sub(lanes.load(x), mean);
            squares = lanes.fma(apart, apart, squares);
        }
        let apart = lanes.sub(lanes.load(&rest), mean);
        if !x_tail.is_empty() {
            squares = lanes.fma(apart, apart, squares);
        }
        let variance = lanes.sum(squares) / count;
        let r = lanes.splat(1.0 / math::sqrt(variance + self.epsilon));
        let (weight, weight_tail) = self.weight.as_chunks();
        let (bias, bias_tail) = self.bias.as_chunks();
        for ((x, weight), bias) in x.iter_mut().zip(weight).zip(bias) {
            let scaled = lanes.mul(lanes.sub(lanes.load(x), mean), r);
            lanes.store(lanes.fma(scaled, lanes.load(weight), lanes.load(bias)), x);
        }
        if !x_tail.is_empty() {
            let (weight, bias) = (lanes.load_some(weight_tail), lanes.load_some(bias_tail));
            lanes.store_some(lanes.fma(lanes.mul(apart, r), weight, bias), x_tail);
        }
    }
}

/// `x = activation(x)`.
pub(crate) fn activate(isa: Isa, activation: Activation, x: &mut [f32]) {
    match activation {
        Activation::Silu => isa.run(Activate::<SILU> { x }),
        Activation::GeluTanh => isa.run(Activate::<GELU_TANH> { x }),
        Activation::Gelu => isa.run(Activate::<GELU> { x }),
        #[cfg(feature = "recurrence")]
        Activation::Sigmoid => isa.run(Activate::<SIGMOID> { x }),
        #[cfg(feature = "recurrence")]
        Activation::Softplus => isa.run(Activate::<SOFTPLUS> { x }),
    }
}

const SILU: u32 = Activation::Silu as u32;
const GELU_TANH: u32 = Activation::GeluTanh as u32;
const GELU: u32 = Activation::Gelu as u32;
#[cfg(feature = "recurrence")]
const SIGMOID: u32 = Activation::Sigmoid as u32;
#[cfg(feature = "recurrence")]
const SOFTPLUS: u32 = Activation::Softplus as u32;

struct Activate<'a, const ACTIVATION: u32> {
    x: &'a mut [f32],
}

impl<const ACTIVATION: u32> Kernel for Activate<'_, ACTIVATION> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        let (x, tail) = self.x.as_chunks_mut();
        for x in x {
            lanes.store(activated::<L, ACTIVATION>(lanes, lanes.load(x)), x);
        }
        if !tail.is_empty() {
            let x = activated::<L, ACTIVATION>(lanes, lanes.load_some(tail));
            lanes.store_some(x, tail);
        }
    }
}

#[inline(always)]
fn activated<L: Lanes, const ACTIVATION: u32>(lanes: L, x: L::F) -> L::F {
    // The others are gates whose other side is 1.
    match ACTIVATION {
        GELU => gelu(lanes, x),
        #[cfg(feature = "recurrence")]
        SIGMOID => sigmoid(lanes, x),
        #[cfg(feature = "recurrence")]
        SOFTPLUS => softplus(lanes, x),
        GELU_TANH => gated::<L, true>(lanes, x, lanes.splat(1.0)),
        _ => gated::<L, false>(lanes, x, lanes.splat(1.0)),
    }
}

/// `out = activation(gate) · up`.
///
/// # Panics
/// If the three have different lengths.
pub(super) fn gate(isa: Isa, activation: Activation, gate: &[f32], up: &[f32], out: &mut [f32]) {
    assert!(gate.len() == out.len() && up.len() == out.len());
    out.copy_from_slice(gate);
    activate(isa, activation, out);
    isa.run(Multiply { x: out, by: up });
}

struct Multiply<'a> {
    x: &'a mut [f32],
    by: &'a [f32],
}

impl Kernel for Multiply<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, _: L) {
        for (x, by) in self.x.iter_mut().zip(self.by) {
            *x *= by;
        }
    }
}

/// `t = 1 / (1 + SLOPE · |x|)`, at which the polynomial is taken.
const SLOPE: f32 = 0.35;

/// `Φ(−|x|) / (t · exp(−x² / 2))`, highest power of `t` first, where `Φ` is the normal distribution
/// (least squares of the relative error at 400 Chebyshev nodes for `|x|` up to 14.5; 4e-8 from the
/// truth).
const TAIL: [f32; 9] = [
    -0.029_529_656,
    0.145_783_44,
    -0.259_327_97,
    0.163_135_49,
    -0.025_708_605,
    0.106_547_91,
    0.119_586_18,
    0.139_893_45,
    0.139_619_74,
];

/// From here on nothing is left of the normal distribution's tail in f32.
const FAR: f32 = 16.0;

/// `x · Φ(x)`, as `fma(−|x|, Φ(−|x|), max(x, 0))`. NaN stays NaN.
#[inline(always)]
pub(super) fn gelu<L: Lanes>(lanes: L, x: L::F) -> L::F {
    let zero = lanes.splat(0.0);
    let magnitude = lanes.max(lanes.sub(zero, x), x);
    let magnitude = lanes.min(lanes.splat(FAR), magnitude);
    let one = lanes.splat(1.0);
    let t = lanes.div(one, lanes.fma(magnitude, lanes.splat(SLOPE), one));
    let mut tail = lanes.splat(TAIL[0]);
    for coefficient in &TAIL[1..] {
        tail = lanes.fma(tail, t, lanes.splat(*coefficient));
    }
    let half = lanes.mul(magnitude, lanes.splat(-0.5));
    let e = lanes.exp(lanes.mul(half, magnitude));
    let tail = lanes.mul(lanes.mul(tail, t), e);
    let negated = lanes.sub(zero, magnitude);
    lanes.fma(negated, tail, lanes.max(zero, x))
}

/// `1 / (1 + exp(−x))`.
#[cfg(feature = "recurrence")]
#[inline(always)]
fn sigmoid<L: Lanes>(lanes: L, x: L::F) -> L::F {
    let one = lanes.splat(1.0);
    let e = lanes.exp(lanes.sub(lanes.splat(-0.0), x));
    lanes.div(one, lanes.add(one, e))
}

/// `1/15, 1/13 … 1/3, 1`: `atanh(s) / s` by powers of `s²`.
#[cfg(feature = "recurrence")]
const ATANH: [f32; 8] = [
    1.0 / 15.0,
    1.0 / 13.0,
    1.0 / 11.0,
    1.0 / 9.0,
    1.0 / 7.0,
    1.0 / 5.0,
    1.0 / 3.0,
    1.0,
];

/// `ln(1 + exp(x))`, as `max(x, 0) + ln(1 + y)` with `y = exp(−|x|)` and
/// `ln(1 + y) = 2 · atanh(s)`, `s = y / (2 + y)`, which is at most a third: of the series, what follows
/// the eighth term is less than 2e-9 of the sum. NaN stays NaN.
#[cfg(feature = "recurrence")]
#[inline(always)]
fn softplus<L: Lanes>(lanes: L, x: L::F) -> L::F {
    let zero = lanes.splat(0.0);
    let magnitude = lanes.max(lanes.sub(zero, x), x);
    let y = lanes.exp(lanes.sub(zero, magnitude));
    let s = lanes.div(y, lanes.add(lanes.splat(2.0), y));
    let square = lanes.mul(s, s);
    let mut sum = lanes.splat(ATANH[0]);
    for coefficient in &ATANH[1..] {
        sum = lanes.fma(sum, square, lanes.splat(*coefficient));
    }
    lanes.fma(lanes.add(s, s), sum, lanes.max(zero, x))
}
