//! Whom to believe: the authorities that browsers trust, and those that this machine does, such as a company's own.

use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;

/// The authorities that this machine trusts and that can be read. `SSL_CERT_FILE` and `SSL_CERT_DIR` say where they are,
/// if not where the system has them.
pub(super) fn of_machine() -> Vec<CertificateDer<'static>> {
    let mut found = rustls_native_certs::load_native_certs().certs;
    found.retain(|it| RootCertStore::empty().add(it.clone()).is_ok());
    found
}

/// Those that browsers trust, and these.
pub(super) fn roots(more: Vec<CertificateDer<'static>>) -> RootCertStore {
    let mut roots: RootCertStore = webpki_roots::TLS_SERVER_ROOTS.iter().cloned().collect();
    roots.add_parsable_certificates(more);
    roots
}
