//! Which code the functions run.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

/// The commit that is checked out in a folder; none where git does not know of one.
pub(super) async fn commit_of(folder: &Path) -> Option<String> {
    let asked = Command::new("git")
        .arg("-C")
        .arg(folder)
        .args(["rev-parse", "--verify", "HEAD"])
        .stdin(Stdio::null())
        .output();
    let told = asked.await.ok().filter(|told| told.status.success())?;
    let commit = String::from_utf8(told.stdout).ok()?;
    Some(commit.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_is_checked_out_is_told_and_a_plain_folder_has_no_commit() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(commit_of(folder.path()).await, None);
        let git = |arguments: &'static str| {
            Command::new("git")
                .current_dir(folder.path())
                .args(["-c", "user.name=me", "-c", "user.email=me@example.com"])
                .args(arguments.split(' '))
                .output()
        };
        assert!(git("init -q").await.unwrap().status.success());
        assert_eq!(commit_of(folder.path()).await, None);
        let commit = git("commit -q --allow-empty --no-gpg-sign -m first").await;
        assert!(commit.unwrap().status.success());
        let commit = commit_of(folder.path()).await.unwrap();
        assert!(commit.len() >= 40, "{commit}");
        assert!(commit.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }
}
