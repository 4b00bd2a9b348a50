use flash_core::boot::JobUrls;

/// The queue's addresses with this worker's id filled in (platform contract B.2).
///
/// In the take template `$ID` is the worker, in the others it is the job. `$RUNPOD_POD_ID` is the worker everywhere.
/// What the template has as its query stays byte for byte.
#[derive(Debug, Clone)]
pub(crate) struct Urls {
    take: String,
    done: Option<String>,
    ping: Option<String>,
}

impl Urls {
    /// `None` without a take template: then this is no queue worker.
    pub(crate) fn new(templates: &JobUrls, worker_id: &str) -> Option<Self> {
        let with_worker = |template: &String| template.replace("$RUNPOD_POD_ID", worker_id);
        Some(Self {
            take: with_worker(templates.take.as_ref()?).replace("$ID", worker_id),
            done: templates.done.as_ref().map(with_worker),
            ping: templates.ping.as_ref().map(with_worker),
        })
    }

    /// Where `most` jobs at once are taken. A template without `/job-take/` knows no batches.
    pub(crate) fn take(&self, most: usize, busy: bool) -> String {
        let busy = u8::from(busy);
        if most > 1 && self.takes_batches() {
            let batch = self.take.replacen("/job-take/", "/job-take-batch/", 1);
            return with_query(&batch, &format!("batch_size={most}&job_in_progress={busy}"));
        }
        with_query(&self.take, &format!("job_in_progress={busy}"))
    }

    fn takes_batches(&self) -> bool {
        self.take.contains("/job-take/")
    }

    pub(crate) fn done(&self, job: &str) -> Option<String> {
        Some(with_query(&self.done.as_ref()?.replace("$ID", job), "isStream=false"))
    }

    /// Where the worker hears which jobs to stop; only a template with `/job-take/` tells.
    pub(crate) fn stop(&self) -> Option<String> {
        self.takes_batches().then(|| self.take.replacen("/job-take/", "/job-stop/", 1))
    }

    /// Where the worker says that it is broken, and why (platform contract B.12).
    pub(crate) fn unhealthy(&self, check: &str, reason: &str) -> Option<String> {
        let reason: String = reason.chars().take(256).collect();
        let query: String = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("status", "unhealthy"), ("check", check), ("reason", &reason)])
            .append_pair("runpod_version", concat!("flash-", env!("CARGO_PKG_VERSION")))
            .finish();
        Some(with_query(self.ping.as_ref()?, &query))
    }

    pub(crate) fn ping(&self, jobs: &[String]) -> Option<String> {
        let version = concat!("runpod_version=flash-", env!("CARGO_PKG_VERSION"));
        let query = if jobs.is_empty() {
            version.to_owned()
        } else {
            // Commas are encoded, as the Python worker's client does.
            format!("job_id={}&{version}", jobs.join("%2C"))
        };
        Some(with_query(self.ping.as_ref()?, &query))
    }
}

/// Python always adds `&`, which lands in the path where the template has no query.
fn with_query(url: &str, query: &str) -> String {
    format!("{url}{}{query}", if url.contains('?') { '&' } else { '?' })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(take: &str, done: &str) -> Urls {
        let templates = JobUrls { take: Some(take.into()), done: Some(done.into()), ..JobUrls::default() };
        Urls::new(&templates, "pod-1").unwrap()
    }

    #[test]
    fn placeholders_are_filled_in() {
        let urls = urls(
            "http://q/v2/e/job-take/$ID?gpu=RTX+4090",
            "http://q/v2/e/job-done/$RUNPOD_POD_ID/$ID?gpu=x",
        );
        assert_eq!(urls.take(1, false), "http://q/v2/e/job-take/pod-1?gpu=RTX+4090&job_in_progress=0");
        assert_eq!(urls.done("j1").unwrap(), "http://q/v2/e/job-done/pod-1/j1?gpu=x&isStream=false");
    }

    #[test]
    fn several_jobs_are_asked_for_at_once_where_the_queue_can() {
        let done = "http://q/job-done/$ID";
        let batch = urls("http://q/v2/e/job-take/$ID?gpu=x", done).take(3, true);
        assert_eq!(batch, "http://q/v2/e/job-take-batch/pod-1?gpu=x&batch_size=3&job_in_progress=1");
        assert_eq!(urls("http://q/other/$ID", done).take(3, false), "http://q/other/pod-1?job_in_progress=0");
    }

    #[test]
    fn a_template_without_a_query_gets_one() {
        let urls = urls("http://q/job-take/$RUNPOD_POD_ID", "http://q/job-done/$RUNPOD_POD_ID/$ID");
        assert_eq!(urls.take(1, true), "http://q/job-take/pod-1?job_in_progress=1");
        assert_eq!(urls.done("j1").unwrap(), "http://q/job-done/pod-1/j1?isStream=false");
    }

    #[test]
    fn missing_addresses_are_no_error() {
        let urls = urls("http://q/job-take/$ID", "http://q/job-done/$ID");
        assert_eq!(urls.ping(&["a".into()]), None);
    }
}
