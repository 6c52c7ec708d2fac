//! Packing: one group of rows in, as the exporter stored it; the bytes of [`Encoding`] out.

use half::f16;

use super::{BLOCK, Encoding, GROUP_ROWS};

/// Packs one group of rows of a quantized weight.
///
/// - `values`: up to 16 rows × `cols`, row after row, one stored (unsigned) value a byte.
/// - `scales`: rows × `cols.div_ceil(32)`; each is rounded to the nearest f16.
/// - `zero_points`: as many as scales, or none for 8 (int4) or 128 (int8) everywhere.
/// - `out`: [`Encoding::group_bytes`]`(cols)` bytes.
///
/// Rows and inputs that are missing are stored as the zero point, so they count nothing.
///
/// # Panics
/// If `encoding` is not quantized or a slice has another length.
pub fn pack_quantized(
    encoding: Encoding,
    cols: usize,
    values: &[u8],
    scales: &[f32],
    zero_points: &[u8],
    out: &mut [u8],
) {
    let block_bytes = encoding.block_bytes().expect("a quantized encoding");
    let blocks = cols.div_ceil(BLOCK);
    let rows = row_count(values.len(), cols);
    assert_eq!(
        scales.len(),
        rows * blocks,
        "a scale for each row and block"
    );
    assert!(
        zero_points.is_empty() || encoding.has_zero_points(),
        "an encoding that stores zero points"
    );
    assert!(
        zero_points.is_empty() || zero_points.len() == scales.len(),
        "a zero point for each scale"
    );
    assert_eq!(
        out.len(),
        blocks * block_bytes,
        "exactly one group of output"
    );

    let four_bits = encoding.is_int4();
    let middle = if four_bits { 8 } else { 128 };
    for (b, out) in out.chunks_exact_mut(block_bytes).enumerate() {
        let (codes, rest) = out.split_at_mut(encoding.code_bytes());
        let (scales_out, zero_points_out) = rest.split_at_mut(2 * GROUP_ROWS);
        for row in 0..GROUP_ROWS {
            let at = (row < rows).then_some(row * blocks + b);
            let scale = at.map_or(f16::ZERO, |at| f16::from_f32(scales[at]));
            let zero_point = at
                .and_then(|at| zero_points.get(at).copied())
                .unwrap_or(middle);
            scales_out[2 * row..2 * row + 2].copy_from_slice(&scale.to_le_bytes());
            if let Some(stored) = zero_points_out.get_mut(row) {
                *stored = zero_point;
            }

            let value = |input: usize| match row < rows && b * BLOCK + input < cols {
                true => values[row * cols + b * BLOCK + input],
                false => zero_point,
            };
            if four_bits {
                for (i, code) in row_bytes(codes, row) {
                    let low = i / 4 * 8 + i % 4;
                    *code = value(low) & 15 | value(low + 4) << 4;
                }
            } else {
                for (i, code) in row_bytes(codes, row) {
                    *code = value(i);
                }
            }
        }
    }
}

/// Packs one group of rows of a float weight as [`Encoding::F32`] or, rounded to the nearest,
/// [`Encoding::F16`].
///
/// `values` are up to 16 rows × `cols`, row after row; `out` is
/// [`Encoding::group_bytes`]`(cols)` bytes. Missing rows are stored as zeros.
///
/// # Panics
/// If `encoding` is another or a slice has another length.
pub fn pack_float(encoding: Encoding, cols: usize, values: &[f32], out: &mut [u8]) {
    let rows = row_count(values.len(), cols);
    assert_eq!(
        Some(out.len()),
        encoding.group_bytes(cols),
        "exactly one group of output"
    );
    let value = |at: usize| {
        let (input, row) = (at / GROUP_ROWS, at % GROUP_ROWS);
        if row < rows {
            values[row * cols + input]
        } else {
            0.0
        }
    };
    match encoding {
        Encoding::F32 => {
            for (at, out) in out.chunks_exact_mut(4).enumerate() {
                out.copy_from_slice(&value(at).to_le_bytes());
            }
        }
        Encoding::F16 => {
            for (at, out) in out.chunks_exact_mut(2).enumerate() {
                out.copy_from_slice(&f16::from_f32(value(at)).to_le_bytes());
            }
        }
        other => panic!("{} is no interleaved float encoding", other.name()),
    }
}

/// How many rows of `cols` values `len` values are.
fn row_count(len: usize, cols: usize) -> usize {
    let rows = len.checked_div(cols).unwrap_or(0);
    assert!(
        rows <= GROUP_ROWS && rows * cols == len,
        "up to 16 whole rows of values"
    );
    rows
}

/// The bytes of a block that belong to `row`, counted from 0.
fn row_bytes(codes: &mut [u8], row: usize) -> impl Iterator<Item = (usize, &mut u8)> {
    codes
        .chunks_exact_mut(4 * GROUP_ROWS)
        .flat_map(move |chunk| &mut chunk[4 * row..4 * row + 4])
        .enumerate()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Input `k` of `row` as stored in a packed quantized group.
    fn stored(encoding: Encoding, group: &[u8], row: usize, k: usize) -> (u8, f32, u8) {
        let block = group
            .chunks_exact(encoding.block_bytes().unwrap())
            .nth(k / BLOCK)
            .unwrap();
        let k = k % BLOCK;
        let code = if encoding.is_int4() {
            let byte = block[k / 8 * 64 + 4 * row + k % 4];
            if k % 8 < 4 { byte & 15 } else { byte >> 4 }
        } else {
            block[k / 4 * 64 + 4 * row + k % 4]
        };
        let rest = &block[encoding.code_bytes()..];
        let scale = f16::from_le_bytes([rest[2 * row], rest[2 * row + 1]]).to_f32();
        let zero_point = match encoding.has_zero_points() {
            true => rest[2 * GROUP_ROWS + row],
            false if encoding.is_int4() => 8,
            false => 128,
        };
        (code, scale, zero_point)
    }

    proptest! {
        #[test]
        fn a_quantized_group_unpacks_to_what_was_packed(
            encoding in prop::sample::select(vec![
                Encoding::Int4, Encoding::Int4ZeroPoint, Encoding::Int8, Encoding::Int8ZeroPoint,
            ]),
            rows in 1..=GROUP_ROWS,
            cols in 1..100usize,
            bytes in prop::collection::vec(any::<u8>(), GROUP_ROWS * 100),
        ) {
            let blocks = cols.div_ceil(BLOCK);
            let limit = if encoding.is_int4() { 16 } else { 256 };
            let values: Vec<u8> =
                bytes[..rows * cols].iter().map(|v| (*v as usize % limit) as u8).collect();
            let scales: Vec<f32> = (0..rows * blocks).map(|i| i as f32 / 8.0).collect();
            let zero_points: Vec<u8> = match encoding.has_zero_points() {
                true => bytes.iter().rev().take(scales.len()).map(|v| v % 16).collect(),
                false => vec![],
            };
            let mut out = vec![0; encoding.group_bytes(cols).unwrap()];
            pack_quantized(encoding, cols, &values, &scales, &zero_points, &mut out);

            for row in 0..GROUP_ROWS {
                for k in 0..blocks * BLOCK {
                    let (code, scale, zero_point) = stored(encoding, &out, row, k);
                    if row >= rows {
                        prop_assert_eq!((code, scale), (zero_point, 0.0));
                        continue;
                    }
                    prop_assert_eq!(scale, scales[row * blocks + k / BLOCK]);
                    match k < cols {
                        true => prop_assert_eq!(code, values[row * cols + k]),
                        false => prop_assert_eq!(code, zero_point),
                    }
                    if let Some(expected) = zero_points.get(row * blocks + k / BLOCK) {
                        prop_assert_eq!(zero_point, *expected);
                    }
                }
            }
        }

        #[test]
        fn a_float_group_holds_every_value_of_every_row(
            rows in 1..=GROUP_ROWS,
            cols in 1..50usize,
        ) {
            let values: Vec<f32> = (0..rows * cols).map(|i| i as f32 - 100.0).collect();
            let mut out = vec![0; Encoding::F32.group_bytes(cols).unwrap()];
            pack_float(Encoding::F32, cols, &values, &mut out);
            let mut halves = vec![0; Encoding::F16.group_bytes(cols).unwrap()];
            pack_float(Encoding::F16, cols, &values, &mut halves);
            for (at, (f, h)) in out.chunks_exact(4).zip(halves.chunks_exact(2)).enumerate() {
                let (k, row) = (at / GROUP_ROWS, at % GROUP_ROWS);
                let expected = if row < rows { values[row * cols + k] } else { 0.0 };
                prop_assert_eq!(f32::from_le_bytes(f.try_into().unwrap()), expected);
                prop_assert_eq!(f16::from_le_bytes(h.try_into().unwrap()).to_f32(), expected);
            }
        }
    }
}
