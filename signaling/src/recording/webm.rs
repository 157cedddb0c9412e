//! A small Matroska/WebM writer (RFC 8794 for EBML, RFC 9559 for Matroska): just what a recording that is written as it arrives needs.
//!
//! A file is a header of exactly [`HEADER_BYTES`], then clusters of known size, then (at the finish) the cues. The header says "unknown
//! size" until the finish, so a file that ends anywhere between clusters plays. The header is padded, so that it can be written again in place.

use super::picture::Picture;

/// The header's fixed length in bytes: one page of a disk, so that rewriting it is one write.
pub(crate) const HEADER_BYTES: usize = 4096;
/// Track numbers in every file.
pub(crate) const AUDIO_TRACK: u8 = 1;
pub(crate) const VIDEO_TRACK: u8 = 2;

const EBML: u32 = 0x1A45_DFA3;
const SEGMENT: u32 = 0x1853_8067;
const SEEK_HEAD: u32 = 0x114D_9B74;
const SEEK: u32 = 0x4DBB;
const SEEK_ID: u32 = 0x53AB;
const SEEK_POSITION: u32 = 0x53AC;
const INFO: u32 = 0x1549_A966;
const TRACKS: u32 = 0x1654_AE6B;
const TRACK_ENTRY: u32 = 0xAE;
const CLUSTER: u32 = 0x1F43_B675;
const CUES: u32 = 0x1C53_BB6B;
const VOID: u32 = 0xEC;

/// What a file's header tells.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Header {
    pub audio: bool,
    pub video: Option<Picture>,
    /// Known at the finish only.
    pub finish: Option<Finish>,
}

/// What is known when a file is complete.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Finish {
    pub duration_ms: u64,
    /// Where the cues begin, and where the file ends, in bytes from the file's start.
    pub cues_at: u64,
    pub length: u64,
}

/// A place to jump to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cue {
    pub at_ms: u64,
    pub track: u8,
    /// The cluster, in bytes from the file's start.
    pub cluster_at: u64,
}

/// The header's bytes.
pub(crate) fn header(header: &Header) -> Vec<u8> {
    let mut out = ebml_head(header);
    push_id(&mut out, SEGMENT);
    let data_at = segment_data_at(header);
    let size = header.finish.as_ref().map_or(0x00FF_FFFF_FFFF_FFFF, |finish| finish.length.saturating_sub(data_at));
    out.extend_from_slice(&(0x0100_0000_0000_0000 | size).to_be_bytes());
    let info = info(header.finish.as_ref());
    let tracks = tracks(header);
    if let Some(finish) = &header.finish {
        // The list's own length does not depend on its numbers (all have eight bytes), so it can be made twice.
        let length = seek_head(&[(INFO, 0), (TRACKS, 0), (CUES, 0)]).len() as u64;
        let info_at = length;
        let tracks_at = info_at + info.len() as u64;
        let cues_at = finish.cues_at.saturating_sub(data_at);
        out.extend(seek_head(&[(INFO, info_at), (TRACKS, tracks_at), (CUES, cues_at)]));
    }
    out.extend(info);
    out.extend(tracks);
    // A void of at least nine bytes (ID and eight bytes of size) fills the rest.
    let rest = HEADER_BYTES.saturating_sub(out.len() + 9);
    push_id(&mut out, VOID);
    out.extend_from_slice(&(0x0100_0000_0000_0000 | rest as u64).to_be_bytes());
    out.resize(out.len() + rest, 0);
    out
}

/// Puts frames of up to a second together; they leave in one write.
#[derive(Debug)]
pub(crate) struct Cluster {
    pub start_ms: u64,
    pub end_ms: u64,
    /// The first whole picture in it.
    pub first_key_ms: Option<u64>,
    blocks: Vec<u8>,
}

impl Cluster {
    pub fn new(start_ms: u64) -> Self {
        Self { start_ms, end_ms: start_ms, first_key_ms: None, blocks: Vec::new() }
    }

    /// Adds a frame. Its time lies within the cluster's second; an earlier one than the cluster's start counts as the start.
    pub fn push(&mut self, track: u8, at_ms: u64, is_key: bool, data: &[u8]) {
        let offset = u16::try_from(at_ms.saturating_sub(self.start_ms)).unwrap_or(0x7fff).min(0x7fff);
        push_id(&mut self.blocks, 0xA3);
        push_size(&mut self.blocks, data.len() as u64 + 4);
        self.blocks.push(0x80 | track);
        self.blocks.extend_from_slice(&offset.to_be_bytes());
        self.blocks.push(if is_key { 0x80 } else { 0 });
        self.blocks.extend_from_slice(data);
        self.end_ms = self.end_ms.max(at_ms);
        if is_key && track == VIDEO_TRACK && self.first_key_ms.is_none() {
            self.first_key_ms = Some(at_ms);
        }
    }

    pub fn bytes(&self) -> Vec<u8> {
        let mut body = number(0xE7, self.start_ms);
        body.extend_from_slice(&self.blocks);
        element(CLUSTER, &body)
    }
}

/// The cues' bytes, for a file with this header.
pub(crate) fn cues(header: &Header, list: &[Cue]) -> Vec<u8> {
    let data_at = segment_data_at(header);
    let points: Vec<u8> = list
        .iter()
        .flat_map(|cue| {
            let position = [number(0xF7, u64::from(cue.track)), number(0xF1, cue.cluster_at.saturating_sub(data_at))];
            element(0xBB, &[number(0xB3, cue.at_ms), element(0xB7, &position.concat())].concat())
        })
        .collect();
    element(CUES, &points)
}

/// The EBML head: which kind of file, for which readers.
fn ebml_head(header: &Header) -> Vec<u8> {
    // WebM allows VP8, VP9 and AV1 but not H.264; the same file with H.264 inside is Matroska.
    let kind = if matches!(header.video, Some(Picture::H264 { .. })) { "matroska" } else { "webm" };
    let body = [
        number(0x4286, 1),
        number(0x42F7, 1),
        number(0x42F2, 4),
        number(0x42F3, 8),
        text(0x4282, kind),
        number(0x4287, 4),
        number(0x4285, 2),
    ];
    element(EBML, &body.concat())
}

/// Positions inside the segment count from here: after the head, the segment's ID and its eight bytes of size.
fn segment_data_at(header: &Header) -> u64 {
    ebml_head(header).len() as u64 + 12
}

fn info(finish: Option<&Finish>) -> Vec<u8> {
    let mut body = [number(0x2AD7B1, 1_000_000), text(0x4D80, "Champions Hub"), text(0x5741, "Champions Hub")].concat();
    if let Some(finish) = finish {
        #[expect(clippy::cast_precision_loss, reason = "a recording of 2^52 ms is not expected")]
        let duration = finish.duration_ms as f64;
        body.extend(element(0x4489, &duration.to_be_bytes()));
    }
    element(INFO, &body)
}

fn tracks(header: &Header) -> Vec<u8> {
    let mut body = Vec::new();
    if header.audio {
        let opus_head = *b"OpusHead\x01\x02\x00\x00\x80\xbb\x00\x00\x00\x00\x00";
        let rate = 48_000f64.to_be_bytes();
        let audio = [element(0xB5, &rate), number(0x9F, 2)].concat();
        body.extend(element(
            TRACK_ENTRY,
            &[
                number(0xD7, u64::from(AUDIO_TRACK)),
                number(0x73C5, u64::from(AUDIO_TRACK)),
                number(0x83, 2),
                number(0x9C, 0),
                text(0x86, "A_OPUS"),
                element(0x63A2, &opus_head),
                // RFC 7845: decoders need 80 ms after a jump.
                number(0x56BB, 80_000_000),
                element(0xE1, &audio),
            ]
            .concat(),
        ));
    }
    if let Some(picture) = &header.video {
        let (codec, private, (width, height)) = match picture {
            Picture::Vp8 { size } => ("V_VP8", None, *size),
            Picture::Vp9 { size } => ("V_VP9", None, *size),
            Picture::Av1 { size, configuration } => ("V_AV1", Some(configuration), *size),
            Picture::H264 { size, configuration } => ("V_MPEG4/ISO/AVC", Some(configuration), *size),
        };
        let video = [number(0xB0, u64::from(width)), number(0xBA, u64::from(height))].concat();
        let mut entry = [
            number(0xD7, u64::from(VIDEO_TRACK)),
            number(0x73C5, u64::from(VIDEO_TRACK)),
            number(0x83, 1),
            number(0x9C, 0),
            text(0x86, codec),
        ]
        .concat();
        if let Some(private) = private {
            entry.extend(element(0x63A2, private));
        }
        entry.extend(element(0xE0, &video));
        body.extend(element(TRACK_ENTRY, &entry));
    }
    element(TRACKS, &body)
}

fn seek_head(entries: &[(u32, u64)]) -> Vec<u8> {
    let body: Vec<u8> = entries
        .iter()
        .flat_map(|(id, position)| {
            let mut name = Vec::new();
            push_id(&mut name, *id);
            element(SEEK, &[element(SEEK_ID, &name), element(SEEK_POSITION, &position.to_be_bytes())].concat())
        })
        .collect();
    element(SEEK_HEAD, &body)
}

fn element(id: u32, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 12);
    push_id(&mut out, id);
    push_size(&mut out, body.len() as u64);
    out.extend_from_slice(body);
    out
}

fn number(id: u32, value: u64) -> Vec<u8> {
    let bytes = value.to_be_bytes();
    let skip = (value.leading_zeros() / 8).min(7) as usize;
    element(id, bytes.get(skip..).unwrap_or_default())
}

fn text(id: u32, value: &str) -> Vec<u8> {
    element(id, value.as_bytes())
}

/// IDs carry their own length mark.
fn push_id(out: &mut Vec<u8>, id: u32) {
    let bytes = id.to_be_bytes();
    let skip = (id.leading_zeros() / 8).min(3) as usize;
    out.extend_from_slice(bytes.get(skip..).unwrap_or_default());
}

/// Sizes are written with the fewest bytes; all ones is reserved for "unknown".
fn push_size(out: &mut Vec<u8>, size: u64) {
    let mut length = 1u32;
    while length < 8 && size >= (1u64 << (7 * length)) - 1 {
        length += 1;
    }
    let marked = size | (1u64 << (7 * length));
    let bytes = marked.to_be_bytes();
    out.extend_from_slice(bytes.get(8 - length as usize..).unwrap_or_default());
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads one element: ID, content, rest.
    fn read(bytes: &[u8]) -> (u32, &[u8], &[u8]) {
        let id_length = bytes[0].leading_zeros() as usize + 1;
        let id = bytes[..id_length].iter().fold(0u32, |id, byte| id << 8 | u32::from(*byte));
        let rest = &bytes[id_length..];
        let size_length = rest[0].leading_zeros() as usize + 1;
        let mark = 1u64 << (7 * size_length);
        let size = rest[..size_length].iter().fold(0u64, |size, byte| size << 8 | u64::from(*byte)) & (mark - 1);
        let body = &rest[size_length..];
        let end = usize::try_from(size).unwrap_or(usize::MAX).min(body.len());
        (id, &body[..end], &body[end..])
    }

    #[test]
    fn every_header_has_its_fixed_length() {
        let vp8 = Picture::Vp8 { size: (640, 360) };
        let h264 = Picture::H264 { size: (1280, 720), configuration: vec![1; 60] };
        let vp9 = Picture::Vp9 { size: (640, 360) };
        let av1 = Picture::Av1 { size: (1280, 720), configuration: vec![1; 20] };
        for video in [None, Some(vp8), Some(vp9), Some(h264), Some(av1)] {
            for finish in [None, Some(Finish { duration_ms: 5_000, cues_at: 90_000, length: 91_000 })] {
                let bytes = header(&Header { audio: true, video: video.clone(), finish: finish.clone() });
                assert_eq!(bytes.len(), HEADER_BYTES);
                let (id, _, rest) = read(&bytes);
                assert_eq!(id, EBML);
                let (id, body, _) = read(rest);
                assert_eq!(id, SEGMENT);
                let first = read(body);
                assert_eq!(first.0, if finish.is_some() { SEEK_HEAD } else { INFO });
            }
        }
    }

    #[test]
    fn the_list_at_the_front_points_at_the_right_places() {
        let told = Header {
            audio: true,
            video: Some(Picture::Vp8 { size: (640, 360) }),
            finish: Some(Finish { duration_ms: 5_000, cues_at: 90_000, length: 91_000 }),
        };
        let bytes = header(&told);
        let data_at = usize::try_from(segment_data_at(&told)).unwrap();
        let (_, seeks, _) = read(&bytes[data_at..]);
        let mut rest = seeks;
        for wanted in [INFO, TRACKS, CUES] {
            let (_, seek, tail) = read(rest);
            let (_, id, position) = read(seek);
            let (_, position, _) = read(position);
            let position = u64::from_be_bytes(position.try_into().unwrap());
            assert_eq!(id, wanted.to_be_bytes());
            if wanted == CUES {
                assert_eq!(position + segment_data_at(&told), 90_000);
            } else {
                assert_eq!(read(&bytes[data_at + usize::try_from(position).unwrap()..]).0, wanted);
            }
            rest = tail;
        }
    }

    #[test]
    fn sizes_are_shortest_and_never_all_ones() {
        for (size, bytes) in
            [(0u64, vec![0x80]), (126, vec![0xfe]), (127, vec![0x40, 0x7f]), (16_382, vec![0x7f, 0xfe])]
        {
            let mut out = Vec::new();
            push_size(&mut out, size);
            assert_eq!(out, bytes, "{size}");
        }
    }

    #[test]
    fn a_cluster_tells_its_time_and_its_first_picture() {
        let mut cluster = Cluster::new(70_000);
        cluster.push(AUDIO_TRACK, 70_000, true, &[1, 2]);
        cluster.push(VIDEO_TRACK, 70_040, true, &[3]);
        let bytes = cluster.bytes();
        let (id, body, rest) = read(&bytes);
        assert_eq!((id, rest.len()), (CLUSTER, 0));
        let (id, time, blocks) = read(body);
        assert_eq!((id, time), (0xE7, [0x01, 0x11, 0x70].as_slice()));
        let (id, block, blocks) = read(blocks);
        assert_eq!((id, block), (0xA3, [0x81, 0, 0, 0x80, 1, 2].as_slice()));
        assert_eq!(read(blocks).1, [0x82, 0, 40, 0x80, 3]);
        assert_eq!((cluster.first_key_ms, cluster.end_ms), (Some(70_040), 70_040));
    }
}
