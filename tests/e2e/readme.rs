//! The commands that the documentation shows.

use std::path::Path;

use serde_json::Value;

use crate::processes::{Local, example, root};

/// A `curl` line, taken apart.
struct Curl {
    method: reqwest::Method,
    url: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

impl Curl {
    fn parse(line: &str) -> Self {
        let mut words = words(line).into_iter().skip(1);
        let mut curl =
            Self { method: reqwest::Method::GET, url: String::new(), headers: Vec::new(), body: None };
        while let Some(word) = words.next() {
            match word.as_str() {
                "-X" => curl.method = words.next().unwrap().parse().unwrap(),
                "-H" => {
                    let header = words.next().unwrap();
                    let (name, value) = header.split_once(": ").unwrap();
                    curl.headers.push((name.to_owned(), value.to_owned()));
                }
                "-d" => curl.body = words.next(),
                "-s" | "-i" => {}
                other => {
                    assert!(!other.starts_with('-'), "{other} in {line}");
                    curl.url = other.to_owned();
                }
            }
        }
        curl
    }

    async fn send(self, base: &str) -> (u16, String) {
        let url = self.url.replace("http://127.0.0.1:8888", base).replace("http://localhost:8888", base);
        let mut request = flash_platform::HttpClient::new().request(self.method, &url).unwrap();
        for (name, value) in self.headers {
            request = request.header(name, value);
        }
        let response = request.body(self.body.unwrap_or_default()).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

/// Words as a shell splits them; single and double quotes.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote = None;
    for c in line.chars() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => word.push(c),
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            None => word.push(c),
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// The `curl` commands of a page, with lines that end in a backslash joined.
fn commands(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap().replace("\\\n", " ");
    let lines = text.lines().map(|line| line.trim().trim_start_matches("$ "));
    lines.filter(|line| line.starts_with("curl ")).map(ToOwned::to_owned).collect()
}

async fn run(page: &str, package: &str) {
    let commands = commands(&root().join(page));
    assert!(!commands.is_empty(), "{page} shows no curl line");
    let local = Local::start(&example(package));
    for command in commands {
        let (status, text) = Curl::parse(&command).send(&local.url).await;
        assert!((200..300).contains(&status), "{command}: {status} {text}");
        if status == 204 {
            assert_eq!(text, "", "{command}");
            continue;
        }
        let answer: Value =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{command}: {error}: {text}"));
        assert!(answer.get("status").is_none_or(|status| status != "FAILED"), "{command}: {answer}");
    }
}

#[tokio::test]
async fn the_readme_does_what_it_says() {
    run("README.md", "mixed_workers").await;
}

#[tokio::test]
async fn hello_world_does_what_its_page_says() {
    run("examples/01_hello_world/README.md", "hello_world").await;
}

#[tokio::test]
async fn cpu_worker_does_what_its_page_says() {
    run("examples/02_cpu_worker/README.md", "cpu_worker").await;
}

#[tokio::test]
async fn load_balancer_does_what_its_page_says() {
    run("examples/05_load_balancer/README.md", "load_balancer").await;
}

#[tokio::test]
async fn mixed_workers_do_what_their_page_says() {
    run("examples/03_mixed_workers/README.md", "mixed_workers").await;
}

#[tokio::test]
async fn standalone_worker_does_what_its_page_says() {
    run("examples/00_standalone_worker/README.md", "standalone_worker").await;
}

#[tokio::test]
async fn multi_resource_does_what_its_page_says() {
    run("examples/00_multi_resource/README.md", "multi_resource").await;
}
