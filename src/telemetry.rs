//! Logs and metrics. Logs carry identifiers, never names, numbers, tokens or texts.

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::EnvFilter;

/// Begins to log to standard error. `RUST_LOG` wins over the filter given.
pub fn log(filter: &str, json: bool) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(filter));
    let logger = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = if json { logger.json().try_init() } else { logger.try_init() };
    // A second call, as in tests, keeps the first logger.
    drop(begun);
}

/// Begins to count; the handle renders what was counted.
///
/// # Errors
/// When something else counts already.
pub fn count() -> anyhow::Result<PrometheusHandle> {
    Ok(PrometheusBuilder::new().install_recorder()?)
}
