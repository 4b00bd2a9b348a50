//! Trains the sentiment model and writes its weights: `train CORPUS.csv WEIGHTS.bin`.
//!
//! `weights/PROVENANCE.md` says where the corpus comes from. The same corpus gives the same weights, bit for bit, on the
//! same platform: everything random comes from one seed, and nothing runs in parallel.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod corpus;
mod fit;
mod lexicon;
mod random;
mod report;
mod table;

use std::{error::Error, path::Path, process::ExitCode};

use mixed_workers::model::Weights;
use sha2::{Digest, Sha256};

use crate::{corpus::Corpus, lexicon::Lexicon, random::Random, report::Report, table::Table};

/// Seeds every random choice.
const SEED: u64 = 20_261_121;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [corpus, weights] = arguments.as_slice() else {
        eprintln!("usage: train CORPUS.csv WEIGHTS.bin");
        return ExitCode::from(2);
    };
    match train(Path::new(corpus), Path::new(weights)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("failed to train: {error}");
            ExitCode::FAILURE
        }
    }
}

fn train(corpus: &Path, weights: &Path) -> Result<(), Box<dyn Error>> {
    let mut random = Random::new(SEED);
    let corpus = Corpus::read(corpus, &mut random)?;
    println!("corpus sha256        {}", corpus.sha256);
    println!("texts                {} distinct of {} rows", corpus.distinct(), corpus.rows);
    println!(
        "split                {} train, {} calibrate, {} test",
        corpus.train.len(),
        corpus.calibrate.len(),
        corpus.test.len()
    );
    println!("seed                 {SEED}");

    let lexicon = Lexicon::load();
    let mut samples = corpus.train.clone();
    samples.extend(lexicon.samples(&corpus.train, &mut random));
    println!(
        "lexicon              {} words, {} samples made of them",
        lexicon.len(),
        samples.len() - corpus.train.len()
    );

    let table = Table::choose(&samples);
    println!("buckets in use       {}", table.len());
    let model = fit::fit(&table, &samples, &lexicon.valences(), &mut random);
    let temperature = fit::temperature(&model, &table, &corpus.calibrate);
    println!("temperature          {temperature:.3}");
    let model = Weights::quantised(model.bias.map(|b| b / temperature), &table.rows(&model, temperature));

    println!("held out             {}", Report::of(&model, &corpus.test));
    println!("everyday sentences   {}", Report::of(&model, &corpus::everyday()?));
    let bytes = model.to_bytes();
    std::fs::write(weights, &bytes)?;
    println!("weights sha256       {}", hex(&Sha256::digest(&bytes)));
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
