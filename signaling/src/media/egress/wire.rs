//! The RTP header as we send it (RFC 3550, section 5.1), with the transport-wide number as its only extension
//! (draft-holmer-rmcat-transport-wide-cc-extensions-01, section 2; RFC 8285 for its wrapping).

use bytes::Bytes;
use rtc::rtp::header::{EXTENSION_PROFILE_ONE_BYTE, EXTENSION_PROFILE_TWO_BYTE, Extension, Header};

const VERSION: u8 = 0x80;
const PADDING: u8 = 0x20;
const EXTENSION: u8 = 0x10;
const MARKER: u8 = 0x80;
/// The largest id of the one-byte form.
const MOST_ONE_BYTE: u8 = 14;
/// A packet's own bytes besides its payload: fixed header, extension.
pub(super) const HEADER: usize = 20;
/// The largest padding (RFC 3550: its last byte counts it).
pub(super) const MOST_PADDING: u8 = 255;

/// What a header says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head {
    pub ssrc: u32,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub marker: bool,
    pub is_padding: bool,
}

/// Writes headers, and keeps beside them the form in which the sealer wants to see them.
#[derive(Debug)]
pub(super) struct Writer {
    transport_cc: Option<u8>,
    template: Header,
    pub buffer: Vec<u8>,
}

impl Writer {
    pub fn new(transport_cc: Option<u8>) -> Self {
        let mut template = Header { version: 2, ..Header::default() };
        if let Some(id) = transport_cc {
            // The sealer only measures the header, so the number in the template never changes.
            let one_byte = id <= MOST_ONE_BYTE;
            template.extension = true;
            template.extension_profile = if one_byte { EXTENSION_PROFILE_ONE_BYTE } else { EXTENSION_PROFILE_TWO_BYTE };
            template.extensions = vec![Extension { id, payload: Bytes::from_static(&[0, 0]) }];
        }
        Self { transport_cc, template, buffer: Vec::with_capacity(1_600) }
    }

    pub fn is_numbered(&self) -> bool {
        self.transport_cc.is_some()
    }

    /// Starts a packet in the buffer and gives the sealer's header for it. `number` is only written when it was negotiated.
    pub fn begin(&mut self, head: Head, number: u16) {
        let [s1, s0] = head.sequence.to_be_bytes();
        let [t3, t2, t1, t0] = head.timestamp.to_be_bytes();
        let [i3, i2, i1, i0] = head.ssrc.to_be_bytes();
        let mut first = VERSION;
        if head.is_padding {
            first |= PADDING;
        }
        let second = if head.marker { head.payload_type | MARKER } else { head.payload_type };
        self.buffer.clear();
        match self.transport_cc {
            None => {
                self.buffer.extend_from_slice(&[first, second, s1, s0, t3, t2, t1, t0, i3, i2, i1, i0]);
            }
            Some(id) => {
                let [n1, n0] = number.to_be_bytes();
                let [p1, p0, e3, e2, e1, e0] = if id <= MOST_ONE_BYTE {
                    [0xbe, 0xde, id << 4 | 1, n1, n0, 0]
                } else {
                    [0x10, 0x00, id, 2, n1, n0]
                };
                first |= EXTENSION;
                self.buffer.extend_from_slice(&[
                    first, second, s1, s0, t3, t2, t1, t0, i3, i2, i1, i0, p1, p0, 0, 1, e3, e2, e1, e0,
                ]);
            }
        }
        self.template.padding = head.is_padding;
        self.template.marker = head.marker;
        self.template.payload_type = head.payload_type;
        self.template.sequence_number = head.sequence;
        self.template.timestamp = head.timestamp;
        self.template.ssrc = head.ssrc;
    }

    pub fn header(&self) -> &Header {
        &self.template
    }
}
