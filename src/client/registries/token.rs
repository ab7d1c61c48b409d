//! Tokens that registries want to see.

use std::time::{Duration, Instant};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request};
use serde::Deserialize;
use url::form_urlencoded;

use super::super::registry::Login;
use super::challenge::Bearer;
use super::{Refusal, Registries, basic, judged};
use crate::model::Secret;

/// What a token lasts that does not say for how long.
const LIFE: u64 = 60;
/// Whom tokens are made out to.
const CLIENT: &str = "skep";

/// A token, and until when it is good.
#[derive(Debug, Clone)]
pub(super) struct Token {
    text: Secret<String>,
    until: Instant,
}

#[derive(Deserialize)]
struct Answer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

impl Token {
    /// The token, as long as it is good.
    pub(super) fn valid(&self) -> Option<&Secret<String>> {
        (Instant::now() < self.until).then_some(&self.text)
    }
}

impl Registries {
    /// Has a token made out for reading one repository.
    pub(super) async fn token(
        &self,
        host: &str,
        repository: &str,
        challenge: &Bearer,
        login: Option<&Login>,
    ) -> Result<Token, Refusal> {
        let mut realm = url::Url::parse(&challenge.realm)
            .map_err(|_| Refusal::Unanswered("it names no valid address for tokens".to_owned()))?;
        // A password would be sent there.
        if realm.scheme() != "https" && !self.insecure.covers(host) {
            return Err(Refusal::Unanswered("it names an address without TLS for tokens".to_owned()));
        }
        let own = format!("repository:{repository}:pull");
        let scope = challenge.scope.as_deref().unwrap_or(&own);
        let request = Request::builder();
        let request = match login {
            Some(Login::Token(token)) => {
                let mut form = form_urlencoded::Serializer::new(String::new());
                form.append_pair("grant_type", "refresh_token").append_pair("client_id", CLIENT);
                form.append_pair("scope", scope).append_pair("refresh_token", token.reveal());
                if let Some(service) = &challenge.service {
                    form.append_pair("service", service);
                }
                request
                    .method(Method::POST)
                    .uri(realm.as_str())
                    .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(Full::new(Bytes::from(form.finish())))
            }
            login => {
                realm.query_pairs_mut().append_pair("scope", scope);
                if let Some(service) = &challenge.service {
                    realm.query_pairs_mut().append_pair("service", service);
                }
                let mut request = request.uri(realm.as_str());
                if let Some(text) = login.and_then(basic)
                    && let Ok(mut value) = HeaderValue::from_str(text.reveal())
                {
                    value.set_sensitive(true);
                    request = request.header(AUTHORIZATION, value);
                }
                request.body(Full::default())
            }
        };
        let request = request.map_err(|error| Refusal::Unanswered(error.to_string()))?;
        let answer = judged(self.once(request).await?).map_err(|refusal| match refusal {
            // Of tokens, and not of the image.
            Refusal::Missing => Refusal::Unanswered("its address for tokens has none".to_owned()),
            other => other,
        })?;
        let unreadable = || Refusal::Unanswered("its token cannot be read".to_owned());
        let read: Answer = serde_json::from_slice(&answer.body).map_err(|_| unreadable())?;
        let text = read.token.or(read.access_token).filter(|text| !text.is_empty()).ok_or_else(unreadable)?;
        // A little less than it says: it is on its way for a while.
        let life = Duration::from_secs(read.expires_in.unwrap_or(LIFE).clamp(1, 24 * 60 * 60)).mul_f32(0.9);
        Ok(Token { text: Secret::new(text), until: Instant::now() + life })
    }
}
