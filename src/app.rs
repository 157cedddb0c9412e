//! Puts the hub together and runs it: production from a configuration, the demo from its options.

use anyhow::Context as _;
use axum_server::Handle;
use axum_server::tls_rustls::RustlsConfig;
use ivr::provider::twilio::rest::Rest;
use metrics_exporter_prometheus::PrometheusHandle;
use signaling::{MediaConfig, MediaServer, RoomEvent};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::{mpsc, watch};

use crate::config::Media;
use crate::intake::{self, Telephony};
use crate::jobs::Worker;
use crate::notify::email::Mailer;
use crate::notify::sms::Texter;
use crate::service::files::Files;
use crate::service::links::Links;
use crate::service::rooms::Rooms;
use crate::service::turn::Turn;
use crate::service::{Hub, restart, rooms, sign_in};
use crate::store::Store;
use crate::time::Clock;
use crate::web::{self, App, health};

/// Open requests may finish for so long after the signal to stop.
const GRACE: Duration = Duration::from_secs(5);
/// How often certificate files are looked at.
const TLS_LOOK: Duration = Duration::from_secs(60);
const CLOCK_NOTE: Duration = Duration::from_secs(60);

/// What a running hub is made of.
#[derive(Debug)]
pub struct Parts {
    /// Use cases and all they need.
    pub hub: Arc<Hub>,
    /// What the media rooms report.
    pub events: mpsc::Receiver<RoomEvent>,
}

/// Opens data folder, keys and media port around a database.
///
/// # Errors
/// What cannot be opened.
pub fn assemble(store: Store, clock: Clock, data: &Path, public_url: &str, media: &Media) -> anyhow::Result<Parts> {
    let clock = Arc::new(clock);
    let told = Arc::clone(&clock);
    let server = MediaServer::bind(MediaConfig {
        listen: media.listen,
        public_addresses: media.public_addresses.clone(),
        workers: media.workers,
        clock: signaling::Clock::new(move || told.now().millis()),
    })
    .with_context(|| format!("the media port {} cannot be opened", media.listen))?;
    let (rooms, events) = Rooms::new(server);
    let hub = Hub {
        store,
        clock,
        files: Files::open(data).with_context(|| format!("the data folder {} cannot be used", data.display()))?,
        rooms,
        turn: Turn::of_config(media)?,
        links: Links::open(&data.join("keys/link.key"), public_url)?,
        throttle: sign_in::Throttle::default(),
    };
    Ok(Parts { hub: Arc::new(hub), events })
}

/// Listeners and what serves them.
#[derive(Debug)]
pub struct Listeners {
    /// HTTPS: listener, certificate, key.
    pub https: Option<(TcpListener, PathBuf, PathBuf)>,
    /// The same without TLS, for the demo.
    pub plain: Option<TcpListener>,
    /// Health and metrics.
    pub private: Option<TcpListener>,
}

/// Everything else that a run needs.
#[derive(Debug)]
pub struct Running {
    /// Sends mails.
    pub mailer: Option<Mailer>,
    /// Sends text messages.
    pub texter: Texter,
    /// Fetches the sound of calls from the provider.
    pub recordings: Option<Rest>,
    /// The telephone lines.
    pub telephony: Arc<Telephony>,
    /// What was counted.
    pub metrics: Option<PrometheusHandle>,
    /// Below so much free space the hub is not ready.
    pub min_free_octets: u64,
    /// The numbers that the front page names.
    pub numbers: web::Numbers,
    /// Whether this is the demo.
    pub demo: bool,
}

/// Opens a listener.
///
/// # Errors
/// When the address is taken or not ours.
pub fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::bind(address).with_context(|| format!("cannot listen on {address}"))?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Serves until the process is told to stop, then lets open requests finish.
///
/// # Errors
/// When a listener or certificate cannot be used.
pub async fn run(parts: Parts, listeners: Listeners, running: Running) -> anyhow::Result<()> {
    let Parts { hub, events } = parts;
    let brought_back = restart::bring_back(&hub).await?;
    if brought_back > 0 {
        tracing::info!(hearings = brought_back, "hearings that were going on are open again");
    }
    let (stop, stopped) = watch::channel(false);
    let ledger = tokio::spawn(keep_ledger(Arc::clone(&hub), events));
    let worker = Worker {
        hub: Arc::clone(&hub),
        mailer: running.mailer,
        texter: running.texter,
        recordings: running.recordings,
    };
    let worker = tokio::spawn(worker.run(stopped.clone()));
    let watch = tokio::spawn(intake::watch::run(Arc::clone(&hub), Arc::clone(&running.telephony), stopped.clone()));
    let clock = tokio::spawn(note_clock(Arc::clone(&hub), stopped));

    let app = App {
        hub: Arc::clone(&hub),
        telephony: running.telephony,
        metrics: running.metrics,
        min_free_octets: running.min_free_octets,
        numbers: running.numbers,
        demo: running.demo,
        secure: true,
    };
    let handle = Handle::new();
    let mut servers = tokio::task::JoinSet::new();
    if let Some((listener, certificate, key)) = listeners.https {
        let config = RustlsConfig::from_config(crate::tls::from_files(&certificate, &key)?);
        tokio::spawn(reload(config.clone(), certificate, key));
        let service = web::router(app.clone()).into_make_service_with_connect_info::<SocketAddr>();
        servers.spawn(axum_server::from_tcp_rustls(listener, config)?.handle(handle.clone()).serve(service));
    }
    if let Some(listener) = listeners.plain {
        let app = App { secure: false, ..app.clone() };
        let service = web::router(app).into_make_service_with_connect_info::<SocketAddr>();
        servers.spawn(axum_server::from_tcp(listener)?.handle(handle.clone()).serve(service));
    }
    if let Some(listener) = listeners.private {
        let service = web::private_router(app).into_make_service();
        servers.spawn(axum_server::from_tcp(listener)?.handle(handle.clone()).serve(service));
    }

    told_to_stop().await?;
    tracing::info!("stopping");
    if let Err(error) = restart::lay_down(&hub).await {
        tracing::error!(%error, "recordings that are going on were not finished");
    }
    handle.graceful_shutdown(Some(GRACE));
    while servers.join_next().await.is_some() {}
    let _ = stop.send(true);
    let _ = worker.await;
    let _ = watch.await;
    let _ = clock.await;
    ledger.abort();
    hub.store.close().await;
    Ok(())
}

/// Writes what happens in the rooms into the ledger, in order. A database that does not answer is asked again: presence is evidence.
async fn keep_ledger(hub: Arc<Hub>, mut events: mpsc::Receiver<RoomEvent>) {
    while let Some(event) = events.recv().await {
        for attempt in 1..=10_u64 {
            match rooms::happened(&hub, event.clone()).await {
                Ok(()) => break,
                Err(error) => {
                    tracing::error!(room = event.room.as_str(), attempt, %error, "the ledger did not take an event of room {}", event.room);
                    tokio::time::sleep(Duration::from_millis(100 * attempt)).await;
                }
            }
        }
    }
}

async fn note_clock(hub: Arc<Hub>, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = health::note_clock(&hub).await {
            tracing::warn!(%error, "the time was not noted");
        }
        tokio::select! {
            _ = stop.changed() => return,
            () = tokio::time::sleep(CLOCK_NOTE) => {}
        }
    }
}

/// Reads the certificate again on SIGHUP and when its file changed; a broken new one leaves the old one in use.
async fn reload(config: RustlsConfig, certificate: PathBuf, key: PathBuf) {
    let changed = |path: &Path| std::fs::metadata(path).and_then(|m| m.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
    let Ok(mut hangup) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup()) else { return };
    let mut seen = (changed(&certificate), changed(&key));
    loop {
        let forced = tokio::select! {
            _ = hangup.recv() => true,
            () = tokio::time::sleep(TLS_LOOK) => false,
        };
        let now = (changed(&certificate), changed(&key));
        if !forced && now == seen {
            continue;
        }
        seen = now;
        match crate::tls::from_files(&certificate, &key) {
            Ok(fresh) => {
                config.reload_from_config(fresh);
                tracing::info!("the certificate was read again");
            }
            Err(error) => tracing::error!(%error, "the new certificate cannot be used, the old one stays"),
        }
    }
}

async fn told_to_stop() -> std::io::Result<()> {
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        interrupted = tokio::signal::ctrl_c() => interrupted,
    }
}
