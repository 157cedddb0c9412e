//! Janus 1.1.2 with its videoroom, as a child process with a configuration of its own in a folder that goes with it.

use super::http::Http;
use crate::client::{Fleet, Show};
use crate::namespace;
use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const ROOM: u32 = 7;
const PLUGIN: &str = "janus.plugin.videoroom";
const LONGEST_START: Duration = Duration::from_secs(15);
/// Where Debian puts its parts.
const PLUGINS: &str = "/usr/lib/x86_64-linux-gnu/janus/plugins";
const TRANSPORTS: &str = "/usr/lib/x86_64-linux-gnu/janus/transports";

pub struct Janus {
    child: Child,
    http: Http,
    session: u64,
    /// The publisher's id in the room.
    feed: Option<u64>,
    /// Goes with us.
    _folder: tempfile::TempDir,
}

/// An event of a plugin handle.
struct Happened {
    data: Value,
    sdp: Option<String>,
}

impl Janus {
    pub fn is_installed() -> bool {
        Command::new("janus").arg("--help").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok()
    }

    pub fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let port = free_port()?;
        configure(folder.path(), port)?;
        let mut command = Command::new("janus");
        command.arg("-F").arg(folder.path()).arg("-C").arg(folder.path().join("janus.jcfg"));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = child.context("Janus could not be started: apt-get install janus")?;
        // From here on the child ends with the guard, whatever fails.
        let mut guard = Guard(Some(child));
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let begin = Instant::now();
        let (http, session) = loop {
            match open(address) {
                Ok(opened) => break opened,
                Err(error) if begin.elapsed() > LONGEST_START => return Err(error.context("Janus does not answer")),
                Err(_) => std::thread::sleep(Duration::from_millis(100)),
            }
        };
        let child = guard.0.take().context("the child")?;
        Ok(Self { child, http, session, feed: None, _folder: folder })
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// A member that sends.
    pub fn publish(&mut self, fleet: &mut Fleet, show: Show) -> Result<usize> {
        let number = fleet.add(Some(show));
        let sdp = fleet.offer(number)?;
        let handle = self.attach()?;
        let body = json!({"request": "joinandconfigure", "ptype": "publisher", "room": ROOM, "display": "publisher",
            "audio": true, "video": true});
        let joined = self.message(handle, &body, Some(json!({"type": "offer", "sdp": sdp})))?;
        self.feed = joined.data.get("id").and_then(Value::as_u64);
        fleet.answered(number, &joined.sdp.context("Janus gave no answer")?)?;
        Ok(number)
    }

    /// A member that watches the publisher.
    pub fn watch(&mut self, fleet: &mut Fleet) -> Result<usize> {
        let number = fleet.add(None);
        let handle = self.attach()?;
        let feed = self.feed.context("nobody publishes")?;
        let body = json!({"request": "join", "ptype": "subscriber", "room": ROOM, "streams": [{"feed": feed}]});
        let offered = self.message(handle, &body, None)?;
        let answer = fleet.accept(number, &offered.sdp.context("Janus made no offer")?)?;
        self.message(handle, &json!({"request": "start"}), Some(json!({"type": "answer", "sdp": answer})))?;
        Ok(number)
    }

    fn attach(&mut self) -> Result<u64> {
        let request = json!({"janus": "attach", "plugin": PLUGIN, "transaction": "t"});
        let answer = self.http.post(&format!("/janus/{}", self.session), &request)?;
        id_of(&answer)
    }

    /// Says something to the plugin and waits for what it makes happen.
    fn message(&mut self, handle: u64, body: &Value, jsep: Option<Value>) -> Result<Happened> {
        let mut request = json!({"janus": "message", "body": body, "transaction": "t"});
        if let (Some(jsep), Some(request)) = (jsep, request.as_object_mut()) {
            request.insert("jsep".to_owned(), jsep);
        }
        self.http.post(&format!("/janus/{}/{handle}", self.session), &request)?;
        let poll = format!("/janus/{}?maxev=1", self.session);
        loop {
            let event = self.http.get(&poll)?;
            let is_ours = event.get("sender").and_then(Value::as_u64) == Some(handle);
            match event.get("janus").and_then(Value::as_str) {
                Some("event") if is_ours => {
                    let data = event.pointer("/plugindata/data").cloned().unwrap_or_default();
                    if let Some(error) = data.get("error") {
                        bail!("Janus: {error}");
                    }
                    let sdp = event.pointer("/jsep/sdp").and_then(Value::as_str).map(str::to_owned);
                    return Ok(Happened { data, sdp });
                }
                Some("keepalive") => bail!("Janus says nothing"),
                _ => {}
            }
        }
    }
}

impl Drop for Janus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Guard(Option<Child>);

impl Drop for Guard {
    fn drop(&mut self) {
        if let Some(child) = &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn open(address: SocketAddr) -> Result<(Http, u64)> {
    let mut http = Http::connect(address)?;
    let answer = http.post("/janus", &json!({"janus": "create", "transaction": "t"}))?;
    Ok((http, id_of(&answer)?))
}

fn id_of(answer: &Value) -> Result<u64> {
    answer.pointer("/data/id").and_then(Value::as_u64).with_context(|| format!("Janus: {answer}"))
}

fn free_port() -> Result<u16> {
    Ok(std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Only the videoroom and HTTP; media on the interface that we made; otherwise as it comes.
fn configure(folder: &Path, port: u16) -> Result<()> {
    let unwanted = |folder: &str, wanted: &str| -> Result<String> {
        let names = fs::read_dir(folder).with_context(|| format!("{folder}: apt-get install janus"))?;
        let names = names.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let names: Vec<_> = names.filter(|name| name.ends_with(".so") && name != wanted).collect();
        Ok(names.join(","))
    };
    let general = format!(
        "general: {{\n  configs_folder = \"{folder}\"\n  plugins_folder = \"{PLUGINS}\"\n  transports_folder = \"{TRANSPORTS}\"\n  \
         debug_level = 2\n  session_timeout = 0\n  candidates_timeout = 0\n}}\n\
         media: {{\n}}\n\
         nat: {{\n  ice_lite = true\n  ice_enforce_list = \"{interface}\"\n}}\n\
         plugins: {{\n  disable = \"{plugins}\"\n}}\n\
         transports: {{\n  disable = \"{transports}\"\n}}\n",
        folder = folder.display(),
        interface = namespace::INTERFACE,
        plugins = unwanted(PLUGINS, "libjanus_videoroom.so")?,
        transports = unwanted(TRANSPORTS, "libjanus_http.so")?,
    );
    fs::write(folder.join("janus.jcfg"), general)?;
    let transport = format!(
        "general: {{\n  json = \"plain\"\n  base_path = \"/janus\"\n  http = true\n  port = {port}\n  ip = \"127.0.0.1\"\n}}\n\
         admin: {{\n  admin_http = false\n}}\n"
    );
    fs::write(folder.join("janus.transport.http.jcfg"), transport)?;
    let room = format!(
        "room-{ROOM}: {{\n  description = \"bench\"\n  publishers = 200\n  bitrate = 0\n  audiocodec = \"opus\"\n  videocodec = \"vp8\"\n  \
         audiolevel_ext = true\n  transport_wide_cc_ext = true\n  record = false\n}}\n"
    );
    fs::write(folder.join("janus.plugin.videoroom.jcfg"), room)?;
    Ok(())
}
