//! What the fields of a verified webhook mean.

use crate::caller::Caller;
use crate::event::{CallEvent, CallRef, DeliveryReport, DeliveryStatus, Event, EventId, Input, RecordingRef, SmsEvent};
use crate::provider::{Refused, value};

type Fields = [(String, String)];

/// The voice webhook: the start of a call, and the outcome of each verb (`step` and `on` in the query are ours).
pub(super) fn voice(query: &Fields, fields: &Fields) -> Result<Event, Refused> {
    let call = required(fields, "CallSid")?;
    let from = other_end(fields);
    let step = value(query, "step").unwrap_or("0");
    let on = value(query, "on").unwrap_or("start");
    let mut inputs = match on {
        "start" => vec![Input::Started { from: from.clone(), language_hint: None }],
        "gather" => vec![keys(fields)],
        "record" => vec![recorded(fields)],
        "silence" => vec![Input::Silence],
        _ => return Err(Refused::Lacks("a known step")),
    };
    // Hanging up during <Record> still delivers what was said, here and once more as the status of the call.
    let hung_up = value(fields, "Digits") == Some("hangup") || is_over(value(fields, "CallStatus").unwrap_or_default());
    if hung_up {
        inputs.retain(|input| !matches!(input, Input::Silence | Input::Digits(_)));
        inputs.push(Input::HungUp);
    }
    Ok(Event::Call(CallEvent {
        id: EventId(format!("twilio:{call}:{step}:{on}")),
        call: CallRef(call.to_owned()),
        from,
        inputs,
        on_line: !hung_up,
    }))
}

/// The recording webhook: the recording can be fetched now. Comes beside the line.
pub(super) fn recording(fields: &Fields) -> Result<Event, Refused> {
    let call = required(fields, "CallSid")?;
    let recording = required(fields, "RecordingSid")?;
    let status = value(fields, "RecordingStatus").unwrap_or("completed");
    let inputs = match status {
        "completed" => vec![Input::RecordingReady { recording: RecordingRef(recording.to_owned()) }],
        _ => Vec::new(),
    };
    Ok(Event::Call(CallEvent {
        id: EventId(format!("twilio:{recording}:{status}")),
        call: CallRef(call.to_owned()),
        from: other_end(fields),
        inputs,
        on_line: false,
    }))
}

/// The status webhook, of a message or of a call.
pub(super) fn status(fields: &Fields) -> Result<Event, Refused> {
    if let Some(message) = value(fields, "MessageSid").or_else(|| value(fields, "SmsSid")) {
        let status = value(fields, "MessageStatus")
            .or_else(|| value(fields, "SmsStatus"))
            .ok_or(Refused::Lacks("MessageStatus"))?;
        return Ok(Event::Delivery(DeliveryReport {
            id: EventId(format!("twilio:{message}:{status}")),
            message: message.to_owned(),
            status: match status {
                "sent" => DeliveryStatus::Sent,
                "delivered" | "read" => DeliveryStatus::Delivered,
                "failed" | "undelivered" | "canceled" => DeliveryStatus::Failed,
                _ => DeliveryStatus::Underway,
            },
            error_code: value(fields, "ErrorCode").filter(|code| !code.is_empty()).map(str::to_owned),
        }));
    }
    let call = required(fields, "CallSid")?;
    let status = value(fields, "CallStatus").ok_or(Refused::Lacks("CallStatus"))?;
    Ok(Event::Call(CallEvent {
        id: EventId(format!("twilio:{call}:status:{status}")),
        call: CallRef(call.to_owned()),
        from: other_end(fields),
        inputs: if is_over(status) { vec![Input::HungUp] } else { Vec::new() },
        on_line: false,
    }))
}

/// The SMS webhook.
pub(super) fn sms(fields: &Fields) -> Result<Event, Refused> {
    let message = value(fields, "MessageSid").or_else(|| value(fields, "SmsSid")).filter(|sid| !sid.is_empty());
    let message = message.ok_or(Refused::Lacks("MessageSid"))?;
    let from = value(fields, "From").ok_or(Refused::Lacks("From"))?;
    Ok(Event::Sms(SmsEvent {
        id: EventId(format!("twilio:{message}")),
        from: Caller::parse(from),
        to: value(fields, "To").map(str::to_owned),
        text: value(fields, "Body").unwrap_or_default().to_owned(),
    }))
}

fn keys(fields: &Fields) -> Input {
    match value(fields, "Digits") {
        Some(keys) if !keys.is_empty() => Input::Digits(keys.to_owned()),
        Some(_) | None => Input::Silence,
    }
}

fn recorded(fields: &Fields) -> Input {
    match value(fields, "RecordingSid").filter(|sid| !sid.is_empty()) {
        Some(recording) => Input::Recorded {
            recording: RecordingRef(recording.to_owned()),
            // A length that cannot be read must not make a recording count as a slip of the finger.
            seconds: value(fields, "RecordingDuration").and_then(|seconds| seconds.parse().ok()).unwrap_or(1),
        },
        None => Input::Silence,
    }
}

/// Who is on the line with us: on a call that we placed, whom we rang.
fn other_end(fields: &Fields) -> Caller {
    let outgoing = value(fields, "Direction").is_some_and(|direction| direction.starts_with("outbound"));
    Caller::parse(value(fields, if outgoing { "To" } else { "From" }).unwrap_or_default())
}

fn is_over(status: &str) -> bool {
    matches!(status, "completed" | "busy" | "failed" | "no-answer" | "canceled")
}

fn required<'f>(fields: &'f Fields, name: &'static str) -> Result<&'f str, Refused> {
    value(fields, name).filter(|value| !value.is_empty()).ok_or(Refused::Lacks(name))
}
