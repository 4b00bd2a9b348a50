use std::collections::BTreeSet;

/// The packages that are not installed according to `status`, the text of Debian's `/var/lib/dpkg/status`.
#[must_use]
pub fn missing_packages<'a>(wanted: &[&'a str], status: &str) -> Vec<&'a str> {
    let mut installed = BTreeSet::new();
    for paragraph in status.split("\n\n") {
        let field = |name: &str| paragraph.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        if field("Status:").is_some_and(|status| status.ends_with(" installed"))
            && let Some(name) = field("Package:")
        {
            installed.insert(name);
        }
    }
    wanted.iter().copied().filter(|name| !installed.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::missing_packages;

    #[test]
    fn a_package_counts_when_it_is_installed_and_not_when_it_was() {
        let status = "Package: ffmpeg\nStatus: install ok installed\nVersion: 1\n\nPackage: curl\nStatus: deinstall ok config-files\n\n\
                      Package: libgl1\nStatus: install ok installed\n";
        assert_eq!(missing_packages(&["libgl1", "ffmpeg", "curl", "nothing"], status), ["curl", "nothing"]);
    }
}
