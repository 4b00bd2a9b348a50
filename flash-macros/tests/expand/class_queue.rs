static GPU: Endpoint = Endpoint::queue("gpu");

/// Turns texts into vectors.
#[remote(resource = GPU)]
impl Embedder {
    /// Loads the model.
    #[remote(init)]
    pub async fn load(model: String, #[remote(default = 8)] batch: usize, weights: State<Weights>) -> Result<Self, LoadError> {
        read(model, batch, &weights)
    }

    /// One text.
    #[remote]
    pub async fn embed(&self, text: String) -> Result<Vec<f32>, EmbedError> {
        tokenize::remote(text).await?;
        self.run(text)
    }

    #[remote(name = "embed-all", inline)]
    pub fn embed_all(&self, texts: Vec<String>, context: Context) -> Result<Vec<Vec<f32>>, EmbedError> {
        texts.iter().map(|text| self.run(text)).collect()
    }

    #[remote(exit)]
    async fn close(&self) {
        self.run("bye");
    }

    fn run(&self, text: &str) -> Vec<f32> {
        body
    }
}
