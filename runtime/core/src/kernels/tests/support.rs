//! Random weights and inputs, and kernels called on them.

use bytemuck::Zeroable;
use half::f16;
use proptest::prelude::*;

use super::super::*;
use crate::layout::{BLOCK, Encoding, GROUP_ROWS, pack_float, pack_quantized};
use crate::rows::{Rows, RowsMut};

/// A generator of reproducible numbers, faster than a strategy a value.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    fn next(&mut self) -> u32 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (self.0 >> 33) as u32
    }

    pub(super) fn below(&mut self, n: u32) -> u32 {
        self.next() % n
    }

    /// Mostly of everyday size; some zeros, denormals and giants.
    pub(super) fn float(&mut self) -> f32 {
        let x = self.below(2_000_001) as f32 / 1e6 - 1.0;
        match self.below(40) {
            0 => 0.0,
            1 => x * 1e-41,
            2 => x * 1e30,
            3 => -0.0,
            4 => x * 1e-4,
            _ => x * 4.0,
        }
    }

    pub(super) fn floats(&mut self, n: usize) -> Vec<f32> {
        (0..n).map(|_| self.float()).collect()
    }

    /// Of everyday size only.
    pub(super) fn tame(&mut self, n: usize) -> Vec<f32> {
        (0..n)
            .map(|_| self.below(2_000_001) as f32 / 1e6 - 1.0)
            .collect()
    }
}

/// A random weight, and its values in f64 row after row.
pub(super) struct Matrix {
    pub(super) encoding: Encoding,
    pub(super) rows: usize,
    pub(super) cols: usize,
    pub(super) data: Vec<u8>,
    pub(super) values: Vec<f64>,
}

impl Matrix {
    pub(super) fn new(
        encoding: Encoding,
        rows: usize,
        cols: usize,
        numbers: &mut Numbers,
    ) -> Matrix {
        let mut data = vec![0; encoding.tensor_bytes(rows, cols).unwrap()];
        let mut values = vec![];
        for (group, out) in data
            .chunks_exact_mut(encoding.group_bytes(cols).unwrap())
            .enumerate()
        {
            let rows = GROUP_ROWS.min(rows - group * GROUP_ROWS);
            if !encoding.is_quantized() {
                let floats = numbers.tame(rows * cols);
                pack_float(encoding, cols, &floats, out);
                values.extend(floats.iter().map(|x| match encoding {
                    Encoding::F16 => f16::from_f32(*x).to_f64(),
                    _ => f64::from(*x),
                }));
                continue;
            }
            let blocks = cols.div_ceil(BLOCK);
            let (limit, middle) = if encoding.is_int4() {
                (16, 8)
            } else {
                (256, 128)
            };
            // Extremes come often, as they are what could overflow.
            let codes: Vec<u8> = (0..rows * cols)
                .map(|_| match numbers.below(4) {
                    0 => (limit - 1) as u8,
                    1 => 0,
                    _ => numbers.below(limit) as u8,
                })
                .collect();
            let scales: Vec<f32> = (0..rows * blocks)
                .map(|_| f16::from_f32(numbers.below(1000) as f32 / 5e4).to_f32())
                .collect();
            let zero_points: Vec<u8> = match encoding.has_zero_points() {
                true => (0..scales.len())
                    .map(|_| numbers.below(limit) as u8)
                    .collect(),
                false => vec![],
            };
            pack_quantized(encoding, cols, &codes, &scales, &zero_points, out);
            values.extend(codes.iter().enumerate().map(|(i, code)| {
                let at = i / cols * blocks + i % cols / BLOCK;
                let zero_point = zero_points.get(at).copied().unwrap_or(middle);
                f64::from(i32::from(*code) - i32::from(zero_point)) * f64::from(scales[at])
            }));
        }
        Matrix {
            encoding,
            rows,
            cols,
            data,
            values,
        }
    }

    pub(super) fn weight(&self) -> Weight<'_> {
        Weight::new(self.encoding, self.rows, self.cols, 1.0, &self.data)
    }
}

pub(super) struct Quantized {
    pub(super) values: Vec<i8>,
    pub(super) scales: Vec<f32>,
    pub(super) sums: Vec<i32>,
    pub(super) rows: usize,
    pub(super) blocks: usize,
}

impl Quantized {
    pub(super) fn new(isa: Isa, x: &[f32], cols: usize, precision: InputPrecision) -> Quantized {
        let (tokens, blocks) = (x.len() / cols, cols.div_ceil(BLOCK));
        let rows = tokens * precision.int8_rows();
        let mut q = Quantized {
            values: vec![1; rows * blocks * BLOCK],
            scales: vec![1.0; rows * blocks],
            sums: vec![1; rows * blocks],
            rows,
            blocks,
        };
        for t in 0..tokens {
            let blocks = blocks * precision.int8_rows();
            let at = t * blocks..(t + 1) * blocks;
            quantize_row(
                isa,
                &x[t * cols..(t + 1) * cols],
                precision,
                &mut q.values[at.start * BLOCK..at.end * BLOCK],
                &mut q.scales[at.clone()],
                &mut q.sums[at],
            );
        }
        q
    }

    /// What stands for input `k` of a single token.
    pub(super) fn value(&self, k: usize) -> f64 {
        let rows = self.values.chunks_exact(self.blocks * BLOCK);
        let scales = self.scales.chunks_exact(self.blocks);
        let parts = rows.zip(scales);
        parts
            .map(|(values, scales)| f64::from(values[k]) * f64::from(scales[k / BLOCK]))
            .sum()
    }

    pub(super) fn rows(&self) -> QuantizedRows<'_> {
        QuantizedRows::new(
            &self.values,
            &self.scales,
            &self.sums,
            self.rows,
            self.blocks,
        )
    }
}

pub(super) fn bits(x: &[f32]) -> Vec<u32> {
    // All NaNs are the same: which of two is kept is no instruction set's promise.
    x.iter()
        .map(|x| {
            if x.is_nan() {
                f32::NAN.to_bits()
            } else {
                x.to_bits()
            }
        })
        .collect()
}

pub(super) fn precisions() -> impl Strategy<Value = InputPrecision> {
    prop::sample::select(vec![InputPrecision::Int8, InputPrecision::Int16])
}

pub(super) fn vector_isas() -> impl Iterator<Item = Isa> {
    Isa::available().skip(1)
}

/// Runs `job` with the epilogue over an output of `tokens × matrix.rows`.
pub(super) fn with_epilogue(
    tokens: usize,
    width: usize,
    precision: InputPrecision,
    extras: Option<(&[f32], &[f32])>,
    in_place: bool,
    job: impl FnOnce(&Epilogue<'_>),
) -> Vec<f32> {
    let mut out = match extras {
        Some((_, residual)) if in_place => residual.to_vec(),
        _ => vec![0.5; tokens * width],
    };
    // SAFETY: `out` is tokens × width floats, borrowed for the epilogue alone.
    let output = unsafe { RowsMut::new(out.as_mut_ptr(), width, width, tokens) };
    let residual = match extras {
        None => Residual::None,
        Some(_) if in_place => Residual::InPlace,
        Some((_, rows)) => {
            // SAFETY: as above, and only read.
            Residual::Rows(unsafe { Rows::new(rows.as_ptr(), width, width, tokens) })
        }
    };
    job(&Epilogue {
        precision,
        scale: 0.75,
        bias: extras.map(|(bias, _)| bias),
        residual,
        output,
    });
    out
}

/// Rows of `dim` numbers as the cache keeps values.
pub(super) fn kept_values<E: KvVector>(isa: Isa, x: &[f32], dim: usize) -> Vec<E> {
    let vectors = kv_vectors(dim);
    let mut kept = vec![E::zeroed(); x.len() / dim * vectors];
    for (x, kept) in x.chunks_exact(dim).zip(kept.chunks_exact_mut(vectors)) {
        store_value(isa, x, kept);
    }
    kept
}

/// Rows of `dim` numbers as the cache keeps keys, in memory that held something else.
pub(super) fn kept_keys<E: KvVector>(isa: Isa, x: &[f32], dim: usize) -> Vec<E::Tile> {
    let mut used = E::Tile::zeroed();
    bytemuck::bytes_of_mut(&mut used).fill(0xFF);
    let mut kept = vec![used; key_tiles(x.len() / dim, dim)];
    for (at, x) in x.chunks_exact(dim).enumerate() {
        let kept = &mut kept[at / LANES * kv_vectors(dim)..][..kv_vectors(dim)];
        store_key::<E>(isa, x, kept, at % LANES);
    }
    kept
}

pub(super) fn bytes_of<E: KvVector>(kept: &[E]) -> Vec<u8> {
    bytemuck::cast_slice(kept).to_vec()
}

/// Attends from all queries of a step, `cut` of them at a time, to keys and values of some
/// dimensions, kept as `E`.
pub(super) fn attended<E: KvVector>(
    isa: Isa,
    query: &[f32],
    (keys, key_dim, values, value_dim): (&[f32], usize, &[f32], usize),
    (position, window, sinks): (usize, usize, Option<&[f32]>),
    heads: usize,
    scoring: Scoring,
    cut: usize,
) -> Vec<f32> {
    let keys = kept_keys::<E>(isa, keys, key_dim);
    let values = kept_values::<E>(isa, values, value_dim);
    let [wide, out_wide] = [key_dim, value_dim].map(|dim| heads * dim);
    let tokens = query.len() / wide;
    let mut out = vec![0.5; tokens * out_wide];
    let room = scores_len(QUERIES, position + tokens).expect("small");
    let mut scores = vec![0.5; room];
    // SAFETY: whole slices, the output borrowed mutably.
    let (rows, output) = unsafe {
        (
            Rows::new(query.as_ptr(), wide, wide, tokens),
            RowsMut::new(out.as_mut_ptr(), out_wide, out_wide, tokens),
        )
    };
    let queries = Queries {
        rows,
        output,
        first_head: 0,
        heads,
        position,
        window,
        #[cfg(feature = "encoders")]
        both_ways: false,
        sinks,
    };
    for first in (0..queries.count()).step_by(cut) {
        let range = first..queries.count().min(first + cut);
        // SAFETY: one thread.
        unsafe {
            let (keys, values) = ((&keys[..], key_dim), (&values[..], value_dim));
            attend::<E>(isa, &queries, range, keys, values, scoring, &mut scores);
        }
    }
    out
}
