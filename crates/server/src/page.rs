//! The page: static files built from `ui/` and embedded by the build script.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::sync::LazyLock;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, IF_NONE_MATCH,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use include_dir::{Dir, include_dir};

static BUILT: Dir<'static> = include_dir!("$OUT_DIR/page");

static FILES: LazyLock<HashMap<String, File>> = LazyLock::new(|| {
    let mut files = HashMap::new();
    collect(&BUILT, &mut files);
    files
});

struct File {
    contents: &'static [u8],
    content_type: &'static str,
    cache: &'static str,
    etag: String,
}

/// Answers every path that is not the API's: with a file, or with the page, which finds its own
/// way from the address.
pub(crate) async fn show(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    if method != Method::GET && method != Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(ALLOW, "GET, HEAD")]).into_response();
    }
    let path = uri.path().trim_start_matches('/');
    let file = FILES.get(path).or_else(|| {
        // A missing script must not come back as HTML: the browser would try to run it.
        let is_page = !path.starts_with(HASHED);
        is_page.then(|| FILES.get(INDEX)).flatten()
    });
    match file {
        Some(file) => file.response(headers.get(IF_NONE_MATCH)),
        None => (StatusCode::NOT_FOUND, "no such file\n").into_response(),
    }
}

/// Headers that keep a page from being more than meant: no foreign scripts, frames or guesses.
pub(crate) async fn secure(mut response: Response) -> Response {
    let headers = response.headers_mut();
    // The page that stops mails says by itself what it may.
    let policy = HeaderValue::from_static(POLICY);
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(policy);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let referrer = HeaderValue::from_static("no-referrer");
    headers.entry(REFERRER_POLICY).or_insert(referrer);
    response
}

impl File {
    fn new(path: &str, contents: &'static [u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(contents);
        File {
            contents,
            content_type: content_type(path),
            // Files under assets/ have a hash of their contents in their name, so they never change.
            cache: if path.starts_with(HASHED) {
                "public, max-age=31536000, immutable"
            } else {
                "no-cache"
            },
            // Weak, because it is sent compressed or not as the client accepts (RFC 9110, 8.8.1).
            etag: format!("W/\"{:016x}\"", hasher.finish()),
        }
    }

    fn response(&self, known: Option<&HeaderValue>) -> Response {
        let known = known
            .and_then(|known| known.to_str().ok())
            .unwrap_or_default();
        let fresh = known.split(',').any(|tag| tag.trim() == self.etag);
        let headers = [(ETAG, self.etag.as_str()), (CACHE_CONTROL, self.cache)];
        if fresh {
            return (StatusCode::NOT_MODIFIED, headers).into_response();
        }
        (
            headers,
            [(CONTENT_TYPE, self.content_type)],
            Body::from(self.contents),
        )
            .into_response()
    }
}

fn collect(directory: &'static Dir<'static>, files: &mut HashMap<String, File>) {
    for file in directory.files() {
        let path = file.path().to_string_lossy().into_owned();
        let made = File::new(&path, file.contents());
        files.insert(path, made);
    }
    for inner in directory.dirs() {
        collect(inner, files);
    }
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "json" | "map" | "webmanifest" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

const INDEX: &str = "index.html";
const HASHED: &str = "assets/";
const POLICY: &str = "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; \
                      form-action 'none'; frame-ancestors 'none'";
