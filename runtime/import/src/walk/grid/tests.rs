//! Masks and positions as linear forms.

use super::*;

fn indices(shape: Vec<Dim>, base: Dim, axis: usize) -> Grid {
    let mut steps = vec![0; shape.len()];
    steps[axis] = 1;
    Grid::linear(shape, base, steps)
}

#[test]
fn a_causal_mask_is_one_condition() {
    let query = indices(vec![Dim::SEQUENCE, Dim::ONE], Dim::PAST, 0);
    let key = indices(vec![Dim::ONE, Dim::TOTAL], Dim::new(0), 1);
    let mask = key.compare(&query, Comparison::LessOrEqual).unwrap();
    let everything = Grid::filled(vec![Dim::ONE, Dim::TOTAL], 1.0);
    let mask = mask.and(&everything).unwrap();
    assert_eq!(mask.shape, [Dim::SEQUENCE, Dim::TOTAL]);
    let causal = Linear {
        base: Dim::PAST,
        steps: vec![1, -1],
    };
    assert_eq!(
        mask.content,
        Content::Choice {
            when: vec![causal],
            yes: 1.0,
            no: 0.0
        }
    );
}

#[test]
fn conditions_that_always_or_never_hold_are_dropped() {
    let key = indices(vec![Dim::TOTAL], Dim::new(0), 0);
    let zero = Grid::filled(vec![], 0.0);
    assert_eq!(
        key.compare(&zero, Comparison::GreaterOrEqual)
            .unwrap()
            .fill(),
        Some(1.0)
    );
    assert_eq!(
        key.compare(&zero, Comparison::Less).unwrap().fill(),
        Some(0.0)
    );
    let end = Grid::linear(vec![], Dim::TOTAL, vec![]);
    assert_eq!(
        key.compare(&end, Comparison::Less).unwrap().fill(),
        Some(1.0)
    );
}

#[test]
fn a_window_stays_a_condition_of_its_own() {
    let query = indices(vec![Dim::SEQUENCE, Dim::ONE], Dim::PAST, 0);
    let key = indices(vec![Dim::ONE, Dim::TOTAL], Dim::new(0), 1);
    let causal = key.compare(&query, Comparison::LessOrEqual).unwrap();
    let start = query.add(&Grid::filled(vec![], 128.0), -1).unwrap();
    let window = key.compare(&start, Comparison::Greater).unwrap();
    let Content::Choice { when, .. } = causal.and(&window).unwrap().content else {
        panic!()
    };
    assert_eq!(when.len(), 2);
}

#[test]
fn whole_numbers_on_a_grid_are_recognised() {
    let array = Array::new(vec![2, 2], [0, 1, 10, 11].map(Dim::new).to_vec()).unwrap();
    let grid = Grid::from_ints(&array).unwrap();
    assert_eq!(grid.as_linear().unwrap().steps, [10, 1]);
    let crooked = Array::vector([0, 1, 3].map(Dim::new).to_vec());
    assert_eq!(Grid::from_ints(&crooked), None);
}
