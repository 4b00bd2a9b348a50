use proc_macro2::Ident;
use syn::LitStr;
use syn::ext::IdentExt;

use crate::attr::RemoteArgs;
use crate::errors::Errors;
use crate::model::{Door, Param, ParamKind};
use crate::suggest::{closest, did_you_mean, list};

const METHODS: &[&str] = &["GET", "POST", "PUT", "PATCH", "DELETE"];

/// Paths that the worker answers itself.
const RESERVED: &[&str] = &["/ping", "/execute"];

pub(super) fn door(args: &RemoteArgs, function: &Ident, params: &[Param], errors: &mut Errors) -> Door {
    let method = args.method.as_ref().and_then(|method| check_method(&method.value, errors));
    if let Some(path) = &args.path {
        check_path(&path.value, params, errors);
    }
    let status = args.status.as_ref().and_then(|status| match status.value.base10_parse::<u16>() {
        Ok(code) if (200..300).contains(&code) => Some(code),
        _ => {
            errors.help(
                &status.value,
                "`status` is the status of a success, from 200 to 299",
                "errors have their own: `#[remote(status = 404)]` on a variant of a `RemoteError`",
            );
            None
        }
    });
    match (&args.method, &args.path) {
        (Some(_), Some(path)) => {
            // A bad method has been reported, and then only a stub is expanded.
            if let Some(method) = &method
                && method == "GET"
            {
                for param in params {
                    if let ParamKind::Wire { body: Some(body), .. } = &param.kind {
                        let help = "use another method, or take the fields as parameters";
                        errors.help(body, "a GET request has no body", help);
                    }
                }
            }
            let method = method.unwrap_or_else(|| Ident::new("POST", path.value.span()));
            return Door::Http { method, path: path.value.clone(), status };
        }
        (Some(method), None) => errors.help(
            &method.key,
            "`method` without `path`: an HTTP route has both",
            format_args!("add `path = \"/{}\"`, or remove `method` for a queue endpoint", function.unraw()),
        ),
        (None, Some(path)) => errors.help(
            &path.key,
            "`path` without `method`: an HTTP route has both",
            "add `method = \"POST\"`, or remove `path` for a queue endpoint",
        ),
        (None, None) => {
            if let Some(status) = &args.status {
                errors.help(
                    &status.key,
                    "`status` is for HTTP routes: a job in a queue has none",
                    "remove `status`, or add `method` and `path`",
                );
            }
        }
    }
    Door::Queue
}

fn check_method(method: &LitStr, errors: &mut Errors) -> Option<Ident> {
    let text = method.value();
    if METHODS.contains(&&*text) {
        return Some(Ident::new(&text, method.span()));
    }
    errors.help(
        method,
        format_args!("unknown method `{text}`{}", did_you_mean(&text, METHODS)),
        format_args!("supported are {}", list(METHODS)),
    );
    None
}

fn check_path(path: &LitStr, params: &[Param], errors: &mut Errors) {
    let text = path.value();
    let Some(rest) = text.strip_prefix('/') else {
        errors.help(path, "path must start with `/`", format_args!("write \"/{text}\""));
        return;
    };
    if RESERVED.contains(&text.trim_end_matches('/')) {
        errors.help(path, format_args!("`{text}` is reserved by the worker"), "choose another path");
        return;
    }
    if let Some(bad) = text.chars().find(|char| matches!(char, '?' | '#' | '\\') || !char.is_ascii_graphic())
    {
        errors.help(
            path,
            format_args!("path must not contain {bad:?}"),
            "a path has letters, digits and punctuation; parameters that it does not name come from the query or the body",
        );
        return;
    }
    let mut seen: Vec<&str> = Vec::new();
    for segment in rest.split('/') {
        let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            if segment.contains(['{', '}']) {
                errors.help(
                    path,
                    format_args!("`{segment}` is not a path parameter: braces enclose a whole segment"),
                    "write a segment such as `{id}`",
                );
            }
            continue;
        };
        if seen.contains(&name) {
            errors.at(path, format_args!("path parameter `{{{name}}}` occurs twice"));
            continue;
        }
        seen.push(name);
        check_path_parameter(path, name, params, errors);
    }
}

fn check_path_parameter(path: &LitStr, name: &str, params: &[Param], errors: &mut Errors) {
    if let Some(param) = params.iter().find(|param| param.wire_name() == Some(name)) {
        if param.is_body() {
            errors.help(
                path,
                format_args!("path parameter `{{{name}}}` names the parameter that is the whole body"),
                "name another parameter, or remove `body`",
            );
        }
        return;
    }
    // A parameter that breaks another rule has no name on the wire; one mistake, one message.
    let is_there = |param: &&Param| param.ident.unraw() == name;
    match params.iter().find(is_there).map(|param| &param.kind) {
        Some(ParamKind::Broken | ParamKind::Init) => {}
        Some(ParamKind::Injected) => errors.help(
            path,
            format_args!("path parameter `{{{name}}}` names an injected parameter, which does not travel"),
            "name a parameter that the caller gives",
        ),
        Some(ParamKind::Wire { name: renamed, .. }) => errors.help(
            path,
            format_args!("path parameter `{{{name}}}` has no matching function parameter: `{name}` is sent as `{renamed}`"),
            format_args!("write `{{{renamed}}}`"),
        ),
        None => {
            let known: Vec<&str> = params.iter().filter_map(Param::wire_name).collect();
            let help = match closest(name, &known) {
                Some(known) => format!("did you mean `{{{known}}}`?"),
                None => format!("add a parameter such as `{name}: String`"),
            };
            errors.help(
                path,
                format_args!("path parameter `{{{name}}}` has no matching function parameter"),
                help,
            );
        }
    }
}
