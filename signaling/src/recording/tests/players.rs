//! Recordings under the eyes of strangers: real pictures of each format, packetized by another implementation, in changing sizes as the engine
//! records them; ffprobe counts what can be read, ffmpeg decodes all of it.

use super::{Session, folder};
use crate::media::Codec;
use crate::message::Kind;
use crate::recording::RtpSample;
use crate::recording::disk::Folder;
use crate::recording::verify;
use bytes::Bytes;
use rtc::rtp::codec::av1::Av1Payloader;
use rtc::rtp::codec::h264::H264Payloader;
use rtc::rtp::codec::vp8::Vp8Payloader;
use rtc::rtp::codec::vp9::Vp9Payloader;
use rtc::rtp::packetizer::Payloader;
use std::path::Path;
use std::process::Command;

const PICTURES_A_SECOND: u32 = 25;

/// Runs ffmpeg or ffprobe (a package of any system; `tests/run` installs it) and answers what it wrote and what it complained of.
fn run(program: &str, args: &[&str]) -> (Vec<u8>, String) {
    let output = Command::new(program).args(args).output().unwrap_or_else(|error| panic!("{program}: {error}"));
    (output.stdout, String::from_utf8_lossy(&output.stderr).into_owned())
}

/// A second of moving picture, as an encoder for calls writes it: one key frame, then pictures that lean on it.
fn film(codec: Codec, size: &str) -> Vec<Bytes> {
    let (encoder, format) = match codec {
        Codec::Vp8 => ("libvpx -deadline realtime -cpu-used 8 -lag-in-frames 0 -auto-alt-ref 0", "ivf"),
        Codec::Vp9 => ("libvpx-vp9 -deadline realtime -cpu-used 8 -lag-in-frames 0", "ivf"),
        Codec::Av1 => ("libaom-av1 -usage realtime -cpu-used 8 -lag-in-frames 0", "ivf"),
        Codec::H264 => ("libx264 -preset ultrafast -tune zerolatency -x264-params sliced-threads=0:aud=1", "h264"),
        Codec::Opus => panic!("no picture"),
    };
    let source = format!("testsrc2=size={size}:rate={PICTURES_A_SECOND}:duration=1");
    let mut args = vec!["-v", "error", "-f", "lavfi", "-i", &source, "-pix_fmt", "yuv420p", "-g", "500", "-c:v"];
    args.extend(encoder.split(' '));
    args.extend(["-f", format, "pipe:1"]);
    let (bytes, complaint) = run("ffmpeg", &args);
    let pictures = if format == "ivf" { of_ivf(&bytes) } else { of_annex_b(&bytes) };
    assert_eq!(pictures.len(), usize::try_from(PICTURES_A_SECOND).unwrap(), "{codec:?}: {complaint}");
    pictures
}

/// IVF: 32 bytes, then each picture behind its length (4 bytes, lowest first) and time (8).
fn of_ivf(bytes: &[u8]) -> Vec<Bytes> {
    let mut rest = bytes.get(32..).unwrap_or_default();
    let mut pictures = Vec::new();
    while let [a, b, c, d, tail @ ..] = rest {
        let length = usize::try_from(u32::from_le_bytes([*a, *b, *c, *d])).unwrap();
        pictures.push(Bytes::copy_from_slice(&tail[8..8 + length]));
        rest = &tail[8 + length..];
    }
    pictures
}

/// H.264 as a byte stream: each picture begins with an access unit delimiter.
fn of_annex_b(bytes: &[u8]) -> Vec<Bytes> {
    const DELIMITER: [u8; 5] = [0, 0, 0, 1, 9];
    let mut starts: Vec<_> =
        bytes.windows(5).enumerate().filter(|(_, at)| *at == DELIMITER).map(|(at, _)| at).collect();
    starts.push(bytes.len());
    starts.windows(2).map(|pair| Bytes::copy_from_slice(&bytes[pair[0]..pair[1]])).collect()
}

fn payloader(codec: Codec) -> Box<dyn Payloader> {
    match codec {
        Codec::Vp8 => Box::new(Vp8Payloader::default()),
        Codec::Vp9 => Box::new(Vp9Payloader::default()),
        Codec::Av1 => Box::new(Av1Payloader::default()),
        Codec::H264 => Box::new(H264Payloader::default()),
        Codec::Opus => panic!("no picture"),
    }
}

/// Width and height of every picture in the file, as ffprobe decodes it.
fn sizes(file: &Path) -> Vec<String> {
    let args = ["-v", "error", "-select_streams", "v", "-show_entries", "frame=width,height", "-of", "csv=p=0"];
    let (listed, complaint) = run("ffprobe", &[&args[..], &[file.to_str().unwrap()]].concat());
    assert_eq!(complaint, "");
    let listed = String::from_utf8(listed).unwrap();
    // Lines without a number tell of side data.
    listed.lines().map(|line| line.trim_end_matches(',').to_owned()).filter(|line| !line.is_empty()).collect()
}

fn every_picture_is_read(codec: Codec, ending: &str, decoder: &str) {
    let (_base, path) = folder();
    let mut session = Session::start(Folder::create(&path).unwrap());
    let mut payloader = payloader(codec);
    let mut sequence = 65_000u16;
    let seconds = ["160x90", "320x180", "160x90"];
    for (second, size) in seconds.iter().enumerate() {
        for picture in film(codec, size) {
            let packets = payloader.payload(1_100, &picture).unwrap();
            let last = packets.len() - 1;
            for (n, payload) in packets.into_iter().enumerate() {
                sequence = sequence.wrapping_add(1);
                session.give(RtpSample {
                    member: "party".into(),
                    kind: Kind::Video,
                    codec,
                    ssrc: 5,
                    sequence,
                    timestamp: u32::try_from(session.now_ms * 90).unwrap(),
                    marker: n == last,
                    payload,
                    captured: None,
                    arrived: session.moment().instant,
                });
            }
            session.now_ms += 1_000 / u64::from(PICTURES_A_SECOND);
            let events = session.recorder.tick(session.moment());
            assert!(events.is_empty(), "second {second}: {events:?}");
        }
    }
    let summary = session.finish();
    assert_eq!(summary.files.len(), 1, "changes of size stay in one file");
    assert_eq!(summary.files[0].name, format!("01-party{ending}"));
    assert!(verify(&path).unwrap().complete);

    let file = path.join(&summary.files[0].name);
    let expected: Vec<_> = seconds
        .iter()
        .flat_map(|size| vec![size.replace('x', ","); usize::try_from(PICTURES_A_SECOND).unwrap()])
        .collect();
    assert_eq!(sizes(&file), expected, "{codec:?}");
    let (_, complaint) = run("ffmpeg", &["-v", "warning", "-i", file.to_str().unwrap(), "-f", "null", "-"]);
    assert_eq!(complaint, "");
    let args = ["-v", "error", "-show_entries", "stream=codec_name:format=duration", "-of", "csv=p=0"];
    let (told, _) = run("ffprobe", &[&args[..], &[file.to_str().unwrap()]].concat());
    assert_eq!(String::from_utf8(told).unwrap(), format!("{decoder}\n2.980000\n"));
}

#[test]
fn vp8_in_changing_sizes() {
    every_picture_is_read(Codec::Vp8, ".webm", "vp8");
}

#[test]
fn vp9_in_changing_sizes() {
    every_picture_is_read(Codec::Vp9, ".webm", "vp9");
}

#[test]
fn h264_in_changing_sizes() {
    every_picture_is_read(Codec::H264, ".mkv", "h264");
}

#[test]
fn av1_in_changing_sizes() {
    every_picture_is_read(Codec::Av1, ".webm", "av1");
}
