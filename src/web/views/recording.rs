//! A hearing's recording: every participant's file side by side, and what its hashes say.

use askama::Template;

use super::{Flash, Page};

/// `GET /hearings/{id}/recording`.
#[derive(Debug, Template)]
#[template(path = "recording.html")]
pub struct Recording {
    pub page: Page,
    pub hearing_id: String,
    pub case_number: String,
    pub started_at_ms: i64,
    /// Which recording of the hearing this is, from 1.
    pub part: usize,
    /// When each began. There are several when the recorder was cut off and the hearing went on.
    pub parts: Vec<i64>,
    /// Of the longest file.
    pub seconds: i64,
    pub files: Vec<File>,
    pub verdict: Verdict,
    /// Address of the manifest for checking elsewhere.
    pub manifest: Option<String>,
}

/// One participant's file. Its times count from the start of the recording, so all files lie on one clock.
#[derive(Debug)]
pub struct File {
    pub name: String,
    pub participant: String,
    /// A role of the room.
    pub role: String,
    /// Answers range requests.
    pub url: String,
    pub bytes: u64,
    pub seconds: i64,
    /// The participant's shared screen, beside the camera.
    pub is_screen: bool,
    pub has_picture: bool,
}

/// What checking the chain of hashes found.
#[derive(Debug)]
pub enum Verdict {
    Whole {
        segments: usize,
        head: String,
    },
    /// Whole up to where the recorder was cut off.
    CutOff {
        segments: usize,
        head: String,
    },
    Broken {
        file: String,
        why: String,
    },
    /// Still being written, or not yet checked.
    Open,
}

impl Recording {
    fn verdict_class(&self) -> &'static str {
        match self.verdict {
            Verdict::Whole { .. } => "in-time",
            Verdict::CutOff { .. } | Verdict::Open => "due-soon",
            Verdict::Broken { .. } => "overdue",
        }
    }

    /// Number and beginning of each recording, when there are several.
    fn listed_parts(&self) -> Vec<(usize, i64)> {
        if self.parts.len() > 1 {
            self.parts.iter().copied().enumerate().map(|(n, at)| (n + 1, at)).collect()
        } else {
            Vec::new()
        }
    }

    fn part_words(&self, part: &usize) -> String {
        self.page.say2("recording-part", ("part", &part.to_string()), ("all", &self.parts.len().to_string()))
    }

    /// Whose file, and that it is the screen.
    fn heading(&self, file: &File) -> String {
        if file.is_screen {
            format!("{} · {}", file.participant, self.page.say("screen-of"))
        } else {
            file.participant.clone()
        }
    }

    /// Bytes as "3.4 MB".
    fn size(bytes: &u64) -> String {
        let tenths = bytes / 100_000;
        format!("{}.{} MB", tenths / 10, tenths % 10)
    }
}

#[cfg(test)]
pub(super) mod samples {
    use super::*;
    use crate::text::Text;
    use crate::web::views::tests::{DAY, NOW, Samples, officer};

    pub fn recording(text: Text) -> Samples<Recording> {
        let file = |name: &str, participant: &str, role: &str, has_picture| File {
            name: name.into(),
            participant: participant.into(),
            role: role.into(),
            url: format!("/api/v1/recordings/sample/files/{name}"),
            bytes: 3_412_345,
            seconds: 872,
            is_screen: name.contains("screen"),
            has_picture,
        };
        let recording = |verdict| Recording {
            page: officer(text, "/hearings/1/recording"),
            hearing_id: "1".into(),
            case_number: "GR26-0000119-2".into(),
            started_at_ms: NOW - DAY,
            part: 1,
            parts: vec![NOW - DAY],
            seconds: 872,
            files: vec![
                file("01-officer.webm", "R. Banerjee", "presiding_officer", true),
                file("02-party.webm", "Meera Kulkarni", "party", true),
                file("03-telephone.webm", "+91 98000 00417", "telephone", false),
                file("04-party-screen.webm", "Meera Kulkarni", "party", true),
            ],
            verdict,
            manifest: Some("/api/v1/recordings/sample/files/manifest.jsonl".into()),
        };
        let head: String = "9f2c4b7d".repeat(8);
        let mut cut = recording(Verdict::CutOff { segments: 1_204, head: head.clone() });
        cut.parts.push(NOW - DAY + 900_000);
        let mut empty = recording(Verdict::Open);
        empty.files.clear();
        empty.manifest = None;
        vec![
            ("recording", recording(Verdict::Whole { segments: 2_616, head })),
            ("recording-cut", cut),
            (
                "recording-broken",
                recording(Verdict::Broken { file: "02-party.webm".into(), why: "segment 118: sha256".into() }),
            ),
            ("recording-open", empty),
        ]
    }
}
