//! Numbers as people read them, and the middle and ends of a list of them.

/// `86.3 MB`: decimal units, as file managers and download pages show them.
pub(crate) fn bytes(count: u64) -> String {
    scaled(count, &["B", "kB", "MB", "GB", "TB"])
}

/// `134.5 M`.
pub(crate) fn count(count: u64) -> String {
    scaled(count, &["", "K", "M", "B", "T"])
        .trim_end()
        .to_owned()
}

fn scaled(count: u64, units: &[&str]) -> String {
    let mut value = count as f64;
    let mut unit = 0;
    // What would be shown as 1000.0 is 1.0 of the next unit.
    while value >= 999.95 && unit + 1 < units.len() {
        value /= 1000.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{count} {}", units[0])
    } else {
        format!("{value:.1} {}", units[unit])
    }
}

/// The middle of several measurements, and how far they reach.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Spread {
    pub(crate) median: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Spread {
    /// Of at least one measurement; all zero of none.
    pub(crate) fn of(mut values: Vec<f64>) -> Spread {
        values.sort_by(f64::total_cmp);
        let (Some(&min), Some(&max)) = (values.first(), values.last()) else {
            return Spread {
                median: 0.0,
                min: 0.0,
                max: 0.0,
            };
        };
        let upper = values[values.len() / 2];
        let lower = values[(values.len() - 1) / 2];
        Spread {
            median: (lower + upper) / 2.0,
            min,
            max,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_one_decimal_and_a_unit() {
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(86_287_616), "86.3 MB");
        assert_eq!(bytes(999_960), "1.0 MB");
        assert_eq!(count(134_515_008), "134.5 M");
        assert_eq!(count(12), "12");
    }

    #[test]
    fn the_median_of_an_even_list_is_between_the_middle_two() {
        let spread = Spread::of(vec![4.0, 1.0, 3.0, 2.0]);
        assert_eq!(
            spread,
            Spread {
                median: 2.5,
                min: 1.0,
                max: 4.0
            }
        );
        assert_eq!(Spread::of(vec![7.0]).median, 7.0);
    }
}
