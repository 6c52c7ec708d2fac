//! A run of an ONNX model as text or as JSON.

use std::io::{Write, stdout};

use serde_json::{Value, json};
use tealight::onnx::{OnnxModel, Tensor};

use super::Report;
use crate::exit::Failure;
use crate::terminal;
use crate::units::Spread;

/// How many values of an output are shown.
const SHOWN: usize = 8;

pub(super) fn text(model: &OnnxModel, report: &Report) -> Result<(), Failure> {
    let mut out = stdout().lock();
    writeln!(out, "{}", terminal::bold("inputs"))?;
    for (info, (_, tensor)) in model.inputs().iter().zip(&report.inputs) {
        writeln!(out, "  {info}, fed {:?}", tensor.shape())?;
    }
    writeln!(out, "{}", terminal::bold("outputs"))?;
    for (info, (_, tensor)) in model.outputs().iter().zip(&report.outputs) {
        writeln!(
            out,
            "  {info}, gave {:?}: {}",
            tensor.shape(),
            sample(tensor)
        )?;
    }
    writeln!(out, "{}", terminal::bold("time"))?;
    writeln!(out, "  open         {:>9.2} ms", report.open * 1e3)?;
    writeln!(
        out,
        "  first call   {:>9.2} ms (with preparation)",
        report.first() * 1e3
    )?;
    if let Some(later) = report.later() {
        writeln!(
            out,
            "  later calls  {:>9.2} ms (median of {}, {:.2} to {:.2})",
            later.median * 1e3,
            report.calls.len() - 1,
            later.min * 1e3,
            later.max * 1e3
        )?;
    }
    Ok(())
}

pub(super) fn json(report: &Report) -> Result<(), Failure> {
    let described = |tensors: &[(String, Tensor)], with_values: bool| -> Vec<Value> {
        let describe = |(name, tensor): &(String, Tensor)| {
            let mut described = json!({
                "name": name,
                "type": tensor.element_type().name(),
                "shape": tensor.shape(),
            });
            if with_values {
                described["values"] = values(tensor, usize::MAX).into();
            }
            described
        };
        tensors.iter().map(describe).collect()
    };
    let whole = json!({
        "inputs": described(&report.inputs, false),
        "outputs": described(&report.outputs, true),
        "open_ms": report.open * 1e3,
        "first_ms": report.first() * 1e3,
        "median_ms": report.later().map(|later| later.median * 1e3),
    });
    writeln!(stdout().lock(), "{whole}")?;
    Ok(())
}

impl Report {
    fn first(&self) -> f64 {
        self.calls.first().copied().unwrap_or_default()
    }

    fn later(&self) -> Option<Spread> {
        let later = self.calls.get(1..).filter(|later| !later.is_empty())?;
        Some(Spread::of(later.to_vec()))
    }
}

fn sample(tensor: &Tensor) -> String {
    let shown: Vec<String> = values(tensor, SHOWN).iter().map(brief).collect();
    let more = tensor.shape().iter().product::<usize>() > SHOWN;
    format!("{}{}", shown.join(" "), if more { " …" } else { "" })
}

fn brief(value: &Value) -> String {
    match value {
        Value::Number(number) if number.is_f64() => {
            format!("{:.5}", number.as_f64().unwrap_or_default())
        }
        other => other.to_string(),
    }
}

/// The first values, in C order. Floats that are no numbers become null.
fn values(tensor: &Tensor, most: usize) -> Vec<Value> {
    match tensor {
        Tensor::F32(a) => a.iter().take(most).map(|x| json!(x)).collect(),
        Tensor::F16(a) => a.iter().take(most).map(|x| json!(x.to_f32())).collect(),
        Tensor::F64(a) => a.iter().take(most).map(|x| json!(x)).collect(),
        Tensor::I8(a) => a.iter().take(most).map(|x| json!(x)).collect(),
        Tensor::I16(a) => a.iter().take(most).map(|x| json!(x)).collect(),
        Tensor::I32(a) => a.iter().take(most).map(|x| json!(x)).collect(),
        Tensor::I64(a) => a.iter().take(most).map(|x| json!(x)).collect(),
        Tensor::U8(a) => a.iter().take(most).map(|x| json!(x)).collect(),
        Tensor::U16(a) => a.iter().take(most).map(|x| json!(x)).collect(),
        Tensor::U32(a) => a.iter().take(most).map(|x| json!(x)).collect(),
        Tensor::U64(a) => a.iter().take(most).map(|x| json!(x)).collect(),
        Tensor::Bool(a) => a.iter().take(most).map(|x| json!(x)).collect(),
    }
}
