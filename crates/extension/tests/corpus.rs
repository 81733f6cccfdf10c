//! Every decoder reads every file of every corpus: what fuzzing found once stays mended, and what one
//! decoder's corpus holds is as odd as any other input to the others.

#![expect(
    clippy::unwrap_used,
    reason = "all of this is test code, its helpers included"
)]

#[allow(unreachable_pub, reason = "it is public for the fuzz targets")]
#[path = "../../../fuzz/src/extension.rs"]
mod decoders;

use std::path::{Path, PathBuf};

fn files(folder: &Path) -> Vec<PathBuf> {
    let listed = std::fs::read_dir(folder).unwrap();
    listed.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn every_decoder_reads_every_corpus() {
    let corpora = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus");
    for (name, _) in decoders::TARGETS {
        assert!(corpora.join(name).is_dir(), "{name} has no corpus");
    }
    let files: Vec<PathBuf> = files(&corpora)
        .iter()
        .flat_map(|folder| files(folder))
        .collect();
    assert!(files.len() > 20, "{}", files.len());
    for file in files {
        let data = std::fs::read(&file).unwrap();
        // The name of the file is printed before what panics.
        println!("{}", file.display());
        for (_, decode) in decoders::TARGETS {
            decode(&data);
        }
    }
}
