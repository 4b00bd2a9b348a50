static API: Endpoint = Endpoint::http("api");

#[remote(resource = API, handle = CounterApi)]
impl Counter {
    #[remote(init)]
    fn new(#[remote(default)] start: u64) -> Result<Self, Error> {
        Ok(Self(AtomicU64::new(start)))
    }

    #[remote(method = "POST", path = "/add/{by}", status = 201)]
    async fn add(&self, by: u64) -> Result<u64, Error> {
        Ok(self.0.fetch_add(by, Relaxed))
    }

    #[remote(exit)]
    fn close(&self) -> Result<(), Error> {
        Ok(())
    }
}
