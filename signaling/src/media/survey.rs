//! The media plane at one moment, for figures that are collected now and then. No names: whoever reads them need not know who talks to whom.

/// What the plane holds, and how its lines are.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct MediaSurvey {
    /// Rooms that are open.
    pub rooms: usize,
    /// Of them, those of which a recording is made.
    pub recorded_rooms: usize,
    /// Members with a connection that is up, over all rooms.
    pub members: usize,
    /// Members of the room that has most.
    pub largest_room: usize,
    /// Connections that are up over UDP. Each member in a room has two.
    pub over_udp: usize,
    /// And over TCP: offices that pass no UDP.
    pub over_tcp: usize,
    /// Self-tests under way.
    pub probes: usize,
    /// What publishers send us, one for each publisher whose connection is up.
    pub uplinks: Vec<Uplink>,
    /// What we send to viewers, one for each viewer whose connection is up.
    pub downlinks: Vec<Downlink>,
}

/// A line from a publisher to us.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uplink {
    /// Of the packets in the last report's second, 0 to 1.
    pub loss: f64,
    /// The largest of its streams (RFC 3550, A.8).
    pub jitter_ms: f64,
    /// From a request for a lost packet to its answer.
    pub round_trip_ms: f64,
}

/// A line from us to a viewer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Downlink {
    /// What the line is thought to carry.
    pub bits_per_second: u64,
    /// As the viewer tells, 0 to 1.
    pub loss: f64,
    /// Unknown before the viewer's first report.
    pub round_trip_ms: Option<f64>,
    /// Too narrow for any picture.
    pub sound_only: bool,
}
