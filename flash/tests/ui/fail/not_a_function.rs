// mistakes: 1
use flash::{Endpoint, remote};

static GPU: Endpoint = Endpoint::queue("gpu");

#[remote(resource = GPU)]
struct Model {
    weights: Vec<f32>,
}

fn direct(model: Model) -> usize {
    model.weights.len()
}

fn main() {}
