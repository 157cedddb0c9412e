"""Production, told as one story: the schema is made, tables and an account are added, `check` finds nothing wrong, `serve`
answers over TLS, a filed case goes out as mail over SMTP, a renewed certificate is taken up, and SIGTERM ends it in order."""

import datetime
import ipaddress
import json
import pathlib
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Message
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

PASSWORD = "a long password for tests"
REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
passed, failed = 0, 0


def expect(what, holds, more=""):
    global passed, failed
    passed, failed = passed + bool(holds), failed + (not holds)
    print(f"{'ok    ' if holds else 'FAILED'} {what}{'' if holds else f': {more}'}", flush=True)


def until(condition, seconds=30):
    """Polls a condition until it gives something, or gives up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if found := condition():
                return found
        except (OSError, urllib.error.URLError):
            pass
        time.sleep(0.1)
    return None


def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def certificate(folder, name):
    """Writes a self-signed certificate and its key; answers the certificate's fingerprint."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder().subject_name(who).issuer_name(who).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=2)).add_extension(names, critical=False).sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return made.fingerprint(hashes.SHA256()).hex()


class Mailbox(Message):
    def __init__(self):
        super().__init__()
        self.mails = []

    def handle_message(self, message):
        self.mails.append(message)


class Hub:
    def __init__(self, program, folder, smtp_port):
        self.program, self.folder = program, folder
        self.port, self.private = free_port(), free_port()
        self.file = folder / "config.toml"
        self.file.write_text(f"""
[server]
listen = "127.0.0.1:{self.port}"
public_url = "https://localhost:{self.port}"
tls_certificate = "{folder}/certificate.pem"
tls_key = "{folder}/key.pem"
private_listen = "127.0.0.1:{self.private}"
[database]
url = "sqlite:{folder}/hub.db"
[media]
listen = "127.0.0.1:{free_port(socket.SOCK_DGRAM)}"
[storage]
data_dir = "{folder}/data"
min_free_gb = 0
[mail]
smtp_url = "smtp://127.0.0.1:{smtp_port}"
from = "Champions Hub <hub@example.in>"
""")

    def ask(self, *words, text=None):
        return subprocess.run([self.program, *words], input=text, capture_output=True, text=True, timeout=60)

    def configured(self, *words, text=None):
        *command, last = words
        return self.ask(*command, last, "--config", str(self.file), text=text)

    def serve(self):
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([self.program, "serve", "--config", str(self.file)], stdout=log, stderr=log)

    def http(self, method, path, body=None, token=None, base=None):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        url = (base or f"https://localhost:{self.port}") + path
        request = urllib.request.Request(url, json.dumps(body).encode() if body is not None else None, headers, method=method)
        trust = ssl.create_default_context(cafile=str(self.folder / "certificate.pem"))
        try:
            with urllib.request.urlopen(request, timeout=10, context=trust if url.startswith("https") else None) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def served_certificate(self):
        pem = ssl.get_server_certificate(("127.0.0.1", self.port))
        return x509.load_pem_x509_certificate(pem.encode()).fingerprint(hashes.SHA256()).hex()


def story(program, folder):
    mailbox = Mailbox()
    mail_server = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    mail_server.start()
    hub = Hub(program, folder, mail_server.port)

    wrong = hub.configured("check")
    expect("check says that the certificate is missing", wrong.returncode == 1 and "WRONG  certificate" in wrong.stdout, wrong.stdout)
    first = certificate(folder, "first")
    expect("migrate makes the schema", hub.configured("migrate").returncode == 0)
    expect("check finds nothing wrong", (found := hub.configured("check")).returncode == 0, found.stdout + found.stderr)

    tables = folder / "tables"
    tables.mkdir()
    for name in ("control-rooms.csv", "desks.csv"):
        shutil.copy(REPOSITORY / "src/demo" / name, tables)
    (tables / "rules.csv").write_text("priority,series,subject,state,desk,officer\n100,,finance,,credit,\n900,,,,triage,\n")
    loaded = hub.ask("reference", "load", "--config", str(hub.file), str(tables))
    expect("reference tables are loaded", loaded.returncode == 0 and "2 rules" in loaded.stdout, loaded.stdout + loaded.stderr)
    again = hub.ask("reference", "load", "--config", str(hub.file), str(tables))
    expect("loading again changes nothing", again.stdout == loaded.stdout, again.stderr)
    who = ["--username", "officer", "--name", "An Officer", "--role", "officer", "--desk", "credit", "--email", "officer@example.in"]
    short = hub.ask("user", "add", "--config", str(hub.file), *who, text="short\n")
    expect("a short password is refused", short.returncode != 0 and "twelve" in short.stderr, short.stderr)
    added = hub.ask("user", "add", "--config", str(hub.file), *who, text=PASSWORD + "\n")
    expect("an account is added", added.returncode == 0, added.stderr)
    token = hub.ask("token", "create", "--config", str(hub.file), "--username", "officer").stdout.strip()
    expect("a token for a program is given", len(token) > 30)

    hub.serve()
    private = f"http://127.0.0.1:{hub.private}"
    expect("it becomes ready", until(lambda: hub.http("GET", "/readyz", base=private)[0] == 200))
    expect("the private listener has figures", hub.http("GET", "/metrics", base=private)[0] == 200)
    expect("figures are private", hub.http("GET", "/metrics")[0] == 404)
    expect("the demo is not there", hub.http("GET", "/demo/phone")[0] == 404 and hub.http("POST", "/demo/clock", {"advance": "P1D"})[0] == 404)
    expect("no telephone is there without a contract", hub.http("POST", "/telephony/twilio/sms", {})[0] == 404)

    filing = {"series": "GR", "text": "The bank refused our working capital loan", "applicant": {"name": "Asha", "email": "asha@example.in", "state": "MH"}}
    status, case = hub.http("POST", "/api/v1/cases", filing, token)
    expect("a case is filed and routed", status == 201 and json.loads(case)["assignee"] == "officer", case)
    number = json.loads(case)["number"]
    mails = until(lambda: len(mailbox.mails) >= 2 and mailbox.mails)
    to = sorted(mail["To"] for mail in mails or [])
    expect("unit and officer get mail over SMTP", to == ["asha@example.in", "officer@example.in"], to)
    words = "".join(mail.get_payload(decode=True).decode() for mail in mails or [])
    expect("the mail names the case and links to it", number in words and f"https://localhost:{hub.port}/track/{number}?k=" in words, words)

    expect("the certificate of the files is served", hub.served_certificate() == first)
    second = certificate(folder, "second")
    hub.process.send_signal(signal.SIGHUP)
    expect("a renewed certificate is taken up on SIGHUP", until(lambda: hub.served_certificate() == second))
    (folder / "key.pem").write_text("broken")
    hub.process.send_signal(signal.SIGHUP)
    expect("a broken one is not", until(lambda: b"the old one stays" in (folder / "log").read_bytes()) and hub.served_certificate() == second)

    hub.process.send_signal(signal.SIGTERM)
    expect("SIGTERM ends it in order", hub.process.wait(20) == 0)
    log = (folder / "log").read_text()
    expect("the log keeps personal data out", "asha@example.in" not in log and PASSWORD not in log and token not in log)
    mail_server.stop()
    return hub


def main():
    with tempfile.TemporaryDirectory() as folder:
        hub = None
        try:
            hub = story(str(pathlib.Path(sys.argv[1]).resolve()), pathlib.Path(folder))
        finally:
            if hub is None:
                subprocess.run(["pkill", "-f", folder], check=False)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
