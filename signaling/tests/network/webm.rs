//! The times of the blocks in a recorded file, as much of Matroska (RFC 9559) as that takes.

use std::collections::BTreeMap;

const SEGMENT: u64 = 0x1853_8067;
const CLUSTER: u64 = 0x1F43_B675;
const TIMESTAMP: u64 = 0xE7;
const SIMPLE_BLOCK: u64 = 0xA3;

/// Of each track the pauses longer than `least`, in milliseconds.
pub fn gaps(file: &[u8], least: u64) -> BTreeMap<u8, Vec<u64>> {
    let mut times = BTreeMap::<u8, Vec<u64>>::new();
    let mut cluster = 0;
    let mut rest = file;
    while let Some((id, size, head)) = head(rest) {
        let body = &rest[head..];
        if id == SEGMENT || id == CLUSTER {
            // What is inside follows.
            rest = body;
            continue;
        }
        let (content, after) = body.split_at(size.min(body.len()));
        rest = after;
        if id == TIMESTAMP {
            cluster = content.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        } else if id == SIMPLE_BLOCK {
            let offset = u64::from(u16::from_be_bytes([content[1], content[2]]));
            times.entry(content[0] & 0x7f).or_default().push(cluster + offset);
        }
    }
    assert!(times.values().all(|times| times.len() > 50), "the file has sound and picture");
    let gaps = |mut times: Vec<u64>| {
        times.sort_unstable();
        times.windows(2).map(|pair| pair[1] - pair[0]).filter(|gap| *gap > least).collect()
    };
    times.into_iter().map(|(track, times)| (track, gaps(times))).collect()
}

/// An element's id, the size of its content, and of its own head.
fn head(bytes: &[u8]) -> Option<(u64, usize, usize)> {
    let id_length = usize::try_from(bytes.first()?.leading_zeros()).unwrap() + 1;
    let id = bytes.get(..id_length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
    let first = *bytes.get(id_length)?;
    let length = usize::try_from(first.leading_zeros()).unwrap() + 1;
    let value = bytes.get(id_length..id_length + length)?;
    let size = value.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)) & !(1 << (7 * length));
    Some((id, usize::try_from(size).unwrap(), id_length + length))
}
