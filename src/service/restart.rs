//! The hub stops and starts while hearings go on: recordings are finished or their books closed, rooms come back, and whoever
//! was in one is let in again.

use super::{Hub, ServiceError, rooms};
use crate::domain::presence::Presence;
use crate::store::hearings::{self as store, LedgerLine};
use crate::store::{cases, recordings};
use signaling::{MemberId, Reply, RoomCommand};
use std::collections::BTreeSet;

/// Before the process ends: finishes the recordings of hearings that are going on, so that their files are whole. The
/// hearings themselves go on after the restart.
///
/// # Errors
/// When the database does not answer.
pub async fn lay_down(hub: &Hub) -> Result<(), ServiceError> {
    let going_on = store::going_on(&mut hub.store.read().await?).await?;
    for hearing in &going_on {
        let Some(room) = hub.rooms.find(&hearing.room) else { continue };
        if let Ok(Reply::Recorded(summary)) = room.command(RoomCommand::StopRecording).await {
            rooms::finished(hub, &hearing.id, &summary.head).await;
        }
        let _ = room.command(RoomCommand::Close).await;
    }
    Ok(())
}

/// After a restart: closes the books of recordings that the old process left open, and brings back the rooms of hearings
/// that were going on, each with a new recording.
///
/// # Errors
/// When the database does not answer.
pub async fn bring_back(hub: &Hub) -> Result<usize, ServiceError> {
    let now = hub.clock.now();
    let mut tx = hub.store.write().await?;
    for recording in recordings::unfinished(&mut tx).await? {
        let folder = hub.files.full(&recording.folder);
        let report = tokio::task::spawn_blocking(move || signaling::recording::verify(&folder)).await;
        let head = match report {
            Ok(Ok(report)) => report.head,
            Ok(Err(error)) => {
                recordings::fail(&mut tx, &recording.id, &error.to_string()).await?;
                String::new()
            }
            Err(_) => String::new(),
        };
        recordings::finish(&mut tx, &recording.id, now, &head).await?;
    }
    let going_on = store::going_on(&mut tx).await?;
    for hearing in &going_on {
        let Some(case) = cases::by_id(&mut tx, &hearing.case).await? else { continue };
        let room = hub.rooms.open(&hearing.room);
        let inside = inside(&store::ledger(&mut tx, &hearing.id).await?);
        if let Err(refusal) = room.command(RoomCommand::Readmit(inside)).await {
            tracing::error!(hearing = hearing.id.as_str(), %refusal, "everybody in hearing {} waits again", hearing.id);
        }
        if let Err(error) = rooms::record(hub, &mut tx, &room, hearing, &case, now).await {
            tracing::error!(hearing = hearing.id.as_str(), %error, "hearing {} goes on without a recording", hearing.id);
        }
    }
    tx.commit().await?;
    for hearing in &going_on {
        rooms::follow(hub, hearing).await;
    }
    Ok(going_on.len())
}

/// Who was in the room when the hub went down, as the ledger tells it: let in, and neither sent back nor gone since. A hub
/// that was asked to stop closed its rooms; that is nobody's going.
fn inside(ledger: &[LedgerLine]) -> Vec<MemberId> {
    let mut inside = BTreeSet::new();
    for line in ledger {
        match line.what {
            Presence::Admitted => {
                inside.insert(line.member.as_str());
            }
            Presence::SentBack => {
                inside.remove(line.member.as_str());
            }
            Presence::Left if line.detail != rooms::CLOSED => {
                inside.remove(line.member.as_str());
            }
            Presence::Left
            | Presence::Knocked
            | Presence::NoticeAcknowledged
            | Presence::Disconnected
            | Presence::Reconnected => {}
        }
    }
    inside.into_iter().map(MemberId::new).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::hearing::Phase;
    use crate::domain::presence::Part;
    use crate::time::Timestamp;

    fn ledger(lines: &[(&str, Presence, &str)]) -> Vec<LedgerLine> {
        let line = |(member, what, detail): &(&str, Presence, &str)| LedgerLine {
            at: Timestamp::from_millis(1_000),
            member: (*member).to_owned(),
            name: String::new(),
            part: Part::Party,
            what: *what,
            phase: Phase::InSession,
            detail: (*detail).to_owned(),
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn who_was_let_in_and_did_not_go_was_inside() {
        use Presence::{Admitted, Disconnected, Knocked, Left, Reconnected, SentBack};
        let ledger = ledger(&[
            ("stays", Admitted, ""),
            ("waits", Knocked, ""),
            ("goes", Admitted, ""),
            ("goes", Left, "left"),
            ("outside", Admitted, ""),
            ("outside", SentBack, ""),
            ("breaks", Admitted, ""),
            ("breaks", Disconnected, ""),
            ("lost", Admitted, ""),
            ("lost", Disconnected, ""),
            ("lost", Left, "lost"),
            ("stopped", Admitted, ""),
            ("stopped", Left, "closed"),
            ("again", Admitted, ""),
            ("again", Left, "closed"),
            ("again", Reconnected, ""),
            ("again", Left, "left"),
        ]);
        assert_eq!(inside(&ledger), ["breaks", "stays", "stopped"].map(MemberId::new));
    }
}
