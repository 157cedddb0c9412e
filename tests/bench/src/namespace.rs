//! A network of our own: the program starts itself anew in a fresh network namespace, so that nothing leaves the machine, nobody else's
//! traffic is counted, and both servers have the same interface (Janus takes no media on loopback). The processes have a namespace,
//! too: whatever ends the program, its servers end with it.

use anyhow::{Context, Result, bail};
use std::net::{IpAddr, Ipv4Addr};
use std::process::Command;

/// Where media flows: one end of a pair whose other end nobody uses. The kernel delivers a machine's own addresses by the loopback path.
pub const INTERFACE: &str = "media0";
const ADDRESS: Ipv4Addr = Ipv4Addr::new(10, 99, 0, 1);
/// Set for the program inside.
const MARK: &str = "HUB_BENCH_INSIDE";

pub fn address() -> IpAddr {
    IpAddr::V4(ADDRESS)
}

/// Returns inside the namespaces. Outside it waits for the program inside, and ends as that ends; what ends it, ends all of them.
pub fn enter() -> Result<()> {
    if std::env::var_os(MARK).is_none() {
        let mut command = Command::new("setpriv");
        // The kernel ends `unshare` with us, `unshare` the first process inside, and the kernel with that one all others.
        command.args(["--pdeathsig", "KILL", "--"]);
        command.args(["unshare", "--map-root-user", "--net", "--pid", "--mount-proc", "--fork", "--kill-child", "--"]);
        command.arg(std::env::current_exe()?).args(std::env::args_os().skip(1)).env(MARK, "1");
        let status = command.status().context("setpriv and unshare (util-linux) make the namespaces")?;
        std::process::exit(status.code().unwrap_or(1));
    }
    for arguments in [
        "link set lo up".to_owned(),
        format!("link add {INTERFACE} type veth peer name media1"),
        format!("address add {ADDRESS}/24 dev {INTERFACE}"),
        format!("link set {INTERFACE} up"),
        "link set media1 up".to_owned(),
    ] {
        let status = Command::new("ip").args(arguments.split(' ')).status().context("ip (iproute2)")?;
        if !status.success() {
            bail!("ip {arguments}: {status}");
        }
    }
    Ok(())
}
