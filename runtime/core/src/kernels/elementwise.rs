//! Kernels over single rows: norm, rotation, gate, cap, sum.

use super::Isa;
use super::lanes::{Kernel, LANES, Lanes};
use super::linear_int8::DotBlocks;
use crate::math;
use crate::ops::{Activation, RopeStyle};

/// Normalizes a row in place: `x · r · weight` with `r = 1 / sqrt(mean(x²) + epsilon)`, the
/// products rounded in this order.
///
/// Element `i` of the sum of squares goes into lane `i % 16` by fma, in index order; the lanes
/// are summed by a tree (8, 4, 2, 1 apart).
///
/// # Panics
/// If `weight` has another length than `x`.
pub(crate) fn rms_norm(isa: Isa, x: &mut [f32], weight: &[f32], epsilon: f32) {
    assert_eq!(x.len(), weight.len());
    isa.run(RmsNorm { x, weight, epsilon });
}

struct RmsNorm<'a> {
    x: &'a mut [f32],
    weight: &'a [f32],
    epsilon: f32,
}

impl Kernel for RmsNorm<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        let squares = sum_of_products(lanes, self.x, self.x);
        let mean = squares / self.x.len() as f32;
        let r = lanes.splat(1.0 / math::sqrt(mean + self.epsilon));
        let (x, x_tail) = self.x.as_chunks_mut();
        let (weight, weight_tail) = self.weight.as_chunks();
        for (x, weight) in x.iter_mut().zip(weight) {
            let scaled = lanes.mul(lanes.load(x), r);
            lanes.store(lanes.mul(scaled, lanes.load(weight)), x);
        }
        if !x_tail.is_empty() {
            let scaled = lanes.mul(lanes.load_some(x_tail), r);
            lanes.store_some(lanes.mul(scaled, lanes.load_some(weight_tail)), x_tail);
        }
    }
}

/// Sixteen strided lanes of fma, then the tree.
#[inline(always)]
pub(super) fn sum_of_products<L: Lanes>(lanes: L, a: &[f32], b: &[f32]) -> f32 {
    let (a, a_tail) = a.as_chunks::<LANES>();
    let (b, b_tail) = b.as_chunks::<LANES>();
    let mut sum = lanes.splat(0.0);
    for (a, b) in a.iter().zip(b) {
        sum = lanes.fma(lanes.load(a), lanes.load(b), sum);
    }
    if !a_tail.is_empty() {
        sum = lanes.fma(lanes.load_some(a_tail), lanes.load_some(b_tail), sum);
    }
    lanes.sum(sum)
}

/// Turns pairs `(a, b)` of a head's values in place:
/// `a' = fma(a, cos, −(b · sin))`, `b' = fma(b, cos, a · sin)`.
///
/// # Panics
/// If `cos` or `sin` is not half as long as `head`.
pub(crate) fn rope(isa: Isa, style: RopeStyle, head: &mut [f32], cos: &[f32], sin: &[f32]) {
    assert!(head.len() == 2 * cos.len() && cos.len() == sin.len());
    match style {
        RopeStyle::Halves => isa.run(RopeHalves { head, cos, sin }),
        RopeStyle::Interleaved => isa.run(RopeInterleaved { head, cos, sin }),
    }
}

struct RopeHalves<'a> {
    head: &'a mut [f32],
    cos: &'a [f32],
    sin: &'a [f32],
}

impl Kernel for RopeHalves<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        let (a, b) = self.head.split_at_mut(self.cos.len());
        let (a, a_tail) = a.as_chunks_mut::<LANES>();
        let (b, b_tail) = b.as_chunks_mut::<LANES>();
        let (cos, cos_tail) = self.cos.as_chunks();
        let (sin, sin_tail) = self.sin.as_chunks();
        for (((a, b), cos), sin) in a.iter_mut().zip(b).zip(cos).zip(sin) {
            let (cos, sin) = (lanes.load(cos), lanes.load(sin));
            let turned = turn(lanes, lanes.load(a), lanes.load(b), cos, sin);
            lanes.store(turned.0, a);
            lanes.store(turned.1, b);
        }
        if !a_tail.is_empty() {
            let (cos, sin) = (lanes.load_some(cos_tail), lanes.load_some(sin_tail));
            let turned = turn(
                lanes,
                lanes.load_some(a_tail),
                lanes.load_some(b_tail),
                cos,
                sin,
            );
            lanes.store_some(turned.0, a_tail);
            lanes.store_some(turned.1, b_tail);
        }
    }
}

#[inline(always)]
fn turn<L: Lanes>(lanes: L, a: L::F, b: L::F, cos: L::F, sin: L::F) -> (L::F, L::F) {
    let negated = lanes.sub(lanes.splat(-0.0), lanes.mul(b, sin));
    (
        lanes.fma(a, cos, negated),
        lanes.fma(b, cos, lanes.mul(a, sin)),
    )
}

struct RopeInterleaved<'a> {
    head: &'a mut [f32],
    cos: &'a [f32],
    sin: &'a [f32],
}

impl Kernel for RopeInterleaved<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, _: L) {
        let pairs = self.head.as_chunks_mut().0;
        for (([a, b], cos), sin) in pairs.iter_mut().zip(self.cos).zip(self.sin) {
            (*a, *b) = (
                math::fma(*a, *cos, -(*b * sin)),
                math::fma(*b, *cos, *a * sin),
            );
        }
    }
}

/// `out = activation(gate) · up`: `gate / (1 + exp(e)) · up`, with `e = −gate` for SiLU and
/// `e = gate · fma(gate², −0.0713548, −1.5957691)` for GELU with tanh, as
/// `(1 + tanh(u)) / 2 = 1 / (1 + exp(−2 · u))`.
///
/// # Panics
/// If the three have different lengths.
pub(crate) fn gate(isa: Isa, activation: Activation, gate: &[f32], up: &[f32], out: &mut [f32]) {
    assert!(gate.len() == out.len() && up.len() == out.len());
    match activation {
        Activation::Silu => isa.run(Gate::<false> { gate, up, out }),
        Activation::GeluTanh => isa.run(Gate::<true> { gate, up, out }),
        #[cfg(feature = "encoders")]
        _ => super::encoder::gate(isa, activation, gate, up, out),
    }
}

struct Gate<'a, const GELU: bool> {
    gate: &'a [f32],
    up: &'a [f32],
    out: &'a mut [f32],
}

impl<const GELU: bool> Kernel for Gate<'_, GELU> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        let (gate, gate_tail) = self.gate.as_chunks();
        let (up, up_tail) = self.up.as_chunks();
        let (out, out_tail) = self.out.as_chunks_mut();
        for ((gate, up), out) in gate.iter().zip(up).zip(out) {
            let gated = gated::<L, GELU>(lanes, lanes.load(gate), lanes.load(up));
            lanes.store(gated, out);
        }
        if !gate_tail.is_empty() {
            let (gate, up) = (lanes.load_some(gate_tail), lanes.load_some(up_tail));
            lanes.store_some(gated::<L, GELU>(lanes, gate, up), out_tail);
        }
    }
}

/// `2 · √(2/π)`, and that times 0.044715.
const GELU: (f32, f32) = (1.595_769, 0.071_354_82);

#[inline(always)]
pub(super) fn gated<L: Lanes, const IS_GELU: bool>(lanes: L, gate: L::F, up: L::F) -> L::F {
    let exponent = if IS_GELU {
        let square = lanes.mul(gate, gate);
        let factor = lanes.fma(square, lanes.splat(-GELU.1), lanes.splat(-GELU.0));
        lanes.mul(gate, factor)
    } else {
        lanes.sub(lanes.splat(-0.0), gate)
    };
    let e = lanes.exp(exponent);
    lanes.mul(lanes.div(gate, lanes.add(lanes.splat(1.0), e)), up)
}

/// `x = cap · tanh(x / cap)`, rounded as [`Lanes::softcap`] says.
pub(crate) fn softcap(isa: Isa, x: &mut [f32], cap: f32) {
    isa.run(Softcap { x, cap });
}

struct Softcap<'a> {
    x: &'a mut [f32],
    cap: f32,
}

impl Kernel for Softcap<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        let (x, tail) = self.x.as_chunks_mut();
        for x in x {
            lanes.store(lanes.softcap(lanes.load(x), self.cap), x);
        }
        if !tail.is_empty() {
            lanes.store_some(lanes.softcap(lanes.load_some(tail), self.cap), tail);
        }
    }
}

/// `out = out + b`.
///
/// # Panics
/// If the lengths differ.
pub(crate) fn add(isa: Isa, out: &mut [f32], b: &[f32]) {
    assert_eq!(out.len(), b.len());
    isa.run(Add { out, b });
}

struct Add<'a> {
    out: &'a mut [f32],
    b: &'a [f32],
}

impl Kernel for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, _: L) {
        for (out, b) in self.out.iter_mut().zip(self.b) {
            *out += b;
        }
    }
}

/// `out = fma(scale, x, out)`.
///
/// # Panics
/// If the lengths differ.
#[cfg(feature = "experts")]
pub(crate) fn add_scaled(isa: Isa, out: &mut [f32], x: &[f32], scale: f32) {
    assert_eq!(out.len(), x.len());
    isa.run(AddScaled { out, x, scale });
}

#[cfg(feature = "experts")]
struct AddScaled<'a> {
    out: &'a mut [f32],
    x: &'a [f32],
    scale: f32,
}

#[cfg(feature = "experts")]
impl Kernel for AddScaled<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        let scale = lanes.splat(self.scale);
        let (out, out_tail) = self.out.as_chunks_mut::<LANES>();
        let (x, x_tail) = self.x.as_chunks::<LANES>();
        for (out, x) in out.iter_mut().zip(x) {
            lanes.store(lanes.fma(scale, lanes.load(x), lanes.load(out)), out);
        }
        if !x_tail.is_empty() {
            let sum = lanes.fma(scale, lanes.load_some(x_tail), lanes.load_some(out_tail));
            lanes.store_some(sum, out_tail);
        }
    }
}
