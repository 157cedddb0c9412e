//! Rooms, the media plane and recording.
