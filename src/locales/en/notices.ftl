# What the hub writes to people: text messages and mails. Keep text messages short: 160 characters go as one.

sms-filed = Champions Hub: we received your case { $number } and sent it to { $desk }. An officer takes it up by { $attend_by }. Where it stands: { $link }
sms-replied = Champions Hub, case { $number }: an officer has written to you. Read it: { $link }
sms-interim = Champions Hub, case { $number }: it takes longer, we expect an answer by { $expected }. Read why: { $link }
sms-transferred = Champions Hub, case { $number }: it is now with { $desk }. The days run on as before. { $link }
sms-decided = Champions Hub, case { $number }: there is a decision. Read it: { $link }
sms-closed = Champions Hub, case { $number } is concluded. Read how, and reopen it within 30 days if you must: { $link }
sms-reopened = Champions Hub, case { $number } is open again. { $link }
sms-hearing = Champions Hub, case { $number }: you will be heard on { $when } ({ $medium }). Details and your own link, not to be shared: { $link }
sms-track = Champions Hub: where your case { $number } stands: { $link }

mail-filed-subject = Your case { $number }
mail-filed = Dear { $name },

    we received your case { $number } and sent it to { $desk }.

    An officer takes it up by { $attend_by }. It is concluded by { $conclude_by }.
    See where it stands at any time: { $link }

    Champions Hub, Ministry of Micro, Small and Medium Enterprises
mail-news-subject = Case { $number }: news
mail-news = Dear { $name },

    { $what }

    { $words }

    See where your case { $number } stands: { $link }

    Champions Hub, Ministry of Micro, Small and Medium Enterprises
news-replied = An officer has written to you:
news-interim = It takes longer than seven days. We expect an answer by { $expected }. The reason:
news-transferred = Your case is now with { $desk }. The days run on as before. The reason:
news-decided = There is a decision on your case. The reasons:
news-closed = Your case is concluded. If it is not, you can reopen it within 30 days.
news-reopened = Your case is open again. The reason:

mail-hearing-subject = Notice of hearing in case { $number } on { $when }
mail-hearing = Dear { $name },

    before a decision against you can stand in case { $number }, you have the right to be heard.

    When: { $when } (Indian Standard Time)
    How: { $medium }
    Who hears you: { $officer }
    Nature of the matter: { $subject }
    What the officer relies on: { $reasons }

    Join with your own link. Do not share it: { $link }
    The page lets you test your camera and microphone before. The hearing is recorded, and you are told so before it begins.
    You may bring a representative, hand in papers, and answer what is held against you.
    If you cannot come at that time, write to us or ring us before it.

    Champions Hub, Ministry of Micro, Small and Medium Enterprises
mail-hearing-staff-subject = Hearing in case { $number } on { $when }
mail-hearing-staff = { $name },

    a hearing is fixed in case { $number }: { $when } ({ $medium }).
    Open it here: { $link }

    Champions Hub
mail-assigned-subject = Case { $number } is with you
mail-assigned = { $name },

    case { $number } ({ $subject }) came to your desk. It is to be attended by { $attend_by } and concluded by { $conclude_by }.
    Open it here: { $link }

    Champions Hub
mail-attend-overdue-subject = Case { $number } is past its third day, unattended
mail-attend-overdue = { $name },

    case { $number } ({ $subject }) was to be attended by { $attend_by }. Nobody has taken it up.
    Responsible: { $officer }
    Open it here: { $link }

    Champions Hub
mail-conclude-overdue-subject = Case { $number } is past its seventh day
mail-conclude-overdue = { $name },

    case { $number } ({ $subject }) was to be concluded by { $conclude_by }. From now on undue delay holds by itself: a decision
    against the unit needs a hearing.
    Responsible: { $officer }
    Open it here: { $link }

    Champions Hub
mail-recording-failed-subject = The recording of the hearing in case { $number } stopped
mail-recording-failed = { $name },

    the recording of the hearing in case { $number } stopped: { $reason }. The session is paused until it works again.
    Open it here: { $link }

    Champions Hub

mail-sound-lost-subject = Case { $number }: the recording of the call is missing
mail-sound-lost = { $name },

    what the caller said in case { $number } could not be fetched from the telephone provider: { $reason }.
    Please ring { $telephone } and ask again. The days of the case run on.
    Open it here: { $link }

    Champions Hub

call-asks-to-be-rung = The caller left a spoken message and asks to be rung back.
author-another-telephone = Somebody at another telephone
call-added = Something was added by telephone. The recording is with the case.

notice-medium-video = by video
notice-medium-control_room = by video from the control room
notice-medium-telephone = by telephone
notice-medium-in_person = in person
notice-medium-mixed = by video or telephone
