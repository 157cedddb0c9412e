//! India as 36 tiles: one for each state and union territory, near where it lies. No claim on any border.

/// Column, row and code of each tile.
const TILES: [(u32, u32, &str); 36] = [
    (2, 0, "JK"),
    (3, 0, "LA"),
    (1, 1, "PB"),
    (2, 1, "CH"),
    (3, 1, "HP"),
    (1, 2, "HR"),
    (2, 2, "DL"),
    (3, 2, "UK"),
    (7, 2, "AR"),
    (1, 3, "RJ"),
    (2, 3, "UP"),
    (3, 3, "BR"),
    (4, 3, "SK"),
    (6, 3, "AS"),
    (7, 3, "NL"),
    (1, 4, "GJ"),
    (2, 4, "MP"),
    (3, 4, "JH"),
    (4, 4, "WB"),
    (6, 4, "ML"),
    (7, 4, "MN"),
    (0, 5, "DH"),
    (1, 5, "MH"),
    (2, 5, "CG"),
    (3, 5, "OD"),
    (6, 5, "TR"),
    (7, 5, "MZ"),
    (0, 6, "GA"),
    (1, 6, "KA"),
    (2, 6, "TS"),
    (3, 6, "AP"),
    (0, 7, "LD"),
    (1, 7, "KL"),
    (2, 7, "TN"),
    (3, 7, "PY"),
    (6, 7, "AN"),
];

/// Side of a tile with its gap, in units of the drawing.
const STEP: u32 = 60;

/// One tile, ready to draw.
#[derive(Debug)]
pub struct Tile {
    pub x: u32,
    pub y: u32,
    pub code: &'static str,
    pub count: i64,
    /// 0 (none) to 4 (the most): the shade, darker for more.
    pub shade: i64,
}

/// The drawing's width and height.
pub const SIZE: (u32, u32) = (8 * STEP, 8 * STEP);

/// The tiles with their counts; what `counts` lacks is zero.
#[must_use]
pub fn tiles(counts: &[(String, i64)]) -> Vec<Tile> {
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0).max(1);
    TILES
        .iter()
        .map(|(column, row, code)| {
            let count = counts.iter().find(|(state, _)| state == code).map_or(0, |(_, count)| *count);
            // Quarters of the largest count, rounded up, so that a single case is already seen.
            let shade = (count.max(0) * 4 + most - 1) / most;
            Tile { x: column * STEP, y: row * STEP, code, count, shade }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::web::views::form::STATES;

    #[test]
    fn each_state_has_one_tile_of_its_own() {
        let codes: BTreeSet<_> = TILES.iter().map(|(_, _, code)| *code).collect();
        let places: BTreeSet<_> = TILES.iter().map(|(column, row, _)| (column, row)).collect();
        assert_eq!(codes, STATES.into_iter().collect());
        assert_eq!(places.len(), TILES.len());
    }

    #[test]
    fn shades_run_from_none_to_the_most() {
        let counts = [("MH".to_owned(), 400), ("PY".to_owned(), 1), ("UP".to_owned(), 201)];
        let shade = |code| tiles(&counts).into_iter().find(|tile| tile.code == code).unwrap().shade;
        assert_eq!((shade("MH"), shade("UP"), shade("PY"), shade("GA")), (4, 3, 1, 0));
        assert!(tiles(&[]).iter().all(|tile| tile.shade == 0));
    }
}
