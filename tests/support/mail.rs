//! Mails as the hub wrote them into files.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use std::path::Path;

/// A mail.
#[derive(Debug)]
pub struct Mail {
    pub to: String,
    pub text: String,
}

/// Every mail of a folder; half-written ones come with the next look.
pub fn read_all(folder: &Path) -> Vec<Mail> {
    let Ok(files) = std::fs::read_dir(folder) else { return Vec::new() };
    files.filter_map(|file| read(&std::fs::read_to_string(file.unwrap().path()).ok()?)).collect()
}

fn read(mail: &str) -> Option<Mail> {
    let mail = mail.replace("\r\n", "\n");
    let (head, body) = mail.split_once("\n\n")?;
    let line = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
    let text = match line("Content-Transfer-Encoding:") {
        Some("base64") => String::from_utf8(STANDARD.decode(body.replace('\n', "")).ok()?).ok()?,
        Some("quoted-printable") => quoted_printable(body)?,
        _ => body.to_owned(),
    };
    Some(Mail { to: line("To:")?.to_owned(), text })
}

/// RFC 2045, 6.7.
fn quoted_printable(body: &str) -> Option<String> {
    let body = body.replace("=\n", "");
    let mut parts = body.split('=');
    let mut octets = parts.next()?.as_bytes().to_vec();
    for part in parts {
        let (code, rest) = part.split_at_checked(2)?;
        octets.push(u8::from_str_radix(code, 16).ok()?);
        octets.extend_from_slice(rest.as_bytes());
    }
    String::from_utf8(octets).ok()
}
