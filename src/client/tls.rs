//! TLS to an engine: certificates on both sides, as `dockerd --tlsverify` wants them.

use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

use crate::model::Secret;

/// Whether the engine's certificate is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verification {
    /// Against the authorities and the host's name: `DOCKER_TLS_VERIFY`.
    #[default]
    Full,
    /// Not at all: `DOCKER_TLS` alone, or a context's `SkipTLSVerify`. Whoever is in between reads everything.
    Skip,
}

/// TLS settings, with what docker keeps in `ca.pem`, `cert.pem` and `key.pem`.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// The authorities, PEM; `None` for those of the system.
    pub ca: Option<Vec<u8>>,
    /// Who this client is, where the engine asks.
    pub identity: Option<Identity>,
    /// Whether the engine's certificate is checked.
    pub verification: Verification,
}

/// A client's certificate and its key.
#[derive(Debug, Clone)]
pub struct Identity {
    /// The certificate and what links it to its authority, PEM.
    pub certificate: Vec<u8>,
    /// Its private key, PEM, not encrypted.
    pub key: Secret<Vec<u8>>,
}

/// Why TLS settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file holds no certificate.
    #[error("{file} holds no PEM certificate")]
    NoCertificate {
        /// Which: `ca.pem` or `cert.pem`.
        file: &'static str,
    },
    /// `key.pem` holds no usable key.
    #[error("key.pem holds no private key in PEM that is not encrypted")]
    NoKey,
    /// The system has no authorities.
    #[error("this system has no certificate authorities, and none is given as ca.pem")]
    NoAuthorities,
    /// Certificate and key do not fit, or cannot be read.
    #[error("{file} cannot be used")]
    Unusable {
        /// Which.
        file: &'static str,
        /// What rustls says.
        source: rustls::Error,
    },
}

/// The settings rustls wants. ring is named, not looked up: no process-wide default is needed or touched.
pub(super) fn client_config(tls: &Tls) -> Result<Arc<ClientConfig>, TlsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|source| TlsError::Unusable { file: "the TLS provider", source })?;
    let builder = match tls.verification {
        Verification::Full => builder.with_root_certificates(authorities(tls.ca.as_deref())?),
        Verification::Skip => builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider))),
    };
    let config = match &tls.identity {
        Some(identity) => {
            let chain = certificates(&identity.certificate, "cert.pem")?;
            let key = PrivateKeyDer::from_pem_slice(identity.key.reveal()).map_err(|_| TlsError::NoKey)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|source| TlsError::Unusable { file: "cert.pem with key.pem", source })?
        }
        None => builder.with_no_client_auth(),
    };
    Ok(Arc::new(config))
}

fn authorities(ca: Option<&[u8]>) -> Result<RootCertStore, TlsError> {
    let mut roots = RootCertStore::empty();
    match ca {
        Some(pem) => {
            for certificate in certificates(pem, "ca.pem")? {
                roots.add(certificate).map_err(|source| TlsError::Unusable { file: "ca.pem", source })?;
            }
        }
        None => {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            if roots.is_empty() {
                return Err(TlsError::NoAuthorities);
            }
        }
    }
    Ok(roots)
}

fn certificates(pem: &[u8], file: &'static str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    found.ok().filter(|found| !found.is_empty()).ok_or(TlsError::NoCertificate { file })
}

/// Takes any certificate, as docker does without `DOCKER_TLS_VERIFY`; the handshake's signatures are still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls12_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        rustls::crypto::verify_tls13_signature(
            message,
            certificate,
            signature,
            &self.0.signature_verification_algorithms,
        )
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_hold_no_certificate_are_named() {
        let tls = |ca: &[u8]| Tls { ca: Some(ca.to_vec()), ..Tls::default() };
        let error = client_config(&tls(b"")).expect_err("empty");
        assert!(matches!(error, TlsError::NoCertificate { file: "ca.pem" }));
        let identity = Identity { certificate: b"x".to_vec(), key: Secret::new(b"y".to_vec()) };
        let tls = Tls { identity: Some(identity), verification: Verification::Skip, ca: None };
        let error = client_config(&tls).expect_err("no certificate");
        assert!(matches!(error, TlsError::NoCertificate { file: "cert.pem" }));
    }
}
