-- Whether somebody could follow a hearing is asked afterwards: each change of a line's quality is kept with the hearing.

CREATE TABLE line_reading (
    id TEXT NOT NULL PRIMARY KEY,
    hearing_id TEXT NOT NULL REFERENCES hearing (id),
    at BIGINT NOT NULL,
    member TEXT NOT NULL,
    meter TEXT NOT NULL,
    level TEXT NOT NULL,
    loss_percent BIGINT NOT NULL,
    round_trip_ms BIGINT NOT NULL,
    jitter_ms BIGINT,
    freezes BIGINT,
    layer TEXT
);
CREATE INDEX line_reading_by_hearing ON line_reading (hearing_id, member);
