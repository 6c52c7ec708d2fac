//! Which weights a calibration is asked about, and what it changes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::error::Error;
use std::rc::Rc;

use tealight_core::layout::Encoding;

use super::{options, tensors};
use crate::testing::fused;
use crate::{Calibration, ImportReport, InputProducts, Quantization, Quantize, recognise};

/// Knows what some maps are given, and notes which it was asked for.
#[derive(Debug, Default)]
struct Asked {
    widths: BTreeMap<String, usize>,
    names: RefCell<Vec<String>>,
}

impl Calibration for Asked {
    fn products(
        &self,
        weight: &str,
    ) -> Result<Option<InputProducts>, Box<dyn Error + Send + Sync>> {
        self.names.borrow_mut().push(weight.to_owned());
        let Some(&width) = self.widths.get(weight) else {
            return Ok(None);
        };
        let inputs = (0..64 * width).map(|i| ((i * i + i / 7) % 13) as f32);
        let mut products = InputProducts::new(width);
        products.add(&inputs.collect::<Vec<_>>(), 1);
        Ok(Some(products))
    }
}

#[test]
fn a_calibration_is_asked_for_weights_of_four_bits_by_their_names_in_the_report() {
    let saved = fused().save();
    let mut how = Quantization::from(Quantize::Int4);
    how.head = Some(Quantize::Int8);
    let mut options = options();
    options.quantize = Some(how);
    let plain = recognise(&saved.path, &options).unwrap();
    let names = ImportReport::of(&plain).tensor_names;
    let of_four_bits = |at: &usize| plain.tensors[*at].encoding == Encoding::Int4;
    let at: Vec<usize> = (0..plain.tensors.len()).filter(of_four_bits).collect();
    let mut asked = Asked::default();
    // All but one.
    for &at in &at[1..] {
        asked
            .widths
            .insert(names[at].clone(), plain.tensors[at].cols);
    }
    let asked = Rc::new(asked);
    options.calibration = Some(asked.clone());
    let calibrated = tensors(&recognise(&saved.path, &options).unwrap());
    let expected: Vec<_> = at.iter().map(|&at| names[at].clone()).collect();
    assert_eq!(*asked.names.borrow(), expected);
    for (index, (before, after)) in tensors(&plain).iter().zip(&calibrated).enumerate() {
        assert_eq!(
            before != after,
            at[1..].contains(&index),
            "{}",
            names[index]
        );
    }
}
