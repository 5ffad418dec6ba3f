//! Every input of every corpus once more, without a fuzzer: what was found stays found.

use std::fs;
use std::path::Path;

use salon_fuzz::TARGETS;

#[test]
fn every_kept_input_passes_its_target() {
    for target in TARGETS {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target.name);
        let mut inputs: Vec<_> = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).collect();
        assert!(!inputs.is_empty(), "{} has a corpus", target.name);
        inputs.sort_by_key(|entry| entry.as_ref().expect("an entry").file_name());
        for input in inputs {
            let path = input.expect("an entry").path();
            let bytes = fs::read(&path).expect("an input");
            eprintln!("{}", path.display());
            (target.run)(&bytes);
        }
    }
}

#[test]
fn every_corpus_has_a_target() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    for entry in fs::read_dir(folder).expect("corpora") {
        let name = entry.expect("an entry").file_name().into_string().expect("a name");
        assert!(salon_fuzz::target(&name).is_some(), "{name}");
    }
}
