use flash_local::LocalPlatform;

use super::interrupt::Interrupt;
use crate::connect::{LocalRecord, state_dir};
use crate::failure::{During, Failure};

/// `flash platform serve`: is the platform until it is told to stop.
pub(super) async fn run(port: u16) -> Result<u8, Failure> {
    let dir = state_dir()?;
    std::fs::create_dir_all(&dir).during(format!("`{}` cannot be made", dir.display()))?;
    let lock = std::fs::File::create(dir.join("platform.lock")).during("the lock file cannot be made")?;
    lock.try_lock().map_err(|_| {
        Failure::new(format!("another platform uses `{}`", dir.display())).help("run `flash platform status`")
    })?;
    // It stays the same from one start to the next: endpoints that were deployed before hold it.
    let key = api_key(&dir)?;
    let platform = LocalPlatform::builder()
        .control_plane(true)
        .api_key(key.clone())
        .data_dir(dir.join("data"))
        .address((std::net::Ipv4Addr::LOCALHOST, port).into())
        .start()
        .await
        .during("the platform cannot start")?;
    let record = LocalRecord { pid: std::process::id(), base_url: platform.base_url(), api_key: key };
    // From now on: who reads the record may end this process at once.
    let mut interrupt = Interrupt::listen();
    record.write()?;
    interrupt.came().await;
    platform.shutdown().await;
    // Last: whoever stops the platform waits for this, and then nothing is left of it.
    LocalRecord::remove();
    Ok(0)
}

/// The key of this platform, made on its first start and readable by its owner alone.
fn api_key(dir: &std::path::Path) -> Result<String, Failure> {
    use std::io::Write as _;
    let path = dir.join("platform.key");
    let what = || format!("`{}` cannot be used", path.display());
    if let Ok(key) = std::fs::read_to_string(&path)
        && !key.trim().is_empty()
    {
        return Ok(key.trim().to_owned());
    }
    let key = format!("local-{}", uuid::Uuid::new_v4().simple());
    let mut file = tempfile::NamedTempFile::new_in(dir).during(what())?;
    writeln!(file, "{key}").during(what())?;
    file.persist(&path).during(what())?;
    Ok(key)
}
