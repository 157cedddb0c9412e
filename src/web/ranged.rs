//! Files with `Range` (RFC 9110, 14): a browser plays and seeks without fetching everything.

use axum::body::Body;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use std::path::Path;
use tokio::fs::File;
use tokio::io::{AsyncReadExt as _, AsyncSeekExt as _, SeekFrom};

use super::problem::ApiError;
use crate::service::ServiceError;

const CHUNK: u64 = 64 * 1024;

/// Answers with a file or the part of it that was asked for.
///
/// # Errors
/// Not found when there is no such file; otherwise what the disk says.
pub async fn file(path: &Path, media_type: &str, range: Option<&str>) -> Result<Response, ApiError> {
    let mut file = File::open(path).await.map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => ApiError::not_found(),
        _ => ServiceError::File(error).into(),
    })?;
    let size = file.metadata().await.map_err(ServiceError::File)?.len();
    let (status, first, last) = match range.map(|r| parse(r, size)) {
        None | Some(Asked::Everything) => (StatusCode::OK, 0, size),
        Some(Asked::Part { first, end }) => (StatusCode::PARTIAL_CONTENT, first, end),
        Some(Asked::Nothing) => {
            let whole = format!("bytes */{size}");
            return Ok((StatusCode::RANGE_NOT_SATISFIABLE, [(header::CONTENT_RANGE, whole)]).into_response());
        }
    };
    file.seek(SeekFrom::Start(first)).await.map_err(ServiceError::File)?;
    let body = Body::from_stream(stream::try_unfold((file, last - first), read_chunk));
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    let media_type = HeaderValue::from_str(media_type).unwrap_or(HeaderValue::from_static("application/octet-stream"));
    headers.insert(header::CONTENT_TYPE, media_type);
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(header::CONTENT_LENGTH, HeaderValue::from(last - first));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    if status == StatusCode::PARTIAL_CONTENT
        && let Ok(value) = HeaderValue::from_str(&format!("bytes {first}-{}/{size}", last.saturating_sub(1)))
    {
        headers.insert(header::CONTENT_RANGE, value);
    }
    Ok(response)
}

async fn read_chunk((mut file, left): (File, u64)) -> std::io::Result<Option<(Bytes, (File, u64))>> {
    if left == 0 {
        return Ok(None);
    }
    let mut chunk = vec![0; usize::try_from(left.min(CHUNK)).unwrap_or(0)];
    let read = file.read(&mut chunk).await?;
    if read == 0 {
        return Ok(None);
    }
    chunk.truncate(read);
    let left = left.saturating_sub(u64::try_from(read).unwrap_or(left));
    Ok(Some((chunk.into(), (file, left))))
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    /// No range, or one that we do not know: the whole file is a right answer.
    Everything,
    /// From `first` up to but not including `end`.
    Part { first: u64, end: u64 },
    /// A range outside the file.
    Nothing,
}

fn parse(range: &str, size: u64) -> Asked {
    let Some((from, to)) = range.strip_prefix("bytes=").and_then(|r| r.trim().split_once('-')) else {
        return Asked::Everything;
    };
    match (from.parse::<u64>(), to.parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last && first < size => {
            Asked::Part { first, end: size.min(last.saturating_add(1)) }
        }
        (Ok(first), Err(_)) if to.is_empty() && first < size => Asked::Part { first, end: size },
        (Err(_), Ok(tail)) if from.is_empty() && tail > 0 && size > 0 => {
            Asked::Part { first: size.saturating_sub(tail), end: size }
        }
        (Ok(_), Ok(_)) | (Ok(_), Err(_)) | (Err(_), Ok(_)) if !range.contains(',') => Asked::Nothing,
        _ => Asked::Everything,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        assert_eq!(parse("bytes=0-", 10), Asked::Part { first: 0, end: 10 });
        assert_eq!(parse("bytes=2-4", 10), Asked::Part { first: 2, end: 5 });
        assert_eq!(parse("bytes=2-400", 10), Asked::Part { first: 2, end: 10 });
        assert_eq!(parse("bytes=-3", 10), Asked::Part { first: 7, end: 10 });
        assert_eq!(parse("bytes=-30", 10), Asked::Part { first: 0, end: 10 });
        assert_eq!(parse("bytes=10-", 10), Asked::Nothing);
        assert_eq!(parse("bytes=4-2", 10), Asked::Nothing);
        assert_eq!(parse("bytes=0-1,4-5", 10), Asked::Everything);
        assert_eq!(parse("lines=1-2", 10), Asked::Everything);
    }
}
