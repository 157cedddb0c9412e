"""What Twilio's own Python library says, for the Rust tests to agree with.

oracle.py signatures   prints requests, good ones and tampered ones, with RequestValidator's verdict, as JSON lines
oracle.py twiml        prints documents made by the library's builders, as JSON lines
"""

import json
import random
import string
import sys
from hashlib import sha256
from urllib.parse import quote, urlparse

from twilio.request_validator import RequestValidator, add_port, remove_port
from twilio.twiml.voice_response import Gather, VoiceResponse

REQUESTS = 1000
SEED = 20261121
WORDS = ["ऋण", "बैंक ने मना किया", "loan & dues", "a=b;c", "ñandú", "🙏", "tab\tend", "100%", "+91 98765 43210", "", "x" * 300, "ß", "𝄞", "ಕನ್ನಡ"]


class MultiDict:
    """A form in which a name may come more than once."""

    def __init__(self, pairs):
        self.pairs = pairs

    def __iter__(self):
        return (name for name, _ in self.pairs)

    def __len__(self):
        return len(self.pairs)

    def getall(self, name):
        return [value for known, value in self.pairs if known == name]


def word(rng):
    if rng.random() < 0.5:
        return rng.choice(WORDS)
    return "".join(rng.choice(string.ascii_letters + string.digits + " -_.~") for _ in range(rng.randrange(0, 24)))


def address(rng):
    scheme = rng.choice(["https", "https", "http"])
    host = rng.choice(["hub.example", "champions.gov.in", "127.0.0.1", "a-b.c.example"])
    port = rng.choice(["", "", "", ":443", ":80", ":8443", ":65535"])
    path = rng.choice(["", "/", "/telephony/twilio/voice", "/telephony/twilio/sms", "/a:b/c", "/%E0%A4%95"])
    pairs = [(rng.choice(["step", "on", "x", "step"]), word(rng)) for _ in range(rng.randrange(0, 3))]
    query = "&".join(f"{name}={quote(value)}" for name, value in pairs)
    return f"{scheme}://{host}{port}{path}" + (f"?{query}" if query else "")


def form(rng):
    names = ["CallSid", "From", "To", "Body", "Digits", "क", "a", "A", "AB", "Media0"]
    pairs = [(rng.choice(names), word(rng)) for _ in range(rng.randrange(0, 9))]
    if pairs and rng.random() < 0.4:
        pairs.append(rng.choice(pairs))
    rng.shuffle(pairs)
    return pairs


def changed(rng, text):
    """The same text with one character other than it was."""
    at = rng.randrange(len(text))
    other = rng.choice([c for c in string.ascii_letters if c != text[at]])
    return text[:at] + other + text[at + 1 :]


def tampered(rng, case):
    """One thing about the request changed after it was signed."""
    case = dict(case)
    kinds = ["signature", "url", "token", "nothing-there", "algorithm"]
    kinds += ["field", "more"] if case["form"] else ["more"] if case["body"] is None else ["body"]
    kind = rng.choice(kinds)
    if kind == "signature":
        case["signature"] = changed(rng, case["signature"])
    elif kind == "url":
        case["url"] = case["url"] + ("&" if "?" in case["url"] else "?") + "more=1"
    elif kind == "token":
        case["token"] = changed(rng, case["token"])
    elif kind == "nothing-there":
        case["signature"] = ""
    elif kind == "algorithm":
        case["algorithm"] = "HMAC_SHA256" if case["algorithm"] == "HMAC_SHA1" else "HMAC_SHA1"
    elif kind == "field":
        at = rng.randrange(len(case["form"]))
        name, value = case["form"][at]
        case["form"] = case["form"][:at] + [(name, value + "1")] + case["form"][at + 1 :]
    elif kind == "more":
        case["form"] = case["form"] + [("More", "1")]
    else:
        case["body"] = case["body"] + " "
    return case


def verdict(case):
    params = case["body"] if case["body"] is not None else MultiDict(case["form"])
    return RequestValidator(case["token"]).validate(case["url"], params, case["signature"], case["algorithm"])


def signatures():
    rng = random.Random(SEED)
    for _ in range(REQUESTS):
        case = {
            "url": address(rng),
            "form": [],
            "body": None,
            "token": "".join(rng.choice("0123456789abcdef") for _ in range(32)),
            "algorithm": rng.choice(["HMAC_SHA1", "HMAC_SHA1", "HMAC_SHA1", "HMAC_SHA256"]),
        }
        if rng.random() < 0.25:
            case["body"] = json.dumps({word(rng): word(rng)}, ensure_ascii=rng.random() < 0.5)
            joint = "&" if "?" in case["url"] else "?"
            case["url"] += joint + "bodySHA256=" + sha256(case["body"].encode()).hexdigest()
        else:
            case["form"] = form(rng)
        as_signed = rng.choice([lambda url: url, lambda url: add_port(urlparse(url)), lambda url: remove_port(urlparse(url))])(case["url"])
        signed = [] if case["body"] is not None else case["form"]
        case["signature"] = RequestValidator(case["token"]).compute_signature(as_signed, MultiDict(signed), case["algorithm"])
        for each in (case, tampered(rng, case)):
            print(json.dumps({**each, "valid": verdict(each)}, ensure_ascii=False))


VOICE = "https://hub.example/telephony/twilio/voice"
PROMPTS = "https://hub.example/prompts/"


def record_verb(response, turn):
    response.record(
        action=f"{VOICE}?step={turn}&on=record",
        finish_on_key="#",
        max_length=180,
        method="POST",
        play_beep=True,
        recording_status_callback="https://hub.example/telephony/twilio/recording",
        recording_status_callback_event="completed",
        recording_status_callback_method="POST",
        timeout=10,
        trim="do-not-trim",
    )
    response.redirect(f"{VOICE}?step={turn}&on=silence", method="POST")


def keys(turn, digits=1, timeout=6, finish=""):
    return Gather(
        action=f"{VOICE}?step={turn}&on=gather",
        action_on_empty_result=True,
        finish_on_key=finish,
        input="dtmf",
        method="POST",
        num_digits=digits,
        timeout=timeout,
    )


def menu():
    response = VoiceResponse()
    response.play(PROMPTS + "en/notice.wav")
    gather = keys(2)
    gather.play(PROMPTS + "en/menu.wav")
    response.append(gather)
    return response


def record():
    response = VoiceResponse()
    response.play(PROMPTS + "hi/record-grievance.wav")
    record_verb(response, 3)
    return response


def review():
    response = VoiceResponse()
    gather = keys(4)
    gather.play(PROMPTS + "en/heard-back.wav")
    gather.play("https://api.twilio.com/2010-04-01/Accounts/AC1/Recordings/RE%22%3E1")
    gather.play(PROMPTS + "en/keep-or-repeat.wav")
    response.append(gather)
    return response


def number():
    response = VoiceResponse()
    gather = keys(5, digits=10, timeout=10, finish="#")
    gather.say("Please enter the ten digits of your case number.", language="en-IN")
    response.append(gather)
    return response


def goodbye():
    response = VoiceResponse()
    response.say("फ़ोन करने के लिए धन्यवाद। नमस्कार।", language="hi-IN")
    response.pause(length=1)
    response.hangup()
    return response


def silent():
    return VoiceResponse()


def twiml():
    for scenario in (menu, record, review, number, goodbye, silent):
        print(json.dumps({"name": scenario.__name__, "xml": str(scenario())}, ensure_ascii=False))


if __name__ == "__main__":
    {"signatures": signatures, "twiml": twiml}[sys.argv[1]]()
