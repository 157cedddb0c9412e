//! What a run prints: tables of plain text.

use crate::server::Side;

/// A table whose columns are as wide as they must be.
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    pub fn new(head: &[&str]) -> Self {
        Self { rows: vec![head.iter().map(|cell| (*cell).to_owned()).collect()] }
    }

    pub fn row(&mut self, cells: Vec<String>) {
        self.rows.push(cells);
    }

    pub fn print(&self, title: &str) {
        let columns = self.rows.first().map_or(0, Vec::len);
        let widths: Vec<usize> = (0..columns)
            .map(|column| self.rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max())
            .map(Option::unwrap_or_default)
            .collect();
        say(&format!("\n{title}"));
        for row in &self.rows {
            let cells: Vec<_> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:>width$}")).collect();
            say(&format!("  {}", cells.join("  ")));
        }
    }
}

/// The mean of a figure over the runs of one side.
pub fn mean<T>(of: &[(Side, T)], side: Side, figure: impl Fn(&T) -> f64) -> Option<f64> {
    let figures: Vec<f64> = of.iter().filter(|(whose, _)| *whose == side).map(|(_, run)| figure(run)).collect();
    let count = u32::try_from(figures.len()).ok().filter(|count| *count > 0)?;
    Some(figures.iter().sum::<f64>() / f64::from(count))
}

/// The p-th of some figures, 0 to 1; NaN without any.
pub fn percentile(figures: &[f64], share: f64) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    let last = sorted.len().saturating_sub(1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "small")]
    let at = (share * last as f64).round() as usize;
    sorted.get(at).copied().unwrap_or(f64::NAN)
}

/// One line of the report.
#[expect(clippy::print_stdout, reason = "a measuring tool talks to its user")]
pub fn say(line: &str) {
    println!("{line}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_summed_up() {
        let runs = [(Side::Ours, 1.0), (Side::Janus, 9.0), (Side::Ours, 3.0)];
        assert_eq!(mean(&runs, Side::Ours, |run| *run), Some(2.0));
        assert_eq!(mean(&runs[..1], Side::Janus, |run: &f64| *run), None);
        assert!((percentile(&[3.0, 1.0, 2.0], 0.5) - 2.0).abs() < 1e-9);
        assert!((percentile(&[3.0, 1.0, 2.0], 0.95) - 3.0).abs() < 1e-9);
        assert!(percentile(&[], 0.5).is_nan());
    }
}
