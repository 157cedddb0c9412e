# The frame of every page, dates and spans of time.
product = Champions Hub
ministry = Ministry of Micro, Small and Medium Enterprises
skip-to-content = Skip to the content
language = Language
navigation = Pages
ist = IST
sign-in = Sign in
sign-out = Sign out
back = Back
continue = Continue
change = Change
choose = Choose one
search = Search
yes = Yes
no = No
on = on
off = off
up = up
down = down
any = any
never = never
reason = Reason
username = User name
password = Password
go-home = Go to the start page
by-date = by { $date }
the-hub = Champions Hub
close-dialog = Close
footer-words = A public service for micro, small and medium enterprises. Free of charge. All times are Indian Standard Time.
footer-demo = This is a demonstration. Names, numbers and cases are invented; nothing leaves this machine.
nav-file = File a grievance
nav-track = Track a case
nav-desk = Desk
nav-rules = Routing rules
nav-review = Review
nav-room = Control room
nav-walk-in = Walk-in
nav-admin = Administration
nav-phone = Demo telephone
nav-mails = Demo mails
span-days =
    { $count ->
        [one] { $n } day
       *[other] { $n } days
    }
span-hours =
    { $count ->
        [one] { $n } hour
       *[other] { $n } hours
    }
span-minutes =
    { $count ->
        [one] { $n } minute
       *[other] { $n } minutes
    }
span-left = { $span } left
span-late = { $span } late
month-1 = Jan
month-2 = Feb
month-3 = Mar
month-4 = Apr
month-5 = May
month-6 = Jun
month-7 = Jul
month-8 = Aug
month-9 = Sep
month-10 = Oct
month-11 = Nov
month-12 = Dec
weekday-1 = Monday
weekday-2 = Tuesday
weekday-3 = Wednesday
weekday-4 = Thursday
weekday-5 = Friday
weekday-6 = Saturday
weekday-7 = Sunday
error-prefix = Error:
error-summary = Something has to be put right
