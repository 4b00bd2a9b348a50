//! The committed weights, on sentences that are in no training data.

use mixed_workers::{
    model::{Classifier, Label, Prediction, Weights},
    text::{MAX_CHARS, clean},
};

/// Cleans and classifies, as the pipeline does.
fn predict(text: &str) -> Vec<Prediction> {
    Classifier::committed().predict(&clean(text).expect("the text is usable").cleaned_text)
}

fn confidence(predictions: &[Prediction], label: Label) -> f64 {
    predictions
        .iter()
        .find(|prediction| prediction.label == label)
        .expect("every label is answered")
        .confidence
}

fn winner(text: &str) -> Label {
    predict(text)
        .into_iter()
        .max_by(|a, b| a.confidence.total_cmp(&b.confidence))
        .expect("there are predictions")
        .label
}

/// None of them is in the training data, but the settings of the training were chosen with them in view: they guard against a
/// change for the worse and measure nothing.
const SENTENCES: [(&str, Label); 20] = [
    ("This product is amazing! I love it!", Label::Positive),
    ("What a wonderful day, everything went perfectly.", Label::Positive),
    ("The staff were friendly and very helpful.", Label::Positive),
    ("Best coffee I have had in years, thank you!", Label::Positive),
    ("I am so happy with my new bike.", Label::Positive),
    ("Great film, the acting was brilliant.", Label::Positive),
    ("The room was clean, quiet and comfortable.", Label::Positive),
    ("The service was terrible and I hate it.", Label::Negative),
    ("I waited two hours and nobody helped me.", Label::Negative),
    ("This is the worst phone I ever bought.", Label::Negative),
    ("The food was cold and tasted awful.", Label::Negative),
    ("It broke after one day, what a waste of money.", Label::Negative),
    ("I am really disappointed, this is not good.", Label::Negative),
    ("The app keeps crashing and support is useless.", Label::Negative),
    ("The meeting starts at nine on Monday.", Label::Neutral),
    ("The package contains two cables and a manual.", Label::Neutral),
    ("She lives in a house near the river.", Label::Neutral),
    ("Water boils at one hundred degrees.", Label::Neutral),
    ("The train to Berlin leaves from platform four.", Label::Neutral),
    ("Where can I find the opening hours?", Label::Neutral),
];

#[test]
fn everyday_sentences_get_their_label() {
    let wrong: Vec<_> = SENTENCES.iter().filter(|(text, label)| winner(text) != *label).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn strong_words_give_a_clear_answer() {
    let praise = confidence(&predict("This product is amazing! I love it!"), Label::Positive);
    assert!(praise > 0.8, "{praise}");
    let blame = confidence(&predict("The service was terrible and I hate it."), Label::Negative);
    assert!(blame > 0.8, "{blame}");
}

#[test]
fn a_negation_turns_praise_around() {
    for (praise, refusal) in [
        ("It was a great film.", "It was not a great film."),
        ("The staff were helpful.", "The staff were not helpful."),
    ] {
        assert_eq!(winner(praise), Label::Positive, "{praise}");
        assert_eq!(winner(refusal), Label::Negative, "{refusal}");
    }
}

#[test]
fn answers_list_positive_neutral_negative_and_sum_to_one() {
    for (text, _) in SENTENCES {
        let predictions = predict(text);
        assert_eq!(predictions.iter().map(|p| p.label).collect::<Vec<_>>(), Label::ALL);
        let sum: f64 = predictions.iter().map(|p| p.confidence).sum();
        assert!((sum - 1.0).abs() < 1e-3, "{text}: {sum}");
        assert!(predictions.iter().all(|p| (0.0..=1.0).contains(&p.confidence)), "{text}");
    }
}

#[test]
fn the_same_text_gets_the_same_answer() {
    let again = Classifier::from_bytes(include_bytes!("../weights/sentiment.bin")).unwrap();
    for (text, _) in SENTENCES {
        assert_eq!(again.predict(text), Classifier::committed().predict(text), "{text}");
    }
    assert_eq!(again.info(), Classifier::committed().info());
}

#[test]
fn the_longest_text_is_answered_with_finite_numbers() {
    let long: String = "I love this wonderful place. ".repeat(400).chars().take(MAX_CHARS - 1).collect();
    let predictions = predict(&long);
    assert!(predictions.iter().all(|p| p.confidence.is_finite()));
    assert_eq!(winner(&long), Label::Positive);
}

#[test]
fn emoji_do_not_disturb() {
    assert_eq!(
        predict("This product 😍 is amazing! 🎉 I love it!"),
        predict("This product is amazing! I love it!")
    );
}

#[test]
fn a_text_of_unknown_words_is_neutral() {
    assert_eq!(winner("zzqx wvvk jjqp"), Label::Neutral);
}

#[test]
fn the_weights_are_named_in_full() {
    let info = Classifier::committed().info();
    assert_eq!(info.device, "cpu");
    assert_eq!(info.weights.len(), 12);
    let committed = include_bytes!("../weights/sentiment.bin");
    assert_eq!(Weights::from_bytes(committed).unwrap().to_bytes(), committed);
    // The provenance must describe the weights that are committed.
    assert!(include_str!("../weights/PROVENANCE.md").contains(&info.weights));
}
