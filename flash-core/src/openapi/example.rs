/// A JSON value that a parameter of this type may have, for a line to try.
#[must_use]
pub fn example(type_text: &str) -> &'static str {
    let text = type_text.replace(' ', "");
    let inner = text.strip_prefix("Option<").and_then(|inner| inner.strip_suffix('>')).unwrap_or(&text);
    match inner.rsplit("::").next().unwrap_or_default() {
        _ if inner.starts_with("Vec<") => "[]",
        "String" => "\"text\"",
        "Bytes" => "\"AAEC\"",
        "bool" => "true",
        "f32" | "f64" => "0.5",
        "u8" | "u16" | "u32" | "u64" | "usize" | "i8" | "i16" | "i32" | "i64" | "isize" => "1",
        _ => "{}",
    }
}
