//! Each kernel at the shapes of SmolLM2-135M and Qwen2.5-0.5B and 1.5B, beside the machine's
//! bounds.
//!
//! ```text
//! cargo bench -p tealight-core --features bench [-- FILTER]
//! ```
//! Bytes/s are those of the weights (or keys and values) that a call reads. `of read` is the
//! ratio to a plain loop that reads the same memory, `of peak` the ratio to a loop of integer
//! products in registers, each run in turn with the kernel: the figures to trust, since a
//! machine's speed wanders. Times are the best of many, as other programs only ever add to them.

mod bounds;

use std::hint::black_box;
use std::time::Instant;

use half::f16;
use tealight_core::kernels::Isa;
use tealight_core::kernels::bench::{self, LANES, Matrix, Output, Quantized};
use tealight_core::layout::{BLOCK, Encoding};
use tealight_core::pool::{Pool, Workers};

use bounds::Peak;

/// Outputs and inputs of the linear maps of one layer.
type Layer = [(usize, usize); 4];

const SMOLLM2: (&str, Layer, usize) = (
    "SmolLM2-135M",
    [(960, 576), (576, 576), (3072, 576), (576, 1536)],
    30,
);
const QWEN: (&str, Layer, usize) = (
    "Qwen2.5-0.5B",
    [(1152, 896), (896, 896), (9728, 896), (896, 4864)],
    24,
);

/// Fewer layers than it has: enough to fill any cache.
const QWEN_LARGE: (&str, Layer, usize) = (
    "Qwen2.5-1.5B",
    [(2048, 1536), (1536, 1536), (17920, 1536), (1536, 8960)],
    12,
);

const MODELS: [(&str, Layer, usize); 3] = [SMOLLM2, QWEN, QWEN_LARGE];

/// The most outputs of a linear map.
const MOST_ROWS: usize = 17920;

fn main() {
    let filter = std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .unwrap_or_default();
    let wanted = |name: &str| name.contains(&filter);
    println!(
        "{:<48} {:>12} {:>8} {:>9} {:>8} {:>8}",
        "kernel", "time", "GB/s", "MAC/ns", "of read", "of peak"
    );
    for isa in Isa::available().skip(1) {
        for threads in [1, 2] {
            for (name, layer, layers) in MODELS {
                for encoding in [Encoding::Int4, Encoding::Int8] {
                    let name = format!("decode {name} {} {isa:?} ×{threads}", encoding.name());
                    if wanted(&name) {
                        decode(&name, isa, threads, &layer, layers, encoding);
                    }
                }
            }
        }
        for (name, layer, _) in MODELS {
            for encoding in [Encoding::Int4, Encoding::Int4ZeroPoint, Encoding::Int8] {
                let name = format!("prefill 128 {name} {} {isa:?}", encoding.name());
                if wanted(&name) {
                    prefill(&name, isa, &layer, encoding, 128);
                }
            }
        }
        for encoding in [Encoding::F32, Encoding::F16, Encoding::Int4] {
            for tokens in [1, 128] {
                let name = format!("float {tokens} SmolLM2-135M {} {isa:?}", encoding.name());
                if wanted(&name) {
                    float(&name, isa, &SMOLLM2.1, encoding, tokens);
                }
            }
        }
        rows(isa, &wanted);
        attention(isa, &wanted);
    }
}

/// Seconds of the best of `runs`, and of a job run in turn with it.
fn best(runs: usize, mut job: impl FnMut(), mut beside: impl FnMut()) -> (f64, f64) {
    let time = |job: &mut dyn FnMut()| {
        let start = Instant::now();
        job();
        start.elapsed().as_secs_f64()
    };
    (0..runs).fold((f64::MAX, f64::MAX), |least, _| {
        (least.0.min(time(&mut job)), least.1.min(time(&mut beside)))
    })
}

/// The ratios to the machine's bounds, where they were measured.
#[derive(Default)]
struct Bounds {
    of_read: Option<f64>,
    of_peak: Option<f64>,
}

fn report(name: &str, seconds: f64, bytes: usize, macs: usize, bounds: Bounds) {
    let ratio = |ratio: Option<f64>| ratio.map_or(String::new(), |ratio| format!("{ratio:.2}"));
    println!(
        "{name:<48} {:>10.2}us {:8.1} {:9.1} {:>8} {:>8}",
        seconds * 1e6,
        bytes as f64 / seconds / 1e9,
        macs as f64 / seconds / 1e9,
        ratio(bounds.of_read),
        ratio(bounds.of_peak),
    );
}

/// Bytes that are no denormal or infinite scale, whatever part of a block they are.
fn weights(encoding: Encoding, (rows, cols): (usize, usize)) -> Vec<u8> {
    let bytes = encoding.tensor_bytes(rows, cols).expect("a small tensor");
    (0..bytes).map(|i| 0x20 + (i * 7 % 5) as u8).collect()
}

/// Room for rows of quantized inputs, for as long as the benchmark runs.
fn quantized(rows: usize, cols: usize) -> Quantized<'static> {
    let blocks = rows * cols.div_ceil(BLOCK);
    let (values, scales) = (vec![0; blocks * BLOCK], vec![0.0; blocks]);
    Quantized::new(values.leak(), scales.leak(), vec![0; blocks].leak(), rows)
}

fn floats(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect()
}

/// All layers for one token: the weights come from memory, or from the last-level cache.
fn decode(name: &str, isa: Isa, threads: usize, layer: &Layer, layers: usize, encoding: Encoding) {
    let pool = Pool::new(threads).expect("threads");
    let tensors: Vec<((usize, usize), Vec<u8>)> = (0..layers)
        .flat_map(|_| layer.map(|shape| (shape, weights(encoding, shape))))
        .collect();
    let inputs: Vec<Quantized> = layer
        .iter()
        .map(|(_, cols)| {
            let mut x = quantized(1, *cols);
            x.fill(isa, &floats(*cols));
            x
        })
        .collect();
    let mut out = vec![0.0; MOST_ROWS];
    let bytes: usize = tensors.iter().map(|(_, data)| data.len()).sum();
    let macs: usize = tensors.iter().map(|((rows, cols), _)| rows * cols).sum();

    let job = || {
        for (i, ((rows, cols), data)) in tensors.iter().enumerate() {
            let matrix = Matrix {
                encoding,
                rows: *rows,
                cols: *cols,
                data,
            };
            let out = Output::new(&mut out[..*rows], *rows);
            let groups = matrix.groups();
            pool.run(&|part| {
                let range = groups * part / threads..groups * (part + 1) / threads;
                // SAFETY: the ranges are disjoint.
                unsafe { bench::linear_int8(isa, matrix, &inputs[i % 4], out, range) };
            });
        }
    };
    let beside = || {
        pool.run(&|part| {
            for (_, data) in &tensors {
                let n = data.len();
                black_box(bounds::read(
                    &data[n * part / threads..n * (part + 1) / threads],
                ));
            }
        });
    };
    let (own, plain) = best(60, job, beside);
    let bounds = Bounds {
        of_read: Some(plain / own),
        of_peak: None,
    };
    report(name, own, bytes, macs, bounds);
}

/// Multiply-adds of the loop beside prefill: some milliseconds.
const PEAK_MACS: usize = 1 << 31;

/// One layer for many tokens, on one thread.
fn prefill(name: &str, isa: Isa, layer: &Layer, encoding: Encoding, tokens: usize) {
    let tensors = layer.map(|shape| (shape, weights(encoding, shape)));
    let inputs = layer.map(|(_, cols)| {
        let mut x = quantized(tokens, cols);
        x.fill(isa, &floats(tokens * cols));
        x
    });
    let mut out = vec![0.0; tokens * MOST_ROWS];
    let job = || {
        for (((rows, cols), data), x) in tensors.iter().zip(&inputs) {
            let matrix = Matrix {
                encoding,
                rows: *rows,
                cols: *cols,
                data,
            };
            let out = Output::new(&mut out[..tokens * rows], *rows);
            // SAFETY: there is one thread.
            unsafe { bench::linear_int8(isa, matrix, x, out, 0..matrix.groups()) };
        }
    };
    let peak = Peak::of(isa);
    let mut most = 0;
    let beside = || most = peak.as_ref().map_or(0, |peak| peak.run(PEAK_MACS));
    let (own, plain) = best(40, job, beside);
    let bytes = tensors.iter().map(|(_, data)| data.len()).sum();
    let macs: usize = layer.iter().map(|(rows, cols)| rows * cols * tokens).sum();
    let speed = |macs: usize, seconds: f64| macs as f64 / seconds;
    let bounds = Bounds {
        of_read: None,
        of_peak: (most > 0).then(|| speed(macs, own) / speed(most, plain)),
    };
    report(name, own, bytes, macs, bounds);
}

/// One layer with f32 activations, on one thread.
fn float(name: &str, isa: Isa, layer: &Layer, encoding: Encoding, tokens: usize) {
    let tensors = layer.map(|shape| (shape, weights(encoding, shape)));
    let inputs = layer.map(|(_, cols)| floats(tokens * cols));
    let mut out = vec![0.0; tokens * MOST_ROWS];
    let job = || {
        for (((rows, cols), data), x) in tensors.iter().zip(&inputs) {
            let matrix = Matrix {
                encoding,
                rows: *rows,
                cols: *cols,
                data,
            };
            let out = Output::new(&mut out[..tokens * rows], *rows);
            // SAFETY: there is one thread.
            unsafe { bench::linear_f32(isa, matrix, x, out, 0..matrix.groups()) };
        }
    };
    let (own, _) = best(20, job, || {});
    let bytes = tensors.iter().map(|(_, data)| data.len()).sum();
    let macs: usize = layer.iter().map(|(rows, cols)| rows * cols * tokens).sum();
    report(name, own, bytes, macs, Bounds::default());
}

/// Kernels over one row, many times.
fn rows(isa: Isa, wanted: &dyn Fn(&str) -> bool) {
    const TIMES: usize = 200;
    let measure = |name: &str, width: usize, job: &mut dyn FnMut()| {
        let name = format!("{name} {width} {isa:?}");
        if wanted(&name) {
            let (own, _) = best(40, || (0..TIMES).for_each(|_| job()), || {});
            report(&name, own / TIMES as f64, 4 * width, 0, Bounds::default());
        }
    };
    for (hidden, inner, head) in [(576, 1536, 64), (896, 4864, 64), (1536, 8960, 128)] {
        let (x, mut y, ones) = (floats(inner), floats(inner), vec![1.0; inner]);
        let mut out = vec![0.0; inner];
        let mut quantized = quantized(1, hidden);
        measure("quantize_row", hidden, &mut || {
            quantized.fill(isa, black_box(&x[..hidden]))
        });
        measure("rms_norm", hidden, &mut || {
            bench::rms_norm(isa, black_box(&mut y[..hidden]), &ones[..hidden]);
        });
        measure("gate", inner, &mut || {
            bench::gate(isa, black_box(&x), &x, &mut out)
        });
        measure("rope", head, &mut || {
            bench::rope(
                isa,
                black_box(&mut y[..head]),
                &x[..head / 2],
                &x[..head / 2],
            );
        });
    }
}

/// Some heads that share keys and values, over the cached positions.
fn attention(isa: Isa, wanted: &dyn Fn(&str) -> bool) {
    let cases = [
        (1, 128, 64),
        (1, 2048, 64),
        (3, 2048, 64),
        (4, 512, 64),
        (7, 2048, 64),
        (6, 2048, 128),
    ];
    for (heads, positions, dim) in cases {
        let row = dim / LANES;
        let mut values = vec![[f16::ZERO; LANES]; positions * row];
        bench::store_value(isa, &floats(positions * dim), &mut values);
        let mut keys = vec![[[f16::ZERO; LANES]; LANES]; positions * row / LANES];
        for (at, key) in floats(positions * dim).chunks_exact(dim).enumerate() {
            bench::store_key(isa, key, &mut keys[at / LANES * row..][..row], at % LANES);
        }
        let queries = floats(heads * dim);
        let (mut scores, mut out) = (vec![0.0; 8 * positions], vec![0.0; heads * dim]);
        let name = format!("attend {heads} × {positions} × {dim} {isa:?}");
        if wanted(&name) {
            let job = || {
                for _ in 0..50 {
                    let queries = black_box(&queries);
                    bench::attend(isa, queries, (&keys, &values), dim, &mut scores, &mut out);
                }
            };
            let (own, _) = best(40, job, || {});
            let macs = 2 * heads * positions * dim;
            report(
                &name,
                own / 50.0,
                4 * positions * dim,
                macs,
                Bounds::default(),
            );
        }
    }
}
