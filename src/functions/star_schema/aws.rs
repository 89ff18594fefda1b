//! The loader as Lambda runs it: buckets, parameters, and a description from wherever it stands.

use std::fs;

use aws_config::SdkConfig;
use tokio::time::{Duration, Instant};

use super::{
    Settings, StarSchema,
    description::Star,
    settings::{DescribedIn, Whereabouts},
    store::{read_whole, s3::S3Store, ssm::SsmParameters},
};
use crate::config::SettingsError;

/// How long a description may take to come: Lambda gives a start ten seconds.
const PATIENCE: Duration = Duration::from_secs(8);

/// Reads the description and makes the function of it.
pub async fn star_schema(
    shared: &SdkConfig,
    settings: Settings,
    whereabouts: Whereabouts,
) -> Result<StarSchema<S3Store, SsmParameters>, SettingsError> {
    let star = read_star(shared, &whereabouts.description).await?;
    let store = |bucket, named_by| S3Store::new(shared, bucket, named_by);
    Ok(StarSchema {
        settings,
        star,
        packets: store(whereabouts.ingestion_bucket, "INGESTION_BUCKET"),
        processed: store(whereabouts.processed_bucket, "PROCESSED_BUCKET"),
        parameters: SsmParameters::new(shared, whereabouts.parameter_prefix),
    })
}

async fn read_star(shared: &SdkConfig, place: &DescribedIn) -> Result<Star, SettingsError> {
    let star = match place {
        DescribedIn::Program => Star::built_in(),
        DescribedIn::File(path) => {
            let text = fs::read_to_string(path);
            Star::parse(&text.map_err(|error| wrong(place, &error))?)
        }
        DescribedIn::Object { bucket, key } => {
            let store = S3Store::new(shared, bucket.clone(), "STAR");
            match read_whole(&store, key, Instant::now() + PATIENCE).await {
                Ok(Some(text)) => Star::parse(&String::from_utf8_lossy(&text)),
                Ok(None) => return Err(wrong(place, &"there is no such object")),
                Err(failure) => return Err(wrong(place, &failure)),
            }
        }
    };
    star.map_err(|mistakes| wrong(place, &mistakes))
}

fn wrong(place: &DescribedIn, why: &impl ToString) -> SettingsError {
    SettingsError::Wrong {
        name: "STAR",
        value: place.to_string(),
        allowed: format!(
            "the description of a star; this is not: {}",
            why.to_string()
        ),
    }
}
