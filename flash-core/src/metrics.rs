//! What is counted for whoever watches, and the text in which a Prometheus reads it: the exposition format 0.0.4
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>). Times are seconds in it.

use std::fmt::{Display, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The content type of [`Samples::text`].
pub const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Upper ends of the classes of each histogram. One more class has no end.
pub const ENDS: [Duration; 14] = {
    let millis = Duration::from_millis;
    [
        millis(5),
        millis(10),
        millis(25),
        millis(50),
        millis(100),
        millis(250),
        millis(500),
        millis(1_000),
        millis(2_500),
        millis(5_000),
        millis(10_000),
        millis(60_000),
        millis(300_000),
        millis(1_800_000),
    ]
};

/// Durations, counted by class.
#[derive(Debug, Default)]
pub struct Histogram {
    classes: [AtomicU64; ENDS.len() + 1],
    micros: AtomicU64,
}

/// A histogram as it stood at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durations {
    /// How many were at most as long as each of [`ENDS`] and longer than the one before it, and how many were longer than all.
    pub classes: [u64; ENDS.len() + 1],
    /// How long all of them were together.
    pub sum: Duration,
}

impl Histogram {
    /// Counts one.
    pub fn add(&self, took: Duration) {
        let class = ENDS.partition_point(|end| *end < took);
        self.classes[class].fetch_add(1, Ordering::Relaxed);
        self.micros.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// What has been counted.
    pub fn read(&self) -> Durations {
        Durations {
            classes: std::array::from_fn(|class| self.classes[class].load(Ordering::Relaxed)),
            sum: Duration::from_micros(self.micros.load(Ordering::Relaxed)),
        }
    }
}

impl Durations {
    /// How many there were.
    pub fn count(&self) -> u64 {
        self.classes.iter().sum()
    }
}

/// What samples that differ only in their labels have in common.
#[derive(Clone, Copy, Debug)]
pub struct Family {
    /// Its name, which no other family has.
    pub name: &'static str,
    /// A sentence for people.
    pub help: &'static str,
    kind: &'static str,
}

impl Family {
    /// One of numbers that rise and fall.
    pub const fn gauge(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: "gauge" }
    }

    /// One of numbers that only rise, until the process ends.
    pub const fn counter(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: "counter" }
    }

    /// One of durations by class.
    pub const fn histogram(name: &'static str, help: &'static str) -> Self {
        Self { name, help, kind: "histogram" }
    }
}

/// Samples by family, which in the text stand together.
#[derive(Debug, Default)]
pub struct Samples(Vec<(&'static str, String)>);

impl Samples {
    /// Adds a sample of a gauge or a counter.
    pub fn add(&mut self, family: &Family, labels: &[(&str, &str)], value: impl Display) {
        write(self.text_of(family), family.name, "", labels, value);
    }

    /// Adds the samples of a histogram.
    pub fn durations(&mut self, family: &Family, labels: &[(&str, &str)], durations: &Durations) {
        let (name, text) = (family.name, self.text_of(family));
        let mut count = 0;
        for (at, class) in durations.classes.iter().enumerate() {
            count += class;
            let end = ENDS.get(at).map_or_else(|| "+Inf".to_owned(), |end| end.as_secs_f64().to_string());
            write(text, name, "_bucket", &[labels, &[("le", &end)]].concat(), count);
        }
        write(text, name, "_sum", labels, durations.sum.as_secs_f64());
        write(text, name, "_count", labels, count);
    }

    /// All of them.
    pub fn text(self) -> String {
        self.0.into_iter().map(|(_, text)| text).collect()
    }

    fn text_of(&mut self, family: &Family) -> &mut String {
        let Family { name, help, kind } = *family;
        let known = self.0.iter().position(|(known, _)| *known == name);
        let at = known.unwrap_or_else(|| {
            self.0.push((name, format!("# HELP {name} {help}\n# TYPE {name} {kind}\n")));
            self.0.len() - 1
        });
        &mut self.0[at].1
    }
}

/// Writing to a string can not fail.
fn write(text: &mut String, name: &str, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
    let _ = write!(text, "{name}{suffix}{{");
    for (at, (label, value)) in labels.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let _ = write!(text, "{comma}{label}=\"{value}\"");
    }
    let _ = writeln!(text, "}} {value}");
}

#[cfg(test)]
mod tests {
    use super::*;

    const JOBS: Family = Family::gauge("jobs", "Jobs.");
    const TOOK: Family = Family::histogram("took_seconds", "How long.");

    #[test]
    fn a_class_holds_what_is_at_most_as_long_as_its_end() {
        let histogram = Histogram::default();
        for millis in [0, 5, 6, 100, 10_000_000] {
            histogram.add(Duration::from_millis(millis));
        }
        let read = histogram.read();
        assert_eq!(read.classes, [2, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]);
        assert_eq!((read.count(), read.sum.as_millis()), (5, 10_000_111));
    }

    #[test]
    fn families_stand_together_classes_add_up_and_labels_are_escaped() {
        let histogram = Histogram::default();
        histogram.add(Duration::from_millis(30));
        histogram.add(Duration::from_secs(4_000));
        let mut samples = Samples::default();
        samples.add(&JOBS, &[("a", "1"), ("b", "a\"b\\c\nd")], 1);
        samples.durations(&TOOK, &[("a", "1")], &histogram.read());
        samples.add(&JOBS, &[("a", "2")], 2.5);
        let text = samples.text();
        let head = "# HELP jobs Jobs.\n# TYPE jobs gauge\njobs{a=\"1\",b=\"a\\\"b\\\\c\\nd\"} 1\njobs{a=\"2\"} 2.5\n";
        assert!(text.starts_with(head), "{text}");
        for line in [
            "# TYPE took_seconds histogram",
            "took_seconds_bucket{a=\"1\",le=\"0.025\"} 0",
            "took_seconds_bucket{a=\"1\",le=\"0.05\"} 1",
            "took_seconds_bucket{a=\"1\",le=\"1800\"} 1",
            "took_seconds_bucket{a=\"1\",le=\"+Inf\"} 2",
            "took_seconds_sum{a=\"1\"} 4000.03",
            "took_seconds_count{a=\"1\"} 2",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
    }
}
