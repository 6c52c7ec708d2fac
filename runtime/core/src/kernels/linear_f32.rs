//! Matrix product with f32 activations: float weights, and integer weights made float.

use core::ops::Range;

use super::lanes::{Kernel, Lanes};
use super::linear_int8::DotBlocks;
use super::{Epilogue, Isa, Weight};
use crate::layout::{BLOCK, Encoding, GROUP_ROWS};
use crate::rows::Rows;

/// Computes the outputs of `groups` for every row of `input`.
///
/// Each output is one chain, `sum = fma(w, x, sum)` in index order from zero; an integer
/// weight is `w = (stored − zero_point) · block_scale`, rounded once.
///
/// # Panics
/// If the shapes do not fit each other.
pub(crate) fn linear_f32(
    isa: Isa,
    weight: Weight<'_>,
    input: Rows<'_>,
    epilogue: &Epilogue<'_>,
    groups: Range<usize>,
) {
    assert!(input.width() == weight.cols && input.count() == epilogue.output.count());
    assert!(epilogue.output.width() == weight.rows && groups.end <= weight.groups());
    isa.run(LinearF32 {
        weight,
        input,
        epilogue,
        groups,
    });
}

struct LinearF32<'a> {
    weight: Weight<'a>,
    input: Rows<'a>,
    epilogue: &'a Epilogue<'a>,
    groups: Range<usize>,
}

impl Kernel for LinearF32<'_> {
    type Output = ();

    #[inline(always)]
    fn run<L: DotBlocks>(self, lanes: L) {
        for group in self.groups.clone() {
            let data = self.weight.group(group);
            let mut t = 0;
            while t < self.input.count() {
                t += match self.input.count() - t {
                    12.. if L::MANY => self.tile::<L, 12>(lanes, group, data, t),
                    4.. => self.tile::<L, 4>(lanes, group, data, t),
                    2.. => self.tile::<L, 2>(lanes, group, data, t),
                    _ => self.tile::<L, 1>(lanes, group, data, t),
                };
            }
        }
    }
}

impl LinearF32<'_> {
    /// One group for `T` tokens from `t` on.
    #[inline(always)]
    fn tile<L: Lanes, const T: usize>(
        &self,
        lanes: L,
        group: usize,
        data: &[u8],
        t: usize,
    ) -> usize {
        let x: [&[f32]; T] = core::array::from_fn(|i| self.input.row(t + i));
        assert_eq!(
            Some(data.len()),
            self.weight.encoding.group_bytes(self.input.width())
        );
        let mut sums = Sums {
            lanes,
            x,
            sums: [lanes.splat(0.0); T],
        };
        match self.weight.encoding {
            Encoding::F32 => {
                for (k, w) in data.as_chunks().0.iter().enumerate() {
                    // SAFETY: a group has a vector for each input.
                    unsafe { sums.step(k, lanes.load_f32(w)) };
                }
            }
            Encoding::F16 => {
                for (k, w) in data.as_chunks().0.iter().enumerate() {
                    // SAFETY: as above.
                    unsafe { sums.step(k, lanes.load_f16(w)) };
                }
            }
            encoding => {
                let block_bytes = encoding.block_bytes().expect("a quantized encoding");
                for (b, block) in data.chunks_exact(block_bytes).enumerate() {
                    let inputs = b * BLOCK..self.weight.cols.min((b + 1) * BLOCK);
                    // SAFETY: these are inputs.
                    unsafe { sums.dequantize(encoding, block, inputs) };
                }
            }
        }
        for (i, sums) in sums.sums.into_iter().enumerate() {
            self.epilogue.finish(lanes, t + i, group, sums);
        }
        T
    }
}

/// The chains of one group for `T` tokens.
struct Sums<'a, L: Lanes, const T: usize> {
    lanes: L,
    x: [&'a [f32]; T],
    sums: [L::F; T],
}

impl<L: Lanes, const T: usize> Sums<'_, L, T> {
    /// Adds input `k` with its sixteen weights.
    ///
    /// # Safety
    /// `k` is below the width of the rows of `x`.
    #[inline(always)]
    unsafe fn step(&mut self, k: usize, w: L::F) {
        for (sum, x) in self.sums.iter_mut().zip(self.x) {
            debug_assert!(k < x.len());
            // SAFETY: the caller's promise.
            let x = unsafe { *x.get_unchecked(k) };
            *sum = self.lanes.fma(w, self.lanes.splat(x), *sum);
        }
    }

    /// Adds the inputs of a block of an integer weight.
    ///
    /// # Safety
    /// `inputs` are below the width of the rows of `x`.
    #[inline(always)]
    unsafe fn dequantize(&mut self, encoding: Encoding, block: &[u8], inputs: Range<usize>) {
        let lanes = self.lanes;
        let (codes, rest) = block.split_at(encoding.code_bytes());
        let (scales, zero_points) = rest.split_at(2 * GROUP_ROWS);
        let scale = lanes.load_f16(scales.try_into().expect("a scale a row"));
        // Each byte of a word is one input, or two: its low and its high half.
        let (per_byte, bits, mask, middle) = match encoding.is_int4() {
            true => (2, 4, 15, 8.0),
            false => (1, 8, 255, 128.0),
        };
        let zero_point = match zero_points.try_into() {
            Ok(zero_points) => lanes.load_u8(zero_points),
            Err(_) => lanes.splat(middle),
        };
        let mut k = inputs.start;
        for chunk in codes.as_chunks().0 {
            for half in 0..per_byte {
                for byte in 0..4 {
                    if k < inputs.end {
                        let code = lanes.load_codes(chunk, 8 * byte + bits * half, mask);
                        // SAFETY: the caller's promise.
                        unsafe { self.step(k, lanes.mul(lanes.sub(code, zero_point), scale)) };
                        k += 1;
                    }
                }
            }
        }
    }
}
