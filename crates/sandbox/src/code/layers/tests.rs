use std::os::unix::fs::symlink;

use super::*;

fn write(folder: &Path, files: &[(&str, &str)]) -> PathBuf {
    for (name, text) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder.to_owned()
}

fn layer(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), files);
    folder
}

fn read(folder: &Path, name: &str) -> Option<String> {
    fs::read_to_string(folder.join(name)).ok()
}

#[test]
fn later_layers_win_and_folders_are_joined() {
    let cache = tempfile::tempdir().unwrap();
    let one = layer(&[
        ("bin/a", "one"),
        ("bin/b", "one"),
        ("turns", "file"),
        ("was/folder", ""),
    ]);
    let two = layer(&[("bin/b", "two"), ("turns/folder", "two"), ("was", "file")]);
    let layers = [one.path().to_owned(), two.path().to_owned()];
    let cache = Cache::at(cache.path());
    let opt = merge(&layers, &cache).unwrap().unwrap();
    for (name, text) in [
        ("bin/a", "one"),
        ("bin/b", "two"),
        ("turns/folder", "two"),
        ("was", "file"),
    ] {
        assert_eq!(read(&opt, name).as_deref(), Some(text), "{name}");
    }
    assert_eq!(
        merge(&layers, &cache).unwrap().unwrap(),
        opt,
        "the same content is not made again"
    );
    fs::write(two.path().join("bin/b"), "three!").unwrap();
    let changed = merge(&layers, &cache).unwrap().unwrap();
    assert_eq!(read(&changed, "bin/b").as_deref(), Some("three!"));
    assert_eq!(
        read(&opt, "bin/b").as_deref(),
        Some("two"),
        "who uses the old one keeps it"
    );
}

#[test]
fn single_folder_is_taken_where_it_is() {
    let cache = tempfile::tempdir().unwrap();
    let one = layer(&[("a", "")]);
    let opt = merge(&[one.path().to_owned()], &Cache::at(cache.path())).unwrap();
    assert_eq!(opt.as_deref(), Some(one.path()));
    assert_eq!(merge(&[], &Cache::at(cache.path())).unwrap(), None);
}

#[test]
fn links_out_of_a_folder_are_what_they_lead_to_and_never_written_through() {
    let cache = tempfile::tempdir().unwrap();
    let outside = layer(&[("built", "binary"), ("dir/x", "outside")]);
    let one = layer(&[("tool/real", "real")]);
    symlink(outside.path().join("built"), one.path().join("bootstrap")).unwrap();
    symlink(outside.path().join("dir"), one.path().join("dir")).unwrap();
    symlink("real", one.path().join("tool/same")).unwrap();
    let two = layer(&[("dir/x", "two")]);
    let layers = [one.path().to_owned(), two.path().to_owned()];
    let opt = merge(&layers, &Cache::at(cache.path())).unwrap().unwrap();
    assert_eq!(read(&opt, "bootstrap").as_deref(), Some("binary"));
    assert_eq!(read(&opt, "dir/x").as_deref(), Some("two"));
    assert_eq!(read(&opt, "tool/same").as_deref(), Some("real"));
    assert!(!opt.join("bootstrap").is_symlink() && opt.join("tool/same").is_symlink());
    assert_eq!(read(outside.path(), "dir/x").as_deref(), Some("outside"));
}

#[test]
fn many_starts_at_once_get_the_same_whole_folder() {
    let cache = tempfile::tempdir().unwrap();
    let one = layer(&[("a", "one")]);
    let two = layer(&[("b", "two")]);
    let layers = [one.path().to_owned(), two.path().to_owned()];
    let cache = Cache::at(cache.path());
    let found = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| scope.spawn(|| merge(&layers, &cache)))
            .collect();
        let done = threads
            .into_iter()
            .map(|thread| thread.join().unwrap().unwrap().unwrap());
        done.collect::<std::collections::BTreeSet<_>>()
    });
    assert_eq!(found.len(), 1);
    let opt = found.first().unwrap();
    assert_eq!(
        (read(opt, "a"), read(opt, "b")),
        (Some("one".into()), Some("two".into()))
    );
    let left = fs::read_dir(opt.parent().unwrap()).unwrap().count();
    assert_eq!(left, 1, "nothing half-made is left");
}

#[test]
fn layer_that_is_missing_is_named() {
    let cache = tempfile::tempdir().unwrap();
    let message = merge(&["/nowhere.zip".into()], &Cache::at(cache.path())).unwrap_err();
    assert_eq!(
        message,
        "cannot use the layer /nowhere.zip: No such file or directory (os error 2)"
    );
}

#[test]
fn extensions_are_the_files_in_their_folder() {
    let opt = layer(&[
        ("extensions/b", ""),
        ("extensions/a", ""),
        ("extensions/lib/c", ""),
        ("d", ""),
    ]);
    let found = extensions_of(Some(opt.path()));
    let folder = opt.path().join("extensions");
    assert_eq!(found, [folder.join("a"), folder.join("b")]);
}
