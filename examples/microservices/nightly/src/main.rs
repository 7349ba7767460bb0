//! The nightly job: asks shipping for its report. There is no user; the job acts in its own name, by client credentials.

use common::{Fault, Service, setting};
use grantor_verify::{ClientCredentials, TokenClient, TokenRequest, http_client};

#[tokio::main]
async fn main() -> Result<(), Fault> {
    let http = http_client()?;
    let credentials = ClientCredentials::new("nightly", setting("NIGHTLY_SECRET")?);
    let grantor = TokenClient::new(http.clone(), setting("ISSUER")?.parse()?, credentials);
    let shipping = Service::new("shipping", "SHIPPING_URL", http)?;

    let request = TokenRequest::default().scope("shipping.example.com/report");
    let issued = grantor.client_credentials(&request).await?;
    let report = shipping.get("/report", &issued.access_token).await?;
    println!("{}", serde_json::to_string_pretty(&report)?);
    Ok(())
}
