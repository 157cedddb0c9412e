//! The command line: what the program can be asked to do.

use anyhow::Context as _;
use clap::{Args, Parser, Subcommand};
use std::io::{BufRead as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::app::{self, Listeners, Running};
use crate::config::{Config, Media};
use crate::demo::fill;
use crate::domain::policy::Role;
use crate::id::AccountId;
use crate::intake::Telephony;
use crate::notify::email::Mailer;
use crate::notify::sms::{self, Texter};
use crate::service::reference::{self, Tables};
use crate::service::turn::Turn;
use crate::service::{links, sign_in};
use crate::store::{Store, people, web};
use crate::time::Clock;
use crate::{telemetry, tls};

/// The control-room hub of CHAMPIONS: cases, hearings on video, and the telephone.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// A whole hub on this machine, with a demo world; listens on loopback only
    Demo(DemoOptions),
    /// Serve in production
    Serve(ConfigFile),
    /// Bring the database's schema up to date
    Migrate(ConfigFile),
    /// Say what is wrong with configuration, database, disk, clock or prompts; exits 1 if anything is
    Check(ConfigFile),
    /// Keep subjects, control rooms, desks and routing rules
    #[command(subcommand)]
    Reference(ReferenceCommand),
    /// Keep accounts
    #[command(subcommand)]
    User(UserCommand),
    /// Give tokens for programs
    #[command(subcommand)]
    Token(TokenCommand),
    /// Check a recording against its hashes, offline
    Verify {
        /// Folder of the recording
        folder: PathBuf,
    },
}

#[derive(Debug, Args)]
struct DemoOptions {
    /// Where the demo keeps its data
    #[arg(long, default_value = "data/demo")]
    data: PathBuf,
    /// HTTPS
    #[arg(long, default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// The same without TLS
    #[arg(long)]
    plain_http: Option<SocketAddr>,
    /// SIP trunk; this version has none yet and says so
    #[arg(long)]
    sip: Option<SocketAddr>,
    /// Sound and picture, over UDP
    #[arg(long, default_value = "127.0.0.1:8444")]
    media: SocketAddr,
    /// Where the demo's Twilio account keeps the sound of calls: a stand-in for Twilio's interface
    #[arg(long)]
    twilio_api: Option<String>,
    /// Another database than SQLite in the data folder
    #[arg(long)]
    database: Option<String>,
}

#[derive(Debug, Args)]
struct ConfigFile {
    /// TOML file; every key also by environment, HUB_SECTION__KEY
    #[arg(long)]
    config: PathBuf,
}

#[derive(Debug, Subcommand)]
enum ReferenceCommand {
    /// Load control-rooms.csv, desks.csv and rules.csv of a folder; loading again brings all up to date
    Load {
        #[command(flatten)]
        config: ConfigFile,
        /// The folder; `src/demo` of the source has an example of each table
        folder: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Add an account; the password is read from standard input
    Add {
        #[command(flatten)]
        config: ConfigFile,
        /// Name to sign in with
        #[arg(long)]
        username: String,
        /// Name as shown
        #[arg(long)]
        name: String,
        /// officer, head, room, secretary or admin
        #[arg(long)]
        role: String,
        /// Code of the desk of an officer or head
        #[arg(long)]
        desk: Option<String>,
        /// Code of a coordinator's control room
        #[arg(long)]
        control_room: Option<String>,
        /// Where mail reaches them
        #[arg(long)]
        email: Option<String>,
    },
}

#[derive(Debug, Subcommand)]
enum TokenCommand {
    /// Give a token that acts for an account until it runs out; printed once
    Create {
        #[command(flatten)]
        config: ConfigFile,
        /// Whose
        #[arg(long)]
        username: String,
        /// For how many days
        #[arg(long, default_value_t = 30)]
        days: i64,
    },
}

impl Cli {
    /// Does what was asked.
    ///
    /// # Errors
    /// What went wrong, as one sentence with its causes.
    pub async fn run(self) -> anyhow::Result<()> {
        match self.command {
            Command::Demo(options) => demo(options).await,
            Command::Serve(file) => serve(&file.config).await,
            Command::Migrate(file) => {
                Store::open(&Config::load(&file.config)?.database.url).await?.close().await;
                say("the schema is up to date")
            }
            Command::Check(file) => check(&file.config).await,
            Command::Reference(command) => reference(command).await,
            Command::User(command) => user(command).await,
            Command::Token(command) => token(command).await,
            Command::Verify { folder } => verify(&folder),
        }
    }
}

fn say(line: &str) -> anyhow::Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

async fn serve(file: &Path) -> anyhow::Result<()> {
    let config = Config::load(file)?;
    telemetry::log(&config.log.filter, config.log.format == "json");
    let metrics = telemetry::count()?;
    let store = Store::open(&config.database.url).await?;
    let (data, url) = (&config.storage.data_dir, &config.server.public_url);
    let parts = app::assemble(store, Clock::default(), data, url, &config.media)?;
    let texter = match &config.telephony.twilio {
        Some(twilio) => Texter::twilio(twilio, url)?,
        None => Texter::Nobody,
    };
    let telephony = Arc::new(Telephony::of_config(&config)?);
    let recordings = config.telephony.twilio.as_ref().map(sms::rest).transpose()?;
    let mailer = config.mail.as_ref().map(|m| Mailer::smtp(&m.smtp_url, &m.from)).transpose()?;
    let listeners = Listeners {
        https: Some((app::listen(config.server.listen)?, config.server.tls_certificate, config.server.tls_key)),
        plain: None,
        private: Some(app::listen(config.server.private_listen)?),
    };
    let running = Running {
        mailer,
        texter,
        recordings,
        telephony,
        metrics: Some(metrics),
        min_free_octets: config.storage.min_free_gb.saturating_mul(1 << 30),
        numbers: config
            .telephony
            .twilio
            .as_ref()
            .map_or_else(Default::default, |t| crate::web::Numbers { call: t.number.clone(), text: t.number.clone() }),
        demo: false,
    };
    app::run(parts, listeners, running).await
}

async fn demo(options: DemoOptions) -> anyhow::Result<()> {
    for address in [Some(options.listen), options.plain_http, options.sip, Some(options.media)].into_iter().flatten() {
        anyhow::ensure!(address.ip().is_loopback(), "the demo listens on loopback only, not on {address}");
    }
    telemetry::log("warn,champions_hub=info", false);
    let metrics = telemetry::count()?;
    let data = &options.data;
    std::fs::create_dir_all(data)?;
    let store = match &options.database {
        Some(url) => Store::open(url).await?,
        None => Store::open_sqlite(&data.join("hub.db")).await?,
    };
    let ahead = web::setting(&mut store.read().await?, crate::web::demo::CLOCK_AHEAD).await?;
    let clock = Clock::ahead(ahead.and_then(|a| a.parse().ok()).unwrap_or(0));

    let https = app::listen(options.listen)?;
    let plain = match options.plain_http {
        Some(address) => Some(app::listen(address)?),
        // The usual second address is a convenience: a taken port is no reason not to start.
        None => app::listen(SocketAddr::from((Ipv4Addr::LOCALHOST, 8_080))).ok(),
    };
    let (certificate, key) = tls::own_certificate(&data.join("keys"))?;
    let url = format!("https://localhost:{}", https.local_addr()?.port());
    let plain_url =
        plain.as_ref().map(|p| p.local_addr().map(|a| format!("http://localhost:{}", a.port()))).transpose()?;
    let media = Media { public_addresses: vec![options.media.ip()], ..Media::at(options.media) };
    let parts = app::assemble(store, clock, data, &url, &media)?;
    say("Filling the demo world …")?;
    let accounts = fill::fill(&parts.hub).await?;
    let telephone = crate::demo::Telephone::open(&parts.hub).await?;
    let facts = serde_json::json!({
        "url": url,
        "plain_url": plain_url,
        "sip": null,
        "accounts": accounts,
        "twilio": telephone.twilio_facts(),
        "msdg": telephone.msdg_facts(),
        "clock_path": "/demo/clock",
    });
    write_facts(&data.join("demo.json"), &facts)?;
    crate::demo::greet(&url, plain_url.as_deref(), data, options.sip.is_some())?;
    let running = Running {
        mailer: Some(Mailer::files(&data.join("mails"), "Champions Hub <hub@hub.example>")?),
        texter: Texter::Handset,
        recordings: options.twilio_api.as_deref().map(|api| telephone.rest(api)).transpose()?,
        telephony: Arc::new(telephone.lines(&url, options.twilio_api.as_deref())?),
        metrics: Some(metrics),
        min_free_octets: 64 << 20,
        numbers: crate::web::Numbers {
            call: crate::demo::CALL_NUMBER.to_owned(),
            text: crate::demo::CALL_NUMBER.to_owned(),
        },
        demo: true,
    };
    let listeners = Listeners { https: Some((https, certificate, key)), plain, private: None };
    app::run(parts, listeners, running).await
}

fn write_facts(path: &Path, facts: &serde_json::Value) -> anyhow::Result<()> {
    let partial = path.with_extension("json.part");
    std::fs::write(&partial, serde_json::to_vec_pretty(facts)?)?;
    Ok(std::fs::rename(partial, path)?)
}

async fn check(file: &Path) -> anyhow::Result<()> {
    let mut wrong = 0;
    let mut report = |what: &str, outcome: anyhow::Result<()>| -> anyhow::Result<()> {
        match outcome {
            Ok(()) => say(&format!("ok     {what}")),
            Err(error) => {
                wrong += 1;
                say(&format!("WRONG  {what}: {error:#}"))
            }
        }
    };
    let config = match Config::load(file) {
        Ok(config) => config,
        Err(error) => {
            report("configuration", Err(error))?;
            anyhow::bail!("the configuration cannot be read");
        }
    };
    report("configuration", Ok(()))?;
    let certificate = tls::from_files(&config.server.tls_certificate, &config.server.tls_key).map(|_| ());
    report("certificate", certificate)?;
    if config.media.turn.is_some() {
        report("TURN", Turn::of_config(&config.media).map(|_| ()))?;
    }
    let telephony = Telephony::of_config(&config);
    let prompts = telephony.as_ref().map(|t| t.prompts.missing()).unwrap_or_default();
    report("telephony", telephony.map(|_| ()))?;
    let complete = if prompts.is_empty() { Ok(()) } else { Err(anyhow::anyhow!("missing: {}", prompts.join(", "))) };
    report("prompts", complete)?;
    match Store::open(&config.database.url).await {
        Err(error) => report("database", Err(error.into()))?,
        Ok(store) => {
            report("database", Ok(()))?;
            let free = Media::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
            match app::assemble(store, Clock::default(), &config.storage.data_dir, &config.server.public_url, &free) {
                Err(error) => report("data folder", Err(error))?,
                Ok(parts) => {
                    let min_free = config.storage.min_free_gb.saturating_mul(1 << 30);
                    let health = crate::web::health::look(&parts.hub, min_free).await;
                    let enough = |good: bool, why: &'static str| if good { Ok(()) } else { Err(anyhow::anyhow!(why)) };
                    report("disk", enough(health.disk, "cannot be written, or too little room is free"))?;
                    report("clock", enough(health.clock, "is behind what it showed before"))?;
                }
            }
        }
    }
    anyhow::ensure!(wrong == 0, "{wrong} of these are wrong");
    Ok(())
}

async fn reference(command: ReferenceCommand) -> anyhow::Result<()> {
    let ReferenceCommand::Load { config, folder } = command;
    let tables = Tables::of_folder(&folder)?;
    let store = Store::open(&Config::load(&config.config)?.database.url).await?;
    let now = Clock::default().now();
    let mut tx = store.write().await?;
    let desks = reference::store_desks(&mut tx, &tables, now).await?;
    reference::store_rules(&mut tx, &tables, &desks, now).await?;
    tx.commit().await?;
    let (rooms, desks, rules) = (tables.control_rooms.len(), tables.desks.len(), tables.rules.len());
    say(&format!("{rooms} control rooms, {desks} desks, {rules} rules"))
}

async fn user(command: UserCommand) -> anyhow::Result<()> {
    let UserCommand::Add { config, username, name, role, desk, control_room, email } = command;
    let store = Store::open(&Config::load(&config.config)?.database.url).await?;
    let mut password = String::new();
    std::io::stdin().lock().read_line(&mut password)?;
    let password = password.trim_end_matches(['\r', '\n']);
    anyhow::ensure!(password.chars().count() >= 12, "a password has twelve characters at least");
    let now = Clock::default().now();
    let mut tx = store.write().await?;
    let desks = crate::store::desks::desks(&mut tx).await?;
    let desk = desk
        .map(|code| {
            desks.iter().find(|d| d.code == code).map(|d| d.id.clone()).with_context(|| format!("no desk {code}"))
        })
        .transpose()?;
    let account = people::Account {
        id: AccountId::generate(now.millis()),
        username: username.trim().to_lowercase(),
        name,
        role: Role::from_code(&role).with_context(|| format!("no role {role}"))?,
        desk,
        control_room,
        email,
        mobile: None,
        password_hash: sign_in::hash_password(password)?,
        active: true,
    };
    people::insert(&mut tx, &account, now).await?;
    tx.commit().await?;
    say(&format!("added {}", account.username))
}

async fn token(command: TokenCommand) -> anyhow::Result<()> {
    let TokenCommand::Create { config, username, days } = command;
    anyhow::ensure!((1..=366).contains(&days), "a token lasts from one day to a year");
    let store = Store::open(&Config::load(&config.config)?.database.url).await?;
    let now = Clock::default().machine_now();
    let mut tx = store.write().await?;
    let account = people::by_username(&mut tx, &username).await?.with_context(|| format!("no account {username}"))?;
    let token = links::random_token()?;
    people::open_session(&mut tx, &links::token_hash(&token), &account.id, now, now.plus_days(days)).await?;
    tx.commit().await?;
    say(&token)
}

fn verify(folder: &Path) -> anyhow::Result<()> {
    let report = signaling::recording::verify(folder).map_err(|broken| anyhow::anyhow!("BROKEN: {broken}"))?;
    say(&format!("whole: {} lines, {} events, head {}", report.lines, report.events, report.head))?;
    for file in &report.files {
        say(&format!("  {}: {} octets in {} segments", file.name, file.bytes, file.segments))?;
    }
    if !report.complete {
        say("  the recording was not closed: the process ended during it; all above is whole")?;
    }
    for tail in &report.tail {
        say(&format!("  after the last line: {tail}"))?;
    }
    for name in &report.unlisted {
        say(&format!("  not part of the recording: {name}"))?;
    }
    Ok(())
}
