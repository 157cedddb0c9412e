//! The program. What it can be asked to do stands in `cli`.

use clap::Parser as _;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    champions_hub::cli::Cli::parse().run().await
}
