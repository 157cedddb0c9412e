-- The first schema: people, desks and rules; cases with their history; hearings with their ledger; what came in, what goes out.
-- Moments are milliseconds of the Unix epoch, identifiers and JSON are text, truth is 0 or 1: the same text serves both databases.

CREATE TABLE account (
    id TEXT NOT NULL PRIMARY KEY,
    username TEXT NOT NULL CONSTRAINT account_username_taken UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    desk_id TEXT,
    control_room TEXT,
    email TEXT,
    mobile TEXT,
    password_hash TEXT NOT NULL,
    active BIGINT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE session (
    token_hash TEXT NOT NULL PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES account (id),
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX session_expiry ON session (expires_at);

CREATE TABLE control_room (
    code TEXT NOT NULL PRIMARY KEY,
    city TEXT NOT NULL,
    state TEXT NOT NULL
);

CREATE TABLE subject (
    code TEXT NOT NULL PRIMARY KEY,
    position BIGINT NOT NULL,
    name_en TEXT NOT NULL,
    name_hi TEXT NOT NULL
);

CREATE TABLE desk (
    id TEXT NOT NULL PRIMARY KEY,
    code TEXT NOT NULL CONSTRAINT desk_code_taken UNIQUE,
    name_en TEXT NOT NULL,
    name_hi TEXT NOT NULL,
    kind TEXT NOT NULL
);

CREATE TABLE routing_rule (
    id TEXT NOT NULL PRIMARY KEY,
    priority BIGINT NOT NULL,
    series TEXT,
    subject TEXT,
    state TEXT,
    desk_id TEXT NOT NULL REFERENCES desk (id),
    account_id TEXT REFERENCES account (id)
);

-- The last serial given out, by series and year: taken in the transaction that files, so that no number is skipped.
CREATE TABLE case_counter (
    series TEXT NOT NULL,
    year BIGINT NOT NULL,
    last BIGINT NOT NULL,
    PRIMARY KEY (series, year)
);

CREATE TABLE case_file (
    id TEXT NOT NULL PRIMARY KEY,
    number TEXT NOT NULL CONSTRAINT case_number_taken UNIQUE,
    series TEXT NOT NULL,
    status TEXT NOT NULL,
    channel TEXT NOT NULL,
    subject TEXT NOT NULL,
    state TEXT NOT NULL,
    district TEXT NOT NULL,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    applicant TEXT NOT NULL,
    mobile TEXT,
    search TEXT NOT NULL,
    desk_id TEXT,
    assignee TEXT,
    filed_at BIGINT NOT NULL,
    clock_from BIGINT NOT NULL,
    attend_by BIGINT NOT NULL,
    conclude_by BIGINT NOT NULL,
    due_at BIGINT NOT NULL,
    attended_at BIGINT,
    decided_at BIGINT,
    concluded_at BIGINT,
    outcome TEXT,
    reasons TEXT NOT NULL,
    grounds TEXT NOT NULL,
    told_attend_overdue BIGINT NOT NULL,
    told_conclude_overdue BIGINT NOT NULL,
    version BIGINT NOT NULL
);
CREATE INDEX case_by_desk_due ON case_file (desk_id, due_at, id);
CREATE INDEX case_by_assignee_due ON case_file (assignee, due_at, id);
CREATE INDEX case_by_state_due ON case_file (state, due_at, id);
CREATE INDEX case_by_due ON case_file (due_at, id);
CREATE INDEX case_by_mobile ON case_file (mobile);
CREATE INDEX case_attend_sweep ON case_file (told_attend_overdue, attend_by);
CREATE INDEX case_conclude_sweep ON case_file (told_conclude_overdue, conclude_by);

-- Append-only: who did what to a case, when and why.
CREATE TABLE case_event (
    case_id TEXT NOT NULL REFERENCES case_file (id),
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor_id TEXT,
    actor_name TEXT NOT NULL,
    actor_role TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    CONSTRAINT case_event_taken PRIMARY KEY (case_id, seq)
);
CREATE INDEX case_event_by_time ON case_event (at, kind);

CREATE TABLE attachment (
    id TEXT NOT NULL PRIMARY KEY,
    case_id TEXT REFERENCES case_file (id),
    name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 TEXT NOT NULL,
    path TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX attachment_by_case ON attachment (case_id);

CREATE TABLE hearing (
    id TEXT NOT NULL PRIMARY KEY,
    case_id TEXT NOT NULL REFERENCES case_file (id),
    medium TEXT NOT NULL,
    starts_at BIGINT NOT NULL,
    control_room TEXT,
    room TEXT NOT NULL CONSTRAINT hearing_room_taken UNIQUE,
    phase TEXT NOT NULL,
    served_at BIGINT,
    began_at BIGINT,
    ended_at BIGINT,
    attempts TEXT NOT NULL,
    ex_parte TEXT,
    record TEXT,
    signed_order TEXT,
    signed_at BIGINT,
    version BIGINT NOT NULL
);
CREATE INDEX hearing_by_case ON hearing (case_id);
CREATE INDEX hearing_by_start ON hearing (starts_at);

CREATE TABLE hearing_event (
    hearing_id TEXT NOT NULL REFERENCES hearing (id),
    seq BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor_id TEXT,
    actor_name TEXT NOT NULL,
    actor_role TEXT NOT NULL,
    kind TEXT NOT NULL,
    data TEXT NOT NULL,
    CONSTRAINT hearing_event_taken PRIMARY KEY (hearing_id, seq)
);

-- The ledger: every knock, wait, entry and exit, as the room saw it.
CREATE TABLE presence (
    id TEXT NOT NULL PRIMARY KEY,
    hearing_id TEXT NOT NULL REFERENCES hearing (id),
    at BIGINT NOT NULL,
    member TEXT NOT NULL,
    name TEXT NOT NULL,
    part TEXT NOT NULL,
    what TEXT NOT NULL,
    phase TEXT NOT NULL,
    detail TEXT NOT NULL
);
CREATE INDEX presence_by_hearing ON presence (hearing_id, id);

CREATE TABLE recording (
    id TEXT NOT NULL PRIMARY KEY,
    hearing_id TEXT NOT NULL REFERENCES hearing (id),
    folder TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    head TEXT,
    failure TEXT
);
CREATE INDEX recording_by_hearing ON recording (hearing_id);

-- What a provider sent, stored before it is acted on; its own identifier makes a repetition one event.
CREATE TABLE inbound_event (
    id TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    external_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    answer TEXT,
    done_at BIGINT,
    CONSTRAINT inbound_event_seen UNIQUE (provider, external_id)
);
CREATE INDEX inbound_event_open ON inbound_event (done_at, received_at);

CREATE TABLE telephone_call (
    id TEXT NOT NULL PRIMARY KEY,
    provider TEXT NOT NULL,
    external_id TEXT NOT NULL,
    caller TEXT NOT NULL,
    session TEXT NOT NULL,
    case_id TEXT REFERENCES case_file (id),
    started_at BIGINT NOT NULL,
    ended_at BIGINT,
    version BIGINT NOT NULL,
    CONSTRAINT telephone_call_seen UNIQUE (provider, external_id)
);

-- What we know of a telephone number: its language, its SMS dialogue, whether it asked us to be silent.
CREATE TABLE correspondent (
    number TEXT NOT NULL PRIMARY KEY,
    language TEXT NOT NULL,
    dialogue TEXT NOT NULL,
    opted_out BIGINT NOT NULL
);

CREATE TABLE message (
    id TEXT NOT NULL PRIMARY KEY,
    channel TEXT NOT NULL,
    recipient TEXT NOT NULL,
    language TEXT NOT NULL,
    template TEXT NOT NULL,
    subject TEXT NOT NULL,
    text TEXT NOT NULL,
    case_id TEXT,
    hearing_id TEXT,
    serves_notice BIGINT NOT NULL,
    status TEXT NOT NULL,
    provider_ref TEXT,
    created_at BIGINT NOT NULL,
    sent_at BIGINT
);
CREATE INDEX message_by_recipient ON message (recipient, created_at);
CREATE INDEX message_by_reference ON message (provider_ref);

-- Follow-up work, written in the transaction that causes it.
CREATE TABLE job (
    id TEXT NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    payload TEXT NOT NULL,
    run_at BIGINT NOT NULL,
    attempts BIGINT NOT NULL,
    locked_until BIGINT NOT NULL,
    done_at BIGINT,
    dead_at BIGINT,
    last_error TEXT
);
CREATE INDEX job_open ON job (done_at, dead_at, run_at);

CREATE TABLE idempotency (
    account_id TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    status BIGINT NOT NULL,
    answer TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    CONSTRAINT idempotency_seen PRIMARY KEY (account_id, key)
);

CREATE TABLE draft (
    id TEXT NOT NULL PRIMARY KEY,
    data TEXT NOT NULL,
    case_id TEXT,
    updated_at BIGINT NOT NULL
);

CREATE TABLE setting (
    key TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
