#[remote(resource = API, method = "POST", path = "/pipeline", calls(helper::hidden, crate::gpu::embed))]
pub async fn pipeline(text: String) -> Result<Answer, ApiError> {
    let (clean, tags) = tokio::join!(preprocess::remote(text.clone()), crate::tags::find::remote(text));
    let labels = if clean.is_empty() { Vec::new() } else { <classify>::remote(clean, 3).await? };
    let twice = preprocess::remote(String::new()).timeout(LIMIT).await?;
    let not_a_call = (remote(), self::config::remote, list.remote(), http::remote::get());
    Ok(Answer { labels, tags: tags? })
}
