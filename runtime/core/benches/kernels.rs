//! Each kernel at the shapes of SmolLM2-135M and Qwen2.5-0.5B, beside the machine's bounds.
//!
//! ```text
//! cargo bench -p tealight-core --features bench [-- FILTER]
//! ```
//! Bytes/s are those of the weights (or keys and values) that a call reads. `of read` is the
//! ratio to a plain loop that reads as much memory, run in turn with the kernel: the figure to
//! trust, since a machine's bandwidth wanders. Times are the best of many, as other programs
//! only ever add to them.

use std::hint::black_box;
use std::time::Instant;

use half::f16;
use tealight_core::kernels::Isa;
use tealight_core::kernels::bench::{self, LANES, Matrix, Output, Quantized};
use tealight_core::layout::Encoding;
use tealight_core::pool::{Pool, Workers};

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

fn main() {
    let filter = std::env::args()
        .skip(1)
        .find(|arg| !arg.starts_with('-'))
        .unwrap_or_default();
    let wanted = |name: &str| name.contains(&filter);
    println!(
        "{:<44} {:>10} {:>8} {:>9} {:>8}",
        "kernel", "time", "GB/s", "MAC/ns", "of read"
    );
    for isa in Isa::available().skip(1) {
        for threads in [1, 2] {
            for (name, layer, layers) in [SMOLLM2, QWEN] {
                for encoding in [Encoding::Int4, Encoding::Int8] {
                    let name = format!("decode {name} {} {isa:?} ×{threads}", encoding.name());
                    if wanted(&name) {
                        decode(&name, isa, threads, &layer, layers, encoding);
                    }
                }
            }
        }
        for (name, layer, _) in [SMOLLM2, QWEN] {
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

fn report(name: &str, seconds: f64, bytes: usize, macs: usize, of_read: Option<f64>) {
    let of_read = of_read.map_or(String::new(), |ratio| format!("{ratio:8.2}"));
    println!(
        "{name:<44} {:>8.2}us {:8.1} {:9.1} {of_read}",
        seconds * 1e6,
        bytes as f64 / seconds / 1e9,
        macs as f64 / seconds / 1e9,
    );
}

/// Bytes that are no denormal or infinite scale, whatever part of a block they are.
fn weights(encoding: Encoding, (rows, cols): (usize, usize)) -> Vec<u8> {
    let bytes = encoding.tensor_bytes(rows, cols).expect("a small tensor");
    (0..bytes).map(|i| 0x20 + (i * 7 % 5) as u8).collect()
}

fn floats(n: usize) -> Vec<f32> {
    (0..n).map(|i| (i * 37 % 101) as f32 / 50.0 - 1.0).collect()
}

/// Reads memory as fast as plain code does.
fn read(memory: &[u64]) -> u64 {
    let mut sums = [0u64; 32];
    for chunk in memory.as_chunks::<32>().0 {
        for (sum, x) in sums.iter_mut().zip(chunk) {
            *sum ^= x;
        }
    }
    sums.iter().fold(0, |a, b| a ^ b)
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
            let mut x = Quantized::new(1, *cols);
            x.fill(isa, &floats(*cols));
            x
        })
        .collect();
    let mut out = vec![0.0; 10_000];
    let bytes: usize = tensors.iter().map(|(_, data)| data.len()).sum();
    let macs: usize = tensors.iter().map(|((rows, cols), _)| rows * cols).sum();
    let other = vec![1u64; bytes / 8];

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
            let n = other.len();
            black_box(read(&other[n * part / threads..n * (part + 1) / threads]));
        });
    };
    let (own, plain) = best(60, job, beside);
    report(name, own, bytes, macs, Some(plain / own));
}

/// One layer for many tokens, on one thread.
fn prefill(name: &str, isa: Isa, layer: &Layer, encoding: Encoding, tokens: usize) {
    let tensors = layer.map(|shape| (shape, weights(encoding, shape)));
    let inputs = layer.map(|(_, cols)| {
        let mut x = Quantized::new(tokens, cols);
        x.fill(isa, &floats(tokens * cols));
        x
    });
    let mut out = vec![0.0; tokens * 10_000];
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
    let (own, _) = best(40, job, || {});
    let bytes = tensors.iter().map(|(_, data)| data.len()).sum();
    let macs: usize = layer.iter().map(|(rows, cols)| rows * cols * tokens).sum();
    report(name, own, bytes, macs, None);
}

/// One layer with f32 activations, on one thread.
fn float(name: &str, isa: Isa, layer: &Layer, encoding: Encoding, tokens: usize) {
    let tensors = layer.map(|shape| (shape, weights(encoding, shape)));
    let inputs = layer.map(|(_, cols)| floats(tokens * cols));
    let mut out = vec![0.0; tokens * 10_000];
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
    report(name, own, bytes, macs, None);
}

/// Kernels over one row, many times.
fn rows(isa: Isa, wanted: &dyn Fn(&str) -> bool) {
    const TIMES: usize = 200;
    let measure = |name: &str, width: usize, job: &mut dyn FnMut()| {
        let name = format!("{name} {width} {isa:?}");
        if wanted(&name) {
            let (own, _) = best(40, || (0..TIMES).for_each(|_| job()), || {});
            report(&name, own / TIMES as f64, 4 * width, 0, None);
        }
    };
    for (hidden, inner, head) in [(576, 1536, 64), (896, 4864, 64)] {
        let (x, mut y, ones) = (floats(inner), floats(inner), vec![1.0; inner]);
        let mut out = vec![0.0; inner];
        let mut quantized = Quantized::new(1, hidden);
        measure("quantize_row", hidden, &mut || {
            quantized.fill(isa, black_box(&x[..hidden]))
        });
        measure("rms_norm", hidden, &mut || {
            bench::rms_norm(isa, black_box(&mut y[..hidden]), &ones[..hidden]);
        });
        measure("silu_mul", inner, &mut || {
            bench::silu_mul(isa, black_box(&x), &x, &mut out)
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
    let dim = 64;
    for (heads, positions) in [(1, 128), (1, 2048), (3, 2048), (4, 512), (7, 2048)] {
        let mut kept = vec![[f16::ZERO; LANES]; positions * dim / LANES];
        bench::store_kv(isa, &floats(positions * dim), &mut kept);
        let queries = floats(heads * dim);
        let (mut scores, mut out) = (vec![0.0; 4 * positions], vec![0.0; heads * dim]);
        let name = format!("attend {heads} × {positions} × {dim} {isa:?}");
        if wanted(&name) {
            let job = || {
                for _ in 0..50 {
                    let queries = black_box(&queries);
                    bench::attend(isa, queries, (&kept, &kept), dim, &mut scores, &mut out);
                }
            };
            let (own, _) = best(40, job, || {});
            let macs = 2 * heads * positions * dim;
            report(&name, own / 50.0, 4 * positions * dim, macs, None);
        }
    }
}
