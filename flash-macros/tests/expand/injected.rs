#[remote(resource = GPU)]
pub async fn run(
    context: Context,
    seed: u64,
    models: flash::State<Models<'static>>,
    #[remote(inject)] clock: Ticks,
    state: State,
) -> Result<(), flash::Error> {
    models.run(context, seed, clock, state).await
}
