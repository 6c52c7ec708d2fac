//! Every kernel on every instruction set against its scalar meaning, bit for bit.

mod support;

use half::f16;
use proptest::prelude::*;

use super::*;
use crate::layout::{BLOCK, Encoding};
use crate::ops::{Activation, RopeStyle};
use crate::rows::Rows;
use support::*;

const PACKED: [Encoding; 6] = [
    Encoding::F32,
    Encoding::F16,
    Encoding::Int4,
    Encoding::Int4ZeroPoint,
    Encoding::Int8,
    Encoding::Int8ZeroPoint,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn int8_products_are_the_same_everywhere_and_in_any_cut(
        precision in precisions(),
        encoding in prop::sample::select(&PACKED[2..]),
        rows in 1..100usize,
        cols in 1..200usize,
        tokens in 1..20usize,
        extras in any::<Option<bool>>(),
        seed in any::<u64>(),
    ) {
        let mut numbers = Numbers(seed);
        let matrix = Matrix::new(encoding, rows, cols, &mut numbers);
        let x = numbers.floats(tokens * cols);
        let bias = numbers.floats(rows);
        let residual = numbers.floats(tokens * rows);
        let q = Quantized::new(Isa::SCALAR, &x, cols, precision);
        let weight = matrix.weight();

        let run = |isa, cut: usize| {
            let extra = extras.map(|_| (&bias[..], &residual[..]));
            with_epilogue(tokens, rows, precision, extra, extras == Some(true), |epilogue| {
                linear_int8(isa, weight, q.rows(), epilogue, 0..cut);
                linear_int8(isa, weight, q.rows(), epilogue, cut..weight.groups());
            })
        };
        let expected = run(Isa::SCALAR, weight.groups());
        for isa in Isa::available() {
            for cut in [0, 1, weight.groups()] {
                prop_assert_eq!(bits(&run(isa, cut)), bits(&expected), "{:?}, cut {}", isa, cut);
            }
            for t in 0..tokens {
                let q = Quantized::new(isa, &x[t * cols..(t + 1) * cols], cols, precision);
                let extra = extras.map(|_| (&bias[..], &residual[t * rows..(t + 1) * rows]));
                let one = with_epilogue(1, rows, precision, extra, extras == Some(true), |epilogue| {
                    linear_int8(isa, weight, q.rows(), epilogue, 0..weight.groups());
                });
                prop_assert_eq!(bits(&one), bits(&expected[t * rows..(t + 1) * rows]));
            }
        }
    }

    #[test]
    fn int8_products_are_near_the_exact_product_of_what_was_quantized(
        precision in precisions(),
        encoding in prop::sample::select(&PACKED[2..]),
        rows in 1..40usize,
        cols in 1..200usize,
        seed in any::<u64>(),
    ) {
        let mut numbers = Numbers(seed);
        let matrix = Matrix::new(encoding, rows, cols, &mut numbers);
        let x = numbers.tame(cols);
        let q = Quantized::new(Isa::SCALAR, &x, cols, precision);
        let out = with_epilogue(1, rows, precision, None, false, |epilogue| {
            linear_int8(Isa::SCALAR, matrix.weight(), q.rows(), epilogue, 0..rows.div_ceil(16));
        });
        for (row, out) in out.iter().enumerate() {
            let terms = (0..cols).map(|k| {
                let x = q.value(k);
                matrix.values[row * cols + k] * x * 0.75
            });
            let (exact, size) = terms.fold((0.0, 0.0), |(e, s), term| (e + term, s + term.abs()));
            prop_assert!((f64::from(*out) - exact).abs() <= 1e-6 * size + 1e-30);
        }
    }

    #[test]
    fn float_products_are_the_same_everywhere_and_near_the_exact_one(
        encoding in prop::sample::select(&PACKED[..]),
        rows in 1..60usize,
        cols in 1..100usize,
        tokens in 1..20usize,
        seed in any::<u64>(),
    ) {
        let mut numbers = Numbers(seed);
        let matrix = Matrix::new(encoding, rows, cols, &mut numbers);
        let weight = matrix.weight();
        let x = numbers.tame(tokens * cols);
        // SAFETY: tokens × cols floats that live on.
        let input = unsafe { Rows::new(x.as_ptr(), cols, cols, tokens) };
        let run = |isa| {
            with_epilogue(tokens, rows, InputPrecision::Int8, None, false, |epilogue| {
                linear_f32(isa, weight, input, epilogue, 0..weight.groups());
            })
        };
        let expected = run(Isa::SCALAR);
        for isa in vector_isas() {
            prop_assert_eq!(bits(&run(isa)), bits(&expected), "{:?}", isa);
        }
        for (at, out) in expected.iter().enumerate() {
            let (t, row) = (at / rows, at % rows);
            let terms = (0..cols)
                .map(|k| matrix.values[row * cols + k] * f64::from(x[t * cols + k]) * 0.75);
            let (exact, size) = terms.fold((0.0, 0.0), |(e, s), term| (e + term, s + term.abs()));
            prop_assert!((f64::from(*out) - exact).abs() <= 1e-5 * size + 1e-30);
        }
    }

    #[test]
    fn embedding_reads_the_row_that_was_packed(
        encoding in prop::sample::select(&PACKED[..]),
        rows in 1..60usize,
        cols in 1..100usize,
        seed in any::<u64>(),
    ) {
        let mut numbers = Numbers(seed);
        let matrix = Matrix::new(encoding, rows, cols, &mut numbers);
        let mut out = vec![0.0; cols];
        for token in 0..rows {
            embed(Isa::SCALAR, matrix.weight(), token, 2.0, &mut out);
            let expected: Vec<f32> = matrix.values[token * cols..(token + 1) * cols]
                .iter()
                .map(|x| (x * 2.0) as f32)
                .collect();
            prop_assert_eq!(&out, &expected);
        }
    }

    #[test]
    fn quantized_rows_are_the_same_everywhere(
        precision in precisions(),
        cols in 1..200usize,
        poison in prop::option::of(prop::sample::select(vec![
            f32::NAN, -f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE,
        ])),
        scale in prop::sample::select(vec![1.0, 0.0, 1e-38, 1e-43, 1e38]),
        seed in any::<u64>(),
    ) {
        let mut numbers = Numbers(seed);
        let mut x = numbers.tame(cols);
        x.iter_mut().for_each(|x| *x *= scale);
        if let Some(poison) = poison {
            x[numbers.below(cols as u32) as usize] = poison;
        }
        let expected = Quantized::new(Isa::SCALAR, &x, cols, precision);
        for isa in vector_isas() {
            let q = Quantized::new(isa, &x, cols, precision);
            prop_assert_eq!(&q.values, &expected.values);
            prop_assert_eq!(bits(&q.scales), bits(&expected.scales));
            prop_assert_eq!(&q.sums, &expected.sums);
        }
        let coarse = expected.values.chunks_exact(BLOCK).take(expected.blocks);
        for (b, values) in coarse.enumerate() {
            let block = &x[b * BLOCK..cols.min((b + 1) * BLOCK)];
            let scale = expected.scales[b];
            let sum: i32 = values.iter().map(|v| i32::from(*v)).sum();
            prop_assert_eq!(expected.sums[b], -8 * sum);
            prop_assert!(values.iter().all(|v| *v >= -127));
            prop_assert!(values[block.len()..].iter().all(|v| *v == 0));
            if block.iter().any(|x| !x.is_finite()) {
                prop_assert!(scale.is_nan() && values.iter().all(|v| *v == 0));
            } else if scale != 0.0 {
                for (value, x) in values.iter().zip(block) {
                    let ties_even = (x / scale).round_ties_even().clamp(-127.0, 127.0);
                    prop_assert_eq!(f32::from(*value), ties_even);
                }
                if precision == InputPrecision::Int16 {
                    let step = f64::from(expected.scales[expected.blocks + b]);
                    // Below the normal numbers a scale is itself off by up to 2⁻¹⁵⁰, and counts
                    // up to 127 times.
                    let subnormal = 127.0 * 2f64.powi(-150);
                    prop_assert!(step <= 0.5001 / 127.0 * f64::from(scale) + subnormal);
                    for (i, x) in block.iter().enumerate() {
                        let error = expected.value(b * BLOCK + i) - f64::from(*x);
                        prop_assert!(error.abs() <= 0.5001 * step + 2.0 * subnormal);
                    }
                }
            }
        }
    }

    #[test]
    fn row_kernels_are_the_same_everywhere(n in 1..200usize, seed in any::<u64>()) {
        let mut numbers = Numbers(seed);
        let [a, b] = [numbers.floats(n), numbers.floats(n)];
        let [cos, sin] = [numbers.tame(n), numbers.tame(n)];
        let head = numbers.floats(2 * n);
        let run = |isa| {
            let mut normed = a.clone();
            rms_norm(isa, &mut normed, &b, 1e-6);
            let mut turned = [head.clone(), head.clone()];
            rope(isa, RopeStyle::Halves, &mut turned[0], &cos, &sin);
            rope(isa, RopeStyle::Interleaved, &mut turned[1], &cos, &sin);
            let mut gated = vec![0.0; n];
            gate(isa, Activation::Silu, &a, &b, &mut gated);
            let mut gelu = vec![0.0; n];
            gate(isa, Activation::GeluTanh, &a, &b, &mut gelu);
            let mut capped = a.clone();
            softcap(isa, &mut capped, 1.7);
            let mut sum = a.clone();
            add(isa, &mut sum, &b);
            let floats = [normed, turned.concat(), gated, gelu, capped, sum].map(|x| bits(&x));
            let halves: Vec<u8> = bytes_of(&kept_values::<[f16; LANES]>(isa, &a, n));
            (floats, halves, bytes_of(&kept_values::<Int8Vector>(isa, &a, n)))
        };
        let expected = run(Isa::SCALAR);
        for isa in vector_isas() {
            prop_assert_eq!(run(isa), expected.clone(), "{:?}", isa);
        }
    }

    #[test]
    fn row_kernels_follow_their_formulas(n in 1..100usize, seed in any::<u64>()) {
        let mut numbers = Numbers(seed);
        let [a, b] = [numbers.tame(n), numbers.tame(n)];
        let near = |x: f32, y: f64| (f64::from(x) - y).abs() <= 1e-6 * (1.0 + y.abs());

        let mut out = a.clone();
        rms_norm(Isa::best(), &mut out, &b, 1e-6);
        let mean = a.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() / n as f64;
        for i in 0..n {
            prop_assert!(near(out[i], f64::from(a[i]) / (mean + 1e-6).sqrt() * f64::from(b[i])));
        }

        gate(Isa::best(), Activation::Silu, &a, &b, &mut out);
        for i in 0..n {
            let gate = f64::from(a[i]);
            prop_assert!(near(out[i], gate / (1.0 + (-gate).exp()) * f64::from(b[i])));
        }

        gate(Isa::best(), Activation::GeluTanh, &a, &b, &mut out);
        for i in 0..n {
            let gate = f64::from(a[i]);
            let inner = (2.0 / std::f64::consts::PI).sqrt() * (gate + 0.044715 * gate.powi(3));
            prop_assert!(near(out[i], gate * (1.0 + inner.tanh()) / 2.0 * f64::from(b[i])));
        }

        out.copy_from_slice(&a);
        softcap(Isa::best(), &mut out, 0.7);
        for i in 0..n {
            prop_assert!(near(out[i], 0.7 * (f64::from(a[i]) / 0.7).tanh()));
        }

        let angles: Vec<f64> = (0..n).map(|i| i as f64).collect();
        let cos: Vec<f32> = angles.iter().map(|x| x.cos() as f32).collect();
        let sin: Vec<f32> = angles.iter().map(|x| x.sin() as f32).collect();
        let head = [&a[..], &b[..]].concat();
        for (style, pair) in [
            (RopeStyle::Halves, (|i, n| (i, i + n)) as fn(usize, usize) -> (usize, usize)),
            (RopeStyle::Interleaved, |i, _| (2 * i, 2 * i + 1)),
        ] {
            let mut turned = head.clone();
            rope(Isa::best(), style, &mut turned, &cos, &sin);
            for i in 0..n {
                let (first, second) = pair(i, n);
                let (x, y) = (f64::from(head[first]), f64::from(head[second]));
                let (sin, cos) = angles[i].sin_cos();
                prop_assert!(near(turned[first], x * cos - y * sin));
                prop_assert!(near(turned[second], y * cos + x * sin));
            }
        }
    }

    #[test]
    fn attention_is_the_same_everywhere_and_in_any_cut_and_near_the_exact_one(
        key_dim in prop_oneof![1..140usize, Just(64)],
        value_dim in 1..150usize,
        position in 0..50usize,
        tokens in 1..5usize,
        heads in 1..5usize,
        window in prop_oneof![Just(usize::MAX), 1..60usize],
        softcap in prop::option::of(0.1..4f32),
        sinks in prop::option::of(prop::collection::vec(-4f32..4.0, 8)),
        seed in any::<u64>(),
    ) {
        let mut numbers = Numbers(seed);
        let len = position + tokens;
        let scoring = Scoring { scale: 0.3, softcap };
        let sinks = sinks.as_deref();
        let query = numbers.tame(tokens * heads * key_dim);
        let [keys, values] = [numbers.tame(len * key_dim), numbers.tame(len * value_dim)];
        let kv = (&keys[..], key_dim, &values[..], value_dim);
        let run = |isa, cut: usize| {
            [
                attended::<[f32; LANES]>(isa, &query, kv, (position, window, sinks), heads, scoring, cut),
                attended::<[f16; LANES]>(isa, &query, kv, (position, window, sinks), heads, scoring, cut),
                attended::<Int8Vector>(isa, &query, kv, (position, window, sinks), heads, scoring, cut),
            ]
        };
        let expected = run(Isa::SCALAR, 1);
        for isa in Isa::available() {
            for cut in [1, 2, 3, heads * tokens] {
                let bits_of = |x: [Vec<f32>; 3]| x.map(|x| bits(&x));
                prop_assert_eq!(bits_of(run(isa, cut)), bits_of(expected.clone()), "{:?}", isa);
            }
        }

        for i in 0..tokens * heads {
            let len = position + i / heads + 1;
            let first = len.saturating_sub(window);
            let query = &query[i * key_dim..][..key_dim];
            let weights: Vec<f64> = keys
                .chunks_exact(key_dim)
                .take(len)
                .skip(first)
                .map(|key| {
                    let dot = |(a, b): (&f32, &f32)| f64::from(*a) * f64::from(*b);
                    let score = query.iter().zip(key).map(dot).sum::<f64>() * 0.3;
                    let cap = softcap.map(f64::from);
                    cap.map_or(score, |cap| cap * (score / cap).tanh()).exp()
                })
                .collect();
            let sink = sinks.map_or(0.0, |sinks| f64::from(sinks[i % heads]).exp());
            let total = weights.iter().sum::<f64>() + sink;
            for d in 0..value_dim {
                let value = |p: usize| f64::from(values[p * value_dim + d]);
                let exact: f64 = (first..len).map(|p| weights[p - first] / total * value(p)).sum();
                let [full, half, int8] =
                    [0, 1, 2].map(|kept: usize| f64::from(expected[kept][i * value_dim + d]));
                prop_assert!((full - exact).abs() < 1e-5);
                prop_assert!((half - exact).abs() < 5e-3);
                prop_assert!((int8 - exact).abs() < 3e-2);
            }
        }
    }

    #[test]
    fn anything_at_all_in_a_row_does_no_harm(values in prop::collection::vec(prop::num::f32::ANY, 1..100)) {
        let n = values.len();
        let mut numbers = Numbers(1);
        let matrix = Matrix::new(Encoding::Int4, 20, n, &mut numbers);
        let run = |isa| {
            let q = Quantized::new(isa, &values, n, InputPrecision::Int8);
            let product = with_epilogue(1, 20, InputPrecision::Int8, None, false, |epilogue| {
                linear_int8(isa, matrix.weight(), q.rows(), epilogue, 0..2);
            });
            let mut normed = values.clone();
            rms_norm(isa, &mut normed, &values, 1e-6);
            let mut gated = vec![0.0; n];
            gate(isa, Activation::Silu, &values, &values, &mut gated);
            let mut gelu = vec![0.0; n];
            gate(isa, Activation::GeluTanh, &values, &values, &mut gelu);
            let mut capped = values.clone();
            softcap(isa, &mut capped, 2.0);
            let kv = (&values[..], 1, &values[..], 1);
            let [plain, bent] = [None, Some(2.0)].map(|softcap| {
                let scoring = Scoring { scale: 0.3, softcap };
                attended::<[f32; LANES]>(isa, &[1.0], kv, (n - 1, n, None), 1, scoring, 1)
            });
            [product, normed, gated, gelu, capped, plain, bent].map(|x| bits(&x))
        };
        let expected = run(Isa::SCALAR);
        for isa in vector_isas() {
            prop_assert_eq!(run(isa), expected.clone(), "{:?}", isa);
        }
    }
}

#[test]
fn a_product_reads_a_stride_wider_than_its_row() {
    let mut numbers = Numbers(7);
    let matrix = Matrix::new(Encoding::F32, 16, 3, &mut numbers);
    let x = numbers.tame(2 * 5);
    // SAFETY: two rows of three in strides of five, within `x`.
    let input = unsafe { Rows::new(x.as_ptr(), 5, 3, 2) };
    let out = with_epilogue(2, 16, InputPrecision::Int8, None, false, |epilogue| {
        linear_f32(Isa::best(), matrix.weight(), input, epilogue, 0..1);
    });
    let second = with_epilogue(1, 16, InputPrecision::Int8, None, false, |epilogue| {
        // SAFETY: one row of three within `x`.
        let input = unsafe { Rows::new(x[5..].as_ptr(), 3, 3, 1) };
        linear_f32(Isa::best(), matrix.weight(), input, epilogue, 0..1);
    });
    assert_eq!(bits(&out[16..]), bits(&second));
}

/// As many tokens, blocks and groups as instruction sets that unpack weights for many tokens
/// cut into pieces, and an odd number of each.
#[test]
fn int8_products_of_many_tokens_are_the_same_everywhere() {
    let mut numbers = Numbers(11);
    for (rows, cols, tokens) in [
        (16, 32, 13),
        (40, 610, 75),
        (150, 300, 131),
        (70, 1000, 12),
        (33, 1090, 40),
    ] {
        let precisions = [InputPrecision::Int8, InputPrecision::Int16];
        for (encoding, precision) in PACKED[2..].iter().flat_map(|e| precisions.map(|p| (e, p))) {
            let matrix = Matrix::new(*encoding, rows, cols, &mut numbers);
            let x = numbers.floats(tokens * cols);
            let q = Quantized::new(Isa::SCALAR, &x, cols, precision);
            let weight = matrix.weight();
            let run = |isa| {
                with_epilogue(tokens, rows, precision, None, false, |epilogue| {
                    linear_int8(isa, weight, q.rows(), epilogue, 0..weight.groups());
                })
            };
            let expected = bits(&run(Isa::SCALAR));
            for isa in vector_isas() {
                assert!(
                    bits(&run(isa)) == expected,
                    "{isa:?}, {encoding:?}, {precision:?}: {rows} × {cols}, {tokens} tokens"
                );
            }
        }
    }
}

/// Curves without a gate, and the norm by mean and variance.
#[cfg(feature = "encoders")]
mod encoders {
    use super::*;

    const CURVES: &[Activation] = &[
        Activation::Silu,
        Activation::GeluTanh,
        Activation::Gelu,
        #[cfg(feature = "recurrence")]
        Activation::Sigmoid,
        #[cfg(feature = "recurrence")]
        Activation::Softplus,
    ];

    /// What every kernel of encoders makes of a row.
    fn all(isa: Isa, x: &[f32], weight: &[f32], bias: &[f32]) -> Vec<Vec<u32>> {
        let mut normed = x.to_vec();
        layer_norm(isa, &mut normed, weight, bias, 1e-12);
        let curved = CURVES.iter().map(|&activation| {
            let mut curved = x.to_vec();
            activate(isa, activation, &mut curved);
            bits(&curved)
        });
        let mut gated = vec![0.0; x.len()];
        gate(isa, Activation::Gelu, x, weight, &mut gated);
        let others = [bits(&normed), bits(&gated)];
        others.into_iter().chain(curved).collect()
    }

    proptest! {
        #[test]
        fn row_kernels_of_encoders_are_the_same_everywhere(n in 1..200usize, seed in any::<u64>()) {
            let mut numbers = Numbers(seed);
            let [x, weight, bias] = [(); 3].map(|()| numbers.floats(n));
            let expected = all(Isa::SCALAR, &x, &weight, &bias);
            for isa in vector_isas() {
                prop_assert_eq!(all(isa, &x, &weight, &bias), expected.clone(), "{:?}", isa);
            }
        }

        #[test]
        fn anything_at_all_in_a_row_of_an_encoder_does_no_harm(
            values in prop::collection::vec(prop::num::f32::ANY, 1..100)
        ) {
            let expected = all(Isa::SCALAR, &values, &values, &values);
            for isa in vector_isas() {
                prop_assert_eq!(all(isa, &values, &values, &values), expected.clone(), "{:?}", isa);
            }
        }

        #[test]
        fn layer_norm_follows_its_formula(n in 1..100usize, seed in any::<u64>()) {
            let mut numbers = Numbers(seed);
            let [x, weight, bias] = [(); 3].map(|()| numbers.tame(n));
            let mut out = x.clone();
            layer_norm(Isa::best(), &mut out, &weight, &bias, 1e-3);
            let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / n as f64;
            let variance = x.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n as f64;
            for i in 0..n {
                let normal = (f64::from(x[i]) - mean) / (variance + 1e-3).sqrt();
                let truth = normal * f64::from(weight[i]) + f64::from(bias[i]);
                prop_assert!((f64::from(out[i]) - truth).abs() < 1e-5 * (1.0 + truth.abs()));
            }
        }
    }

    #[cfg(feature = "recurrence")]
    #[test]
    fn sigmoid_and_softplus_are_right_to_a_few_units_of_the_last_place_and_at_the_ends() {
        type Exact = fn(f64) -> f64;
        let sigmoid: Exact = |x| 1.0 / (1.0 + (-x).exp());
        let softplus: Exact = |x| x.max(0.0) + (-x.abs()).exp().ln_1p();
        for (activation, exact) in [
            (Activation::Sigmoid, sigmoid),
            (Activation::Softplus, softplus),
        ] {
            let mut x = -80.0f32;
            while x < 80.0 {
                let mut out = [x];
                activate(Isa::SCALAR, activation, &mut out);
                let truth = exact(f64::from(x));
                let error = (f64::from(out[0]) - truth).abs() / truth;
                assert!(error < 4e-7, "{activation:?} of {x}: {error}");
                x += 0.003_7;
            }
        }
        let ends = [f32::INFINITY, f32::NEG_INFINITY, f32::NAN];
        let [mut gates, mut steps] = [ends; 2];
        activate(Isa::SCALAR, Activation::Sigmoid, &mut gates);
        activate(Isa::SCALAR, Activation::Softplus, &mut steps);
        assert!(gates[0] == 1.0 && gates[1] < 1e-37 && gates[2].is_nan());
        assert!(steps[0] == f32::INFINITY && steps[1] < 1e-37 && steps[2].is_nan());
    }

    /// `Φ(x)` by the series of erf near zero and its continued fraction far from it, in f64.
    fn normal_distribution(x: f64) -> f64 {
        let z = x.abs() / std::f64::consts::SQRT_2;
        let tail = if z < 3.0 {
            let mut term = z;
            let mut sum = z;
            for n in 1..200 {
                term *= -z * z / f64::from(n);
                sum += term / f64::from(2 * n + 1);
            }
            0.5 - sum / std::f64::consts::PI.sqrt()
        } else {
            let fraction = (1..=60)
                .rev()
                .fold(0.0, |f, k| f64::from(k) / 2.0 / (z + f));
            (-z * z).exp() / (2.0 * std::f64::consts::PI.sqrt() * (z + fraction))
        };
        if x < 0.0 { tail } else { 1.0 - tail }
    }

    #[test]
    fn gelu_is_off_by_less_than_two_units_of_its_inputs_last_place_and_right_at_the_ends() {
        let mut x = -20.0f32;
        let mut worst = (0.0, 0.0);
        while x < 20.0 {
            let mut out = [x];
            activate(Isa::SCALAR, Activation::Gelu, &mut out);
            let truth = f64::from(x) * normal_distribution(f64::from(x));
            // Left of zero the error is a part of what is subtracted from nothing.
            let error = (f64::from(out[0]) - truth).abs() / f64::from(x.abs().max(1e-3));
            if error > worst.0 {
                worst = (error, x);
            }
            x += 0.000_37;
        }
        assert!(worst.0 < 2.4e-7, "{worst:?}");
        let mut ends = [f32::INFINITY, f32::NEG_INFINITY, 0.0, -0.0, f32::NAN, 1e30];
        activate(Isa::SCALAR, Activation::Gelu, &mut ends);
        assert_eq!(ends[..4], [f32::INFINITY, 0.0, 0.0, 0.0]);
        assert!(ends[4].is_nan() && ends[5] == 1e30);
    }
}
