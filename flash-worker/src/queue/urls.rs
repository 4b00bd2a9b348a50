use std::borrow::Cow;
use std::sync::Arc;

use flash_core::boot::{Boot, JobUrls};
use flash_platform::direct::Origin;

/// The worker's place in a template.
const WORKER: &str = "$RUNPOD_POD_ID";

/// The queue's addresses with this worker's id filled in (platform contract B.2).
///
/// In the take template `$ID` is the worker, in the others it is the job. `$RUNPOD_POD_ID` is the worker everywhere, and
/// `$RUNPOD_GPU_TYPE_ID` its hardware. What the template has as its query stays byte for byte.
#[derive(Debug)]
pub(crate) struct Urls {
    take: Template,
    done: Option<Template>,
    /// As `done`, for a result that another worker owes.
    done_of: Option<Template>,
    stream: Option<Template>,
    ping: Option<Template>,
}

/// Where a request goes: the host that it is sent to, and what it asks that host for.
#[derive(Debug, Clone)]
pub(crate) struct Address {
    pub(crate) origin: Arc<Origin>,
    /// Path and query.
    pub(crate) target: String,
}

/// An address before its job is known.
#[derive(Debug)]
struct Template {
    origin: Arc<Origin>,
    target: String,
}

impl Urls {
    /// The addresses for the worker `worker_id`.
    ///
    /// # Errors
    /// No take template, or one that is no address.
    pub(crate) fn new(boot: &Boot, worker_id: &str) -> Result<Self, String> {
        let templates: &JobUrls = &boot.jobs;
        let mut origins = Vec::new();
        let mut parse_as = |name: &str, template: &Option<String>, worker: &str| {
            let Some(template) = template else { return Ok(None) };
            let mut filled = template.replace(WORKER, worker);
            if let Some(gpu) = &boot.gpu_type {
                filled = filled.replace("$RUNPOD_GPU_TYPE_ID", &gpu.replace(' ', "+"));
            }
            // Templates have keys in some set-ups, so the error names the variable only.
            Template::parse(&filled, &mut origins).map(Some).map_err(|error| format!("{name} {error}"))
        };
        let mut parse = |name: &str, template: &Option<String>| parse_as(name, template, worker_id);
        let take = parse("RUNPOD_WEBHOOK_GET_JOB", &templates.take)?
            .ok_or_else(|| "RUNPOD_WEBHOOK_GET_JOB is not set".to_owned())?;
        Ok(Self {
            take: Template { target: take.target.replace("$ID", worker_id), ..take },
            done: parse("RUNPOD_WEBHOOK_POST_OUTPUT", &templates.done)?,
            stream: parse("RUNPOD_WEBHOOK_POST_STREAM", &templates.stream)?,
            ping: parse("RUNPOD_WEBHOOK_PING", &templates.ping)?,
            done_of: parse_as("RUNPOD_WEBHOOK_POST_OUTPUT", &templates.done, WORKER)?,
        })
    }

    /// Where `most` jobs at once are taken. A template without `/job-take/` knows no batches.
    pub(crate) fn take(&self, most: usize, busy: bool) -> Address {
        let busy = u8::from(busy);
        if most > 1 && self.takes_batches() {
            let batch = self.take.target.replacen("/job-take/", "/job-take-batch/", 1);
            return self
                .take
                .address(with_query(batch, format_args!("batch_size={most}&job_in_progress={busy}")));
        }
        self.take.address(with_query(self.take.target.clone(), format_args!("job_in_progress={busy}")))
    }

    fn takes_batches(&self) -> bool {
        self.take.target.contains("/job-take/")
    }

    /// Where the result of a job goes.
    pub(crate) fn done(&self, job: &str, is_stream: bool) -> Option<Address> {
        Some(self.done.as_ref()?.of_job(job, is_stream))
    }

    /// Where the result of a job goes that `worker` took.
    pub(crate) fn done_of(&self, worker: &str, job: &str, is_stream: bool) -> Option<Address> {
        let mut address = self.done_of.as_ref()?.of_job(job, is_stream);
        address.target = address.target.replace(WORKER, &word(worker));
        Some(address)
    }

    /// Whether pieces of a result can be posted.
    pub(crate) fn can_stream(&self) -> bool {
        self.stream.is_some()
    }

    /// Where the pieces of a job's result go.
    pub(crate) fn stream(&self, job: &str) -> Option<Address> {
        Some(self.stream.as_ref()?.of_job(job, false))
    }

    /// Where the worker hears which jobs to stop; only a template with `/job-take/` tells.
    pub(crate) fn stop(&self) -> Option<Address> {
        let target = || self.take.target.replacen("/job-take/", "/job-stop/", 1);
        self.takes_batches().then(|| self.take.address(target()))
    }

    /// Where the worker says that it is broken, and why (platform contract B.12).
    pub(crate) fn unhealthy(&self, check: &str, reason: &str) -> Option<Address> {
        let reason: String = reason.chars().take(256).collect();
        let query: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("status", "unhealthy"), ("check", check), ("reason", &reason)])
            .append_pair("runpod_version", concat!("flash-", env!("CARGO_PKG_VERSION")))
            .finish();
        let ping = self.ping.as_ref()?;
        Some(ping.address(with_query(ping.target.clone(), format_args!("{query}"))))
    }

    /// Where the worker says that it lives, and which jobs it holds.
    pub(crate) fn ping(&self, jobs: &[impl AsRef<str>]) -> Option<Address> {
        let ping = self.ping.as_ref()?;
        let mut target = ping.target.clone();
        target.push(separator(&target));
        for (index, job) in jobs.iter().enumerate() {
            // Commas are encoded, as the Python worker's client does.
            target.push_str(if index == 0 { "job_id=" } else { "%2C" });
            target.extend(form_urlencoded::byte_serialize(job.as_ref().as_bytes()));
        }
        if !jobs.is_empty() {
            target.push('&');
        }
        target.push_str(concat!("runpod_version=flash-", env!("CARGO_PKG_VERSION")));
        Some(ping.address(target))
    }
}

impl Template {
    fn parse(text: &str, origins: &mut Vec<Arc<Origin>>) -> Result<Self, String> {
        let (origin, target) = Origin::parse(text)?;
        // Connections are shared between the addresses of one host.
        let known = origins.iter().find(|known| known.is_same(&origin)).cloned();
        let origin = known.unwrap_or_else(|| {
            let origin = Arc::new(origin);
            origins.push(Arc::clone(&origin));
            origin
        });
        Ok(Self { origin, target })
    }

    fn address(&self, target: String) -> Address {
        Address { origin: Arc::clone(&self.origin), target }
    }

    fn of_job(&self, job: &str, is_stream: bool) -> Address {
        let id = word(job);
        let mut target = String::with_capacity(self.target.len() + id.len() + 20);
        let mut rest = self.target.as_str();
        while let Some((before, after)) = rest.split_once("$ID") {
            target.push_str(before);
            target.push_str(&id);
            rest = after;
        }
        target.push_str(rest);
        target.push(separator(&target));
        target.push_str(if is_stream { "isStream=true" } else { "isStream=false" });
        self.address(target)
    }
}

/// An id as a part of a path. It is a plain word; one that is not must not change the path.
fn word(id: &str) -> Cow<'_, str> {
    let is_plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.' | b'~');
    if id.bytes().all(is_plain) {
        return id.into();
    }
    form_urlencoded::byte_serialize(id.as_bytes()).collect::<String>().replace('+', "%20").into()
}

/// Python always adds `&`, which lands in the path where the template has no query.
fn separator(target: &str) -> char {
    if target.contains('?') { '&' } else { '?' }
}

fn with_query(mut target: String, query: std::fmt::Arguments<'_>) -> String {
    use std::fmt::Write;
    target.push(separator(&target));
    // Writing to a `String` cannot fail.
    let _ = target.write_fmt(query);
    target
}

impl std::fmt::Display for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.origin, self.target)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(take: &str, done: &str) -> Urls {
        let mut boot = Boot::default();
        boot.gpu_type = Some("RTX A5000".into());
        boot.jobs = JobUrls { take: Some(take.into()), done: Some(done.into()), ..JobUrls::default() };
        Urls::new(&boot, "pod-1").unwrap()
    }

    fn text(address: Option<Address>) -> String {
        address.unwrap().to_string()
    }

    #[test]
    fn placeholders_are_filled_in() {
        let urls = urls(
            "http://q/v2/e/job-take/$ID?gpu=RTX+4090",
            "http://q/v2/e/job-done/$RUNPOD_POD_ID/$ID?gpu=$RUNPOD_GPU_TYPE_ID",
        );
        assert_eq!(
            urls.take(1, false).to_string(),
            "http://q/v2/e/job-take/pod-1?gpu=RTX+4090&job_in_progress=0"
        );
        assert_eq!(
            text(urls.done("j1", false)),
            "http://q/v2/e/job-done/pod-1/j1?gpu=RTX+A5000&isStream=false"
        );
        assert_eq!(
            text(urls.done_of("pod 0", "j1", false)),
            "http://q/v2/e/job-done/pod%200/j1?gpu=RTX+A5000&isStream=false"
        );
        assert_eq!(
            text(urls.done("j1", true)),
            "http://q/v2/e/job-done/pod-1/j1?gpu=RTX+A5000&isStream=true"
        );
    }

    #[test]
    fn several_jobs_are_asked_for_at_once_where_the_queue_can() {
        let done = "http://q/job-done/$ID";
        let batch = urls("http://q/v2/e/job-take/$ID?gpu=x", done).take(3, true);
        assert_eq!(
            batch.to_string(),
            "http://q/v2/e/job-take-batch/pod-1?gpu=x&batch_size=3&job_in_progress=1"
        );
        let other = urls("http://q/other/$ID", done);
        assert_eq!(other.take(3, false).to_string(), "http://q/other/pod-1?job_in_progress=0");
        assert!(other.stop().is_none());
    }

    #[test]
    fn a_template_without_a_query_gets_one() {
        let urls = urls("http://q:81/job-take/$RUNPOD_POD_ID", "https://q/job-done/$RUNPOD_POD_ID/$ID");
        assert_eq!(urls.take(1, true).to_string(), "http://q:81/job-take/pod-1?job_in_progress=1");
        assert_eq!(text(urls.done("j1", false)), "https://q/job-done/pod-1/j1?isStream=false");
    }

    #[test]
    fn an_id_cannot_leave_its_place() {
        let urls = urls("http://q/job-take/$ID", "http://q/job-done/$ID?gpu=x");
        assert_eq!(
            text(urls.done("a/../b?c d", false)),
            "http://q/job-done/a%2F..%2Fb%3Fc%20d?gpu=x&isStream=false"
        );
    }

    #[test]
    fn missing_addresses_are_no_error_and_wrong_ones_are_named_without_their_text() {
        let urls = urls("http://q/job-take/$ID", "http://q/job-done/$ID");
        assert!(urls.ping(&["a"]).is_none() && urls.stream("a").is_none());
        let mut boot = Boot::default();
        assert!(Urls::new(&boot, "w").unwrap_err().contains("is not set"));
        for wrong in ["q/key-123", "ftp://q/key-123", "http:///key-123", "http://q:99999/key-123"] {
            boot.jobs.take = Some(wrong.to_owned());
            let error = Urls::new(&boot, "w").unwrap_err();
            assert!(
                error.starts_with("RUNPOD_WEBHOOK_GET_JOB is no ") && !error.contains("key-123"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_heartbeat_names_its_jobs() {
        let mut boot = Boot::default();
        boot.jobs.take = Some("http://q/job-take/$ID".to_owned());
        boot.jobs.ping = Some("http://q/ping/$RUNPOD_POD_ID".to_owned());
        let urls = Urls::new(&boot, "pod-1").unwrap();
        let version = concat!("runpod_version=flash-", env!("CARGO_PKG_VERSION"));
        let none: [&str; 0] = [];
        assert_eq!(text(urls.ping(&none)), format!("http://q/ping/pod-1?{version}"));
        assert_eq!(text(urls.ping(&["a", "b c"])), format!("http://q/ping/pod-1?job_id=a%2Cb+c&{version}"));
    }
}
