//! Nothing that was said gets lost: recordings wait among the unkept until an `Ask` carries them, at the latest when
//! the call ends.

use super::session::{Purpose, State};
use super::speak::Flow;
use crate::effect::Ask;
use crate::event::RecordingRef;
use crate::prompt::Phrase;

/// The hub has the recording and owes what it could not do: the caller is told so and let go.
pub(super) fn safe_but_late(flow: &mut Flow, phrase: Phrase, hung_up: bool) {
    flow.session.served = true;
    if !flow.session.unkept.is_empty() {
        return file(flow, hung_up);
    }
    if hung_up { over(flow) } else { leave(flow, &[phrase]) }
}

pub(super) fn another_recording_follows(flow: &mut Flow, purpose: Purpose, hung_up: bool) -> bool {
    let follows = !flow.session.unkept.is_empty();
    if follows {
        flow.session.purpose = purpose;
        file(flow, hung_up);
    }
    follows
}

pub(super) fn hang_up(flow: &mut Flow) {
    if let State::Awaiting { hung_up, .. } = &mut flow.session.state {
        *hung_up = true;
        return;
    }
    let was_open = flow.session.state != State::Ended;
    over(flow);
    if was_open && flow.session.unkept.is_empty() {
        flow.offer_call_back();
    }
    file_leftovers(flow);
}

pub(super) fn recording_ready(flow: &mut Flow, recording: RecordingRef) {
    keep(flow, recording);
    if flow.session.state == State::Ended {
        file_leftovers(flow);
    }
}

/// Remembers a recording until an `Ask` carries it.
pub(super) fn keep(flow: &mut Flow, recording: RecordingRef) {
    let session = &mut flow.session;
    if !session.unkept.contains(&recording) && !session.carried.contains(&recording) {
        session.unkept.push(recording);
    }
}

/// Says goodbye, unless something was recorded that has no case yet: that comes first.
pub(super) fn leave(flow: &mut Flow, phrases: &[Phrase]) {
    if flow.session.unkept.is_empty() {
        flow.part(phrases);
    } else {
        flow.say(phrases);
        belated(flow);
        file(flow, false);
    }
}

/// Files what turned up when the call was over.
pub(super) fn file_leftovers(flow: &mut Flow) {
    belated(flow);
    file(flow, true);
}

/// A recording that turns up after the call's case was made belongs to that case.
fn belated(flow: &mut Flow) {
    if let (Some(number), Purpose::Grievance | Purpose::Message) = (flow.session.filed, flow.session.purpose) {
        flow.session.purpose = Purpose::Addition { number, call_back: false };
    }
}

/// Asks the hub to keep everything that was recorded: the last take counts, the others are superseded.
pub(super) fn file(flow: &mut Flow, hung_up: bool) {
    let session = &mut flow.session;
    let mut superseded = std::mem::take(&mut session.unkept);
    let Some(recording) = superseded.pop() else {
        // Everything has its case already: there is nothing left but goodbye.
        if !hung_up {
            flow.part(&[]);
        }
        return;
    };
    session.carried.extend(superseded.iter().cloned());
    session.carried.push(recording.clone());
    let ask = match session.purpose {
        Purpose::Grievance => {
            Ask::FileGrievance { language: session.language(), recording, superseded, call_back: false }
        }
        Purpose::Message => Ask::FileGrievance { language: session.language(), recording, superseded, call_back: true },
        Purpose::Addition { number, call_back } => Ask::AddRecording { number, recording, superseded, call_back },
    };
    flow.ask(ask, hung_up);
}

pub(super) fn over(flow: &mut Flow) {
    flow.session.state = State::Ended;
}

pub(super) fn bring_to_end(flow: &mut Flow) {
    if flow.session.unkept.is_empty() {
        flow.offer_call_back();
        leave(flow, &[Phrase::TimeIsUp]);
    } else {
        file(flow, false);
    }
}
