# A case's history as the desk reads it.
history-filed = Filed.
history-routed = Sent to this desk by rule:
history-attended = Taken up.
history-replied = Wrote to the unit.
history-transferred = Handed on. Reason:
history-interim_replied = Told the unit that it takes longer.
history-decided = Decided. Reasons:
history-hearing_fixed = Fixed a hearing.
history-closed = Closed.
history-reopened = Opened again. Reason:
history-appealed = Brought to the next senior. Reason:
history-attend_overdue = The third day passed and nobody had taken it up. Officer and head were told.
history-conclude_overdue = The seventh day passed. Officer, head and Secretary were told; undue delay holds by itself.
history-sound_lost = The sound of the call could not be fetched from the provider. Please ring the caller.
