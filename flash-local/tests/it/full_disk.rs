//! A disk that is really full, under a platform that is a process of its own.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use crate::crash::{DATA, PLATFORM, Platform};
use crate::support::{get, ok, poll, post};

/// A disk that has little room, and a way to make more.
enum Small {
    /// A file system of its own, in a mount namespace that goes with the process. A file in it is what can be removed.
    Mount(&'static [&'static str]),
    /// Files that can not grow beyond a size, where mounting is not allowed.
    Limit,
}

const SCRIPT_OF_MOUNT: &str =
    "mount -t tmpfs -o size=6m tmpfs \"$0\" && head -c 3000000 /dev/zero > \"$0/ballast\" && exec \"$@\"";
/// In units of 512 bytes. The signal that comes with a write beyond the limit is ignored, so that the write fails instead.
const SCRIPT_OF_LIMIT: &str = "trap '' XFSZ; ulimit -S -f 4000; exec \"$@\"";

impl Small {
    fn find() -> Self {
        const WAYS: [&[&str]; 2] =
            [&["unshare", "--mount"], &["unshare", "--mount", "--user", "--map-root-user"]];
        let probe = tempfile::tempdir().unwrap();
        let works = |way: &&&[&str]| {
            let mut command = Command::new(way[0]);
            command.args(&way[1..]).args(["sh", "-c", SCRIPT_OF_MOUNT]).arg(probe.path()).arg("true");
            command.output().is_ok_and(|output| output.status.success())
        };
        WAYS.iter().find(works).map_or(Self::Limit, |way| Self::Mount(way))
    }

    fn start(&self, dir: &Path) -> Platform {
        let mut words: Vec<PathBuf> = Vec::new();
        match self {
            Self::Mount(way) => {
                words.extend(way.iter().copied().chain(["sh", "-c", SCRIPT_OF_MOUNT]).map(PathBuf::from));
            }
            Self::Limit => words.extend(["sh", "-c", SCRIPT_OF_LIMIT].map(PathBuf::from)),
        }
        words.push(dir.to_owned());
        words.push(std::env::current_exe().unwrap());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).args(PLATFORM).env(DATA, dir);
        Platform::of(command)
    }

    fn make_room(&self, platform: &Platform, dir: &Path) {
        let pid = platform.pid();
        match self {
            Self::Mount(_) => {
                let ballast = dir.strip_prefix("/").unwrap().join("ballast");
                std::fs::remove_file(Path::new(&format!("/proc/{pid}/root")).join(ballast)).unwrap();
            }
            Self::Limit => {
                let raised =
                    Command::new("prlimit").args(["--pid", &pid.to_string(), "--fsize=unlimited"]).status();
                assert!(raised.unwrap().success());
            }
        }
    }
}

#[tokio::test]
async fn a_full_disk_refuses_jobs_and_takes_them_again_when_there_is_room() {
    fills(&Small::find()).await;
}

/// Also where the other way is there, because that one fails in another place.
#[tokio::test]
async fn files_that_can_not_grow_are_a_full_disk_too() {
    fills(&Small::Limit).await;
}

async fn fills(small: &Small) {
    let dir = tempfile::tempdir().unwrap();
    let platform = small.start(dir.path());
    let url = platform.url.clone();
    let run = format!("{url}/run");
    let body = |n: usize| json!({ "input": { "n": n, "text": "x".repeat(100_000) } }).to_string();
    let mut accepted = Vec::new();
    let refused = loop {
        let answer = post(&run, body(accepted.len())).await;
        if answer.status != 200 {
            break answer;
        }
        accepted.push(answer.body["id"].clone());
        assert!(accepted.len() < 200, "the disk is not small");
    };
    assert!(accepted.len() > 3, "{}", accepted.len());
    assert_eq!(refused.status, 507, "{}", refused.body);
    let text = refused.body["error"].as_str().unwrap();
    assert!(text.contains("nothing was changed") && text.contains("help: make room"), "{text}");

    // It lives, knows what it has, and has nothing of what it refused.
    for _ in 0..3 {
        assert_eq!(post(&run, body(999)).await.status, 507);
    }
    assert_eq!(queued(&url).await, accepted.len());
    for id in &accepted {
        let job = ok(get(&format!("{url}/status/{}", id.as_str().unwrap())).await);
        assert_eq!(job["status"], "IN_QUEUE", "{job}");
    }

    small.make_room(&platform, dir.path());
    let late = poll("room", async || {
        let answer = post(&run, body(1_000)).await;
        (answer.status == 200).then(|| answer.body["id"].clone())
    })
    .await;
    accepted.push(late);
    assert_eq!(queued(&url).await, accepted.len());
    // Each job can be done, in the order in which they came.
    for id in &accepted {
        let job = ok(get(&format!("{url}/job-take/w?x=1")).await);
        assert_eq!(job["id"], *id);
        let done = format!("{url}/job-done/w/{}?isStream=false", id.as_str().unwrap());
        ok(post(&done, json!({ "output": job["input"]["n"] }).to_string()).await);
    }
    assert_eq!(queued(&url).await, 0);
    platform.kill();
}

async fn queued(url: &str) -> usize {
    let health: Value = ok(get(&format!("{url}/health")).await);
    usize::try_from(health["jobs"]["inQueue"].as_u64().unwrap()).unwrap()
}
