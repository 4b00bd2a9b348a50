use syn::{Attribute, Expr, Lit, Meta};

/// The first paragraph of a doc comment, as one line.
pub(crate) fn first_paragraph(attrs: &[Attribute]) -> String {
    let mut words: Vec<String> = Vec::new();
    for line in
        attrs.iter().filter_map(line).flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>())
    {
        let line = line.trim();
        if line.is_empty() && !words.is_empty() {
            break;
        }
        words.extend(line.split_whitespace().map(str::to_owned));
    }
    words.join(" ")
}

/// The text of one `#[doc = "…"]`. `#[doc = include_str!(…)]` has none that a macro could see.
fn line(attr: &Attribute) -> Option<String> {
    let Meta::NameValue(meta) = &attr.meta else { return None };
    let Expr::Lit(value) = &meta.value else { return None };
    let Lit::Str(text) = &value.lit else { return None };
    // An empty line separates paragraphs, so it must stay a line.
    meta.path.is_ident("doc").then(|| format!("{}\n", text.value()))
}
